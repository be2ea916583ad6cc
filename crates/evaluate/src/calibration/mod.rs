//! Calibration of probabilities: its errors, and what is fitted on a validation set to mend them.

mod conformal;
mod errors;
mod fit;
mod temperature;

pub use conformal::{ConformalMethod, ConformalMetrics, ConformalSets};
pub use errors::{
    BinKind, ReliabilityBin, adaptive_error, brier, calibration_error, expected_error, log_loss, reliability,
};
pub(crate) use errors::{ScoredRow, calibration_metrics};
pub use fit::{CalibrationFit, CalibrationTargets};
pub use temperature::{TemperatureFit, fit_temperature, platt_smoothing, with_temperature};
