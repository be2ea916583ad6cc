//! Accuracy of a model: over all rows, per class, per group of classes, over folds.

mod confusion;
mod folds;

pub use confusion::{ClassMetrics, Confusion};
pub(crate) use confusion::{mean, ratio};
pub use folds::{FoldMetrics, SubsetAccuracy, mean_over_folds};
