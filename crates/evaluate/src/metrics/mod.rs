//! Accuracy of a model: over all rows, per class, per group of classes, over folds.

mod confusion;
mod folds;

pub use confusion::{ClassMetrics, Confusion};
pub use folds::{FoldMetrics, SubsetAccuracy, mean_over_folds};

/// Returns `part / whole`; `None` for an empty whole.
pub(crate) fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

/// Returns the mean of `values`; `None` without any.
pub(crate) fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
    ratio(sum, f64::from(count))
}
