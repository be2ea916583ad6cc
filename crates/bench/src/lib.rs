//! Measures how fast loops are labelled and models are opened, and what this machine could do at most.

mod error;
mod loops;
mod lower_bound;
mod measurement;
mod opening;
mod report;

pub use error::BenchError;
pub use loops::{write_loop_of, write_loops};
pub use lower_bound::{LoopCost, LowerBound, Machine, ModelCost};
pub use measurement::LoopMeasurement;
pub use opening::Opening;
pub use report::BenchReport;

/// Returns the upper median of `values`; `None` without any.
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// Returns the peak resident memory of this process in megabytes; `None` where the system does not give it.
fn peak_megabytes() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_upper_one() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(3.0));
        assert_eq!(median(Vec::new()), None);
    }
}
