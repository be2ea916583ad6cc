//! What the image shows: 2-D, colour, spectral Doppler, M-mode, ...

use serde::Serialize;

/// What a loop shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Grey-scale 2-D.
    #[serde(rename = "2d")]
    TwoD,
    /// Colour flow over 2-D.
    Colour,
    /// Pulsed-wave spectral Doppler.
    Pw,
    /// Continuous-wave spectral Doppler.
    Cw,
    /// Tissue Doppler, spectral or colour.
    TissueDoppler,
    /// M-mode, grey or colour.
    MMode,
    /// Two 2-D images side by side.
    Dual,
    /// Anything else: 3-D, reports, graphics.
    Other,
}

impl Mode {
    /// The stable name, the same as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TwoD => "2d",
            Self::Colour => "colour",
            Self::Pw => "pw",
            Self::Cw => "cw",
            Self::TissueDoppler => "tissue_doppler",
            Self::MMode => "m_mode",
            Self::Dual => "dual",
            Self::Other => "other",
        }
    }
}
