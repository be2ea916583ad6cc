//! Whether probabilities mean what they say, and what can be done about it.

mod conformal;
mod errors;
mod temperature;

pub use conformal::{ConformalFigures, ConformalMethod, ConformalSets};
pub use errors::{
    BinKind, ReliabilityBin, adaptive_error, brier, calibration_error, expected_error, log_loss, reliability,
};
pub(crate) use errors::{Judged, calibration_figures};
pub use temperature::{TemperatureFit, fit_temperature, with_temperature};
