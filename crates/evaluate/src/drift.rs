//! Change of what comes in from one time to the next: the population stability index.

/// A move of the index that is worth a look, by the usual rule of thumb.
pub const MOVED: f64 = 0.2;
/// Loops on either side below which the index says nothing: it grows with chance as numbers fall.
pub const MIN_LOOPS: u64 = 50;

/// Returns the population stability index of counts by category against those of a reference: the sum of
/// `(p - q) ln(p / q)` over their shares; `None` where either has fewer than [`MIN_LOOPS`].
///
/// Half a loop is added to each category, so that one which is empty on one side counts and is not infinite.
#[must_use]
pub fn population_stability(now: &[u64], reference: &[u64]) -> Option<f64> {
    let total = |counts: &[u64]| counts.iter().sum::<u64>();
    if now.len() != reference.len() || total(now).min(total(reference)) < MIN_LOOPS {
        return None;
    }
    let share = |count: u64, counts: &[u64]| (count as f64 + 0.5) / (total(counts) as f64 + 0.5 * counts.len() as f64);
    let of_category = |(now_count, reference_count): (&u64, &u64)| {
        let (p, q) = (share(*now_count, now), share(*reference_count, reference));
        (p - q) * (p / q).ln()
    };
    Some(now.iter().zip(reference).map(of_category).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_is_zero_of_equal_shares_and_grows_with_a_shift() {
        assert_eq!(population_stability(&[100, 100], &[100, 100]), Some(0.0));
        // (0.8 - 0.5) ln(0.8 / 0.5) + (0.2 - 0.5) ln(0.2 / 0.5), but for the half loops.
        let shifted = population_stability(&[8000, 2000], &[5000, 5000]).unwrap();
        assert!((shifted - 0.4159).abs() < 1e-3 && shifted > MOVED, "{shifted}");
        assert_eq!(population_stability(&[49, 0], &[100, 100]), None, "too few");
        assert!(population_stability(&[100, 0], &[0, 100]).unwrap().is_finite());
    }
}
