//! Comparisons of two runs: tests and intervals that keep a patient's rows together.

mod bootstrap;
mod mcnemar;
mod permutation;
mod probabilities;
mod runs;

pub use bootstrap::{BOOTSTRAP_ROUNDS, Interval, bootstrap_by_patient, interval_of_all_alike};
pub use mcnemar::{McNemar, holm, mcnemar};
pub use permutation::{PermutationTest, compare_accuracy, permutation_tests};
pub use probabilities::ProbabilityDifference;
pub use runs::{MetricDifference, RunComparison};
