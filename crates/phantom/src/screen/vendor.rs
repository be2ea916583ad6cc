//! Two invented vendors.

use serde::Serialize;

use super::colors::Color;

/// An invented vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Vendor {
    /// Look "A": curved sector top, numbered depth ticks on the left edge, yellowish texts, heart rate below right.
    Halden,
    /// Look "B": pointed sector, dots along the edge, white texts in the top left corner, slightly blue grays.
    Norrvik,
}

impl Vendor {
    /// Both vendors.
    pub const ALL: [Self; 2] = [Self::Halden, Self::Norrvik];

    /// Returns the text of Manufacturer (0008,0070).
    pub fn manufacturer(self) -> &'static str {
        match self {
            Self::Halden => "Halden Phantom Ultrasound",
            Self::Norrvik => "Norrvik Phantom Systems",
        }
    }

    /// Returns the text of Manufacturer's Model Name (0008,1090).
    pub fn model_name(self) -> &'static str {
        match self {
            Self::Halden => "Vigil 9",
            Self::Norrvik => "Epoque 7",
        }
    }

    /// Returns the blueness of the grays, 0 to 1.
    pub fn tint(self) -> f32 {
        match self {
            Self::Halden => 0.0,
            Self::Norrvik => 0.35,
        }
    }

    /// Returns the color of the texts.
    pub fn text_color(self) -> Color {
        match self {
            Self::Halden => [205, 195, 120],
            Self::Norrvik => [235, 235, 235],
        }
    }
}
