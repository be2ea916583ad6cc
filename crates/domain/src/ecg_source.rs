//! Sources of the heart beat.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Source of the R peaks of a loop.
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
    /// All sources.
    pub const ALL: [Self; 5] = [Self::Waveform, Self::RWaveTimeVector, Self::Curve, Self::BurnedInTrace, Self::None];

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

    /// Returns the source of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.as_str() == name)
    }
}

impl fmt::Display for EcgSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_serialized_name_is_the_stored_one() {
        for source in EcgSource::ALL {
            assert_eq!(serde_json::to_value(source).expect("a name"), source.as_str());
            assert_eq!(EcgSource::from_name(source.as_str()), Some(source));
        }
    }
}
