//! Evaluates predictions: metrics with intervals, calibration, comparisons, plots and one report.
//!
//! Pure: values in, values out. It reads no file, starts no thread and knows no model; strings and bytes are given back.

pub mod abstention;
mod aggregate;
pub mod agreement;
pub mod agreement_over_time;
pub mod calibration;
pub mod comparison;
mod drawing;
pub mod drift;
mod embedding;
mod error;
mod evaluation;
mod format;
mod inventory;
pub mod label_noise;
mod linear;
mod loop_decision;
pub mod metrics;
pub mod ood;
pub mod plots;
mod predictions;
mod probability;
mod report;
pub mod roc;

pub use aggregate::{Level, aggregate};
pub use embedding::{TsneOptions, tsne};
pub use error::{EvaluateError, Result};
pub use evaluation::{
    ClassRow, ClassSubset, CoverageMetrics, Decisions, Evaluation, EvaluationOptions, Experts, Grouping, Metric,
    Mistake, OodMetrics, OperatingPoint, Rows, RunHeader, metrics_over_folds,
};
pub use format::fixed;
pub use inventory::{InventoryMetrics, inventory_metrics};
pub use linear::dot;
pub use loop_decision::{DecisionCounts, LoopDecision};
pub use predictions::{Prediction, Predictions, Truth, from_csv, to_csv};
