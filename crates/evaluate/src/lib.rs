//! Judges predictions: figures with intervals, calibration, comparisons, pictures and one report.
//!
//! Pure: values in, values out. It reads no file, starts no thread and knows no model; strings and bytes are given back.

pub mod abstention;
mod aggregate;
pub mod agreement;
pub mod calibration;
pub mod comparison;
mod drawing;
mod embedding;
mod error;
mod evaluation;
pub mod label_noise;
mod linear;
pub mod metrics;
pub mod outliers;
pub mod pictures;
mod predictions;
mod probability;
mod random;
mod report;
pub mod roc;

pub use aggregate::{InventoryFigures, Level, aggregate, inventory};
pub use embedding::{TsneOptions, tsne};
pub use error::{EvaluateError, Result};
pub use evaluation::{
    Answers, ClassRow, ClassSubset, CoverageFigures, Evaluation, EvaluationOptions, Experts, Figure, Grouping, Mistake,
    OperatingPoint, OutlierFigures, Rows, RunHeader,
};
pub use predictions::{Prediction, Predictions, Truth, from_csv, to_csv};
