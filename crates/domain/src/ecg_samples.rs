//! An ECG as evenly spaced numbers on the loop's time axis.

use serde::{Deserialize, Serialize};

/// Samples that are no signal: none at all, or times that are no usable numbers of milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("{count} samples every {sample_interval_ms} ms from {start_ms} ms are no ECG")]
pub struct InvalidEcgSamples {
    /// Number of samples.
    pub count: usize,
    /// The sample interval, in milliseconds.
    pub sample_interval_ms: f64,
    /// The time of the first sample, in milliseconds after frame 0.
    pub start_ms: f64,
}

/// A sampled ECG of one lead; any unit and any polarity, time counted from frame 0 of the loop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EcgSamples {
    /// The curve; the unit does not matter. A sample that is NaN or infinite is a gap and is bridged.
    pub values: Vec<f32>,
    /// Time between two samples in milliseconds, finite and positive.
    pub sample_interval_ms: f64,
    /// Time of the first sample in milliseconds after frame 0; negative where the ECG starts before the loop.
    pub start_ms: f64,
}

impl EcgSamples {
    /// Returns the ECG of these samples.
    ///
    /// # Errors
    /// There are no samples, the interval is not a positive number, or the start is not finite.
    pub fn new(values: Vec<f32>, sample_interval_ms: f64, start_ms: f64) -> Result<Self, InvalidEcgSamples> {
        let usable = sample_interval_ms.is_finite() && sample_interval_ms > 0.0;
        if values.is_empty() || !usable || !start_ms.is_finite() {
            return Err(InvalidEcgSamples { count: values.len(), sample_interval_ms, start_ms });
        }
        Ok(Self { values, sample_interval_ms, start_ms })
    }

    /// Returns the time of a (fractional) sample position in milliseconds after frame 0.
    #[must_use]
    pub fn time_at_ms(&self, position: f64) -> f64 {
        self.start_ms + position * self.sample_interval_ms
    }

    /// Returns the (fractional, possibly outside) sample position at a time in milliseconds after frame 0.
    #[must_use]
    pub fn position_at(&self, time_ms: f64) -> f64 {
        (time_ms - self.start_ms) / self.sample_interval_ms
    }

    /// Returns the sampling rate in hertz.
    #[must_use]
    pub fn rate_hz(&self) -> f64 {
        1000.0 / self.sample_interval_ms
    }
}
