//! Waits between tries.

use jiff::SignedDuration;

/// Waits that double from `first` to `longest`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// After the first try.
    pub first: SignedDuration,
    /// Never longer than this.
    pub longest: SignedDuration,
}

impl Backoff {
    /// The wait after so many tries, from 1.
    pub fn wait_after(&self, tries: u32) -> SignedDuration {
        let doublings = tries.saturating_sub(1).min(30);
        self.first.saturating_mul(1 << doublings).min(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let backoff = Backoff { first: SignedDuration::from_secs(30), longest: SignedDuration::from_mins(5) };
        let waits: Vec<i64> = [0, 1, 2, 3, 4, 5, u32::MAX].map(|tries| backoff.wait_after(tries).as_secs()).into();
        assert_eq!(waits, [30, 30, 60, 120, 240, 300, 300]);
    }
}
