//! The imaging mode of a loop.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Imaging mode of a loop: 2-D, color flow, spectral Doppler, M-mode, ...
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Gray-scale 2-D.
    #[serde(rename = "2d")]
    TwoD,
    /// Color flow over 2-D. Its name in files and JSON, `colour`, is older than the spelling of this code.
    #[serde(rename = "colour")]
    Color,
    /// Pulsed-wave spectral Doppler.
    Pw,
    /// Continuous-wave spectral Doppler.
    Cw,
    /// Tissue Doppler, spectral or color.
    TissueDoppler,
    /// M-mode, gray or color.
    MMode,
    /// Two 2-D images side by side.
    Dual,
    /// Anything else: 3-D, reports, graphics.
    Other,
}

impl Mode {
    /// All modes.
    pub const ALL: [Self; 8] =
        [Self::TwoD, Self::Color, Self::Pw, Self::Cw, Self::TissueDoppler, Self::MMode, Self::Dual, Self::Other];

    /// Returns the name that is stored and serialized.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TwoD => "2d",
            Self::Color => "colour",
            Self::Pw => "pw",
            Self::Cw => "cw",
            Self::TissueDoppler => "tissue_doppler",
            Self::MMode => "m_mode",
            Self::Dual => "dual",
            Self::Other => "other",
        }
    }

    /// Returns the mode of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == name)
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_serialized_name_is_the_stored_one() {
        for mode in Mode::ALL {
            assert_eq!(serde_json::to_value(mode).expect("a name"), mode.as_str());
            assert_eq!(Mode::from_name(mode.as_str()), Some(mode));
        }
    }
}
