//! Where the beats of a loop come from.

use serde::{Deserialize, Serialize};

/// Where the R peaks of a loop were found; serializes as `waveform`, `r_wave_time_vector`, `curve`,
/// `burned_in_trace` or `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EcgSource {
    /// A DICOM Waveform Sequence (5400,0100).
    Waveform,
    /// The R Wave Time Vector (0018,6060).
    RWaveTimeVector,
    /// A retired Curve group (50xx,3000) of type ECG.
    Curve,
    /// The trace drawn into the pixels.
    BurnedInTrace,
    /// No ECG was found.
    #[default]
    None,
}

impl EcgSource {
    /// The name as it is serialized.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waveform => "waveform",
            Self::RWaveTimeVector => "r_wave_time_vector",
            Self::Curve => "curve",
            Self::BurnedInTrace => "burned_in_trace",
            Self::None => "none",
        }
    }
}

impl std::fmt::Display for EcgSource {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}
