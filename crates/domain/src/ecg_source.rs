//! Where the heart beat comes from.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where the R peaks of a loop come from.
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
    /// Returns the name that is stored and serialized.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waveform => "waveform",
            Self::RWaveTimeVector => "r_wave_time_vector",
            Self::Curve => "curve",
            Self::BurnedInTrace => "burned_in_trace",
            Self::None => "none",
        }
    }
}

impl fmt::Display for EcgSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}
