//! An ECG as evenly spaced numbers on the loop's time axis.

use crate::EcgError;
use serde::{Deserialize, Serialize};

/// A sampled ECG of one lead; any unit and any polarity, time counted from frame 0 of the loop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EcgSamples {
    /// The curve; the unit does not matter. A sample that is NaN or infinite is a gap and is bridged.
    pub values: Vec<f32>,
    /// Time between two samples in milliseconds.
    pub sample_interval_ms: f64,
    /// Time of the first sample in milliseconds after frame 0; negative where the ECG starts before the loop.
    pub start_ms: f64,
}

impl EcgSamples {
    /// Checks that there are samples and that the times are usable.
    ///
    /// # Errors
    /// [`EcgError::Samples`] for no samples, an interval that is not a positive number, or a start that is not finite.
    pub fn new(values: Vec<f32>, sample_interval_ms: f64, start_ms: f64) -> Result<Self, EcgError> {
        let usable = sample_interval_ms.is_finite() && sample_interval_ms > 0.0;
        if values.is_empty() || !usable || !start_ms.is_finite() {
            return Err(EcgError::Samples { count: values.len(), sample_interval_ms, start_ms });
        }
        Ok(Self { values, sample_interval_ms, start_ms })
    }

    /// Time of a (fractional) sample position in milliseconds after frame 0.
    #[must_use]
    pub fn time_at_ms(&self, position: f64) -> f64 {
        self.start_ms + position * self.sample_interval_ms
    }

    /// The (fractional, possibly outside) sample position at a time in milliseconds after frame 0.
    #[must_use]
    pub fn position_at(&self, time_ms: f64) -> f64 {
        (time_ms - self.start_ms) / self.sample_interval_ms
    }

    /// Sampling rate in hertz.
    #[must_use]
    pub fn rate_hz(&self) -> f64 {
        1000.0 / self.sample_interval_ms
    }
}
