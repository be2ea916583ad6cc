//! The looks, and a screen of each.

use domain::{Mode, PixelRect, RgbImage};
use random::Stream;
use serde::Serialize;

use super::duplex::Arrangement;
use super::labels::draw_labels;
use super::m_mode::MModeStrip;
use super::picture::{Picture, Scan};
use super::spectrum::SpectrumStrip;
use super::tone::Tone;
use crate::screen::Canvas;

/// Arrangement of a simulated screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StillLook {
    /// A spectrum below a small fan.
    SpectrumBelowFan,
    /// A spectrum that fills the screen.
    SpectrumAlone,
    /// A spectrum beside the picture.
    SpectrumBesidePicture,
    /// A spectrum below a picture of a linear array with color, as vessels are examined.
    SpectrumBelowLinear,
    /// A spectrum of tissue velocities.
    TissueSpectrum,
    /// An M-mode below a small fan.
    MModeBelowFan,
    /// An M-mode that fills the screen.
    MModeAlone,
    /// An M-mode beside the picture.
    MModeBesidePicture,
    /// An M-mode with colored flow.
    ColorMMode,
    /// A fan of gray tissue.
    GrayFan,
    /// A fan with a color box.
    ColorFan,
    /// A rectangle of a linear array.
    GrayLinear,
    /// A rectangle of a linear array with a color box.
    ColorLinear,
    /// A fan of a curved array.
    GrayCurved,
    /// A probe in air: echoes between its face and itself, then noise.
    Air,
    /// Two pictures side by side.
    TwoPictures,
    /// Two pictures side by side, with color boxes.
    TwoColorPictures,
}

impl StillLook {
    /// All looks.
    pub const ALL: [Self; 17] = [
        Self::SpectrumBelowFan,
        Self::SpectrumAlone,
        Self::SpectrumBesidePicture,
        Self::SpectrumBelowLinear,
        Self::TissueSpectrum,
        Self::MModeBelowFan,
        Self::MModeAlone,
        Self::MModeBesidePicture,
        Self::ColorMMode,
        Self::GrayFan,
        Self::ColorFan,
        Self::GrayLinear,
        Self::ColorLinear,
        Self::GrayCurved,
        Self::Air,
        Self::TwoPictures,
        Self::TwoColorPictures,
    ];

    /// Returns the mode of the screen.
    pub fn mode(self) -> Mode {
        match self {
            Self::SpectrumBelowFan | Self::SpectrumAlone | Self::SpectrumBesidePicture | Self::SpectrumBelowLinear => {
                Mode::Pw
            }
            Self::TissueSpectrum => Mode::TissueDoppler,
            Self::MModeBelowFan | Self::MModeAlone | Self::MModeBesidePicture | Self::ColorMMode => Mode::MMode,
            Self::ColorFan | Self::ColorLinear | Self::TwoColorPictures => Mode::Color,
            Self::GrayFan | Self::GrayLinear | Self::GrayCurved | Self::Air | Self::TwoPictures => Mode::TwoD,
        }
    }

    fn arrangement(self, random: &mut Stream) -> Arrangement {
        match self {
            Self::SpectrumAlone | Self::MModeAlone => Arrangement::StripAlone,
            Self::SpectrumBesidePicture | Self::MModeBesidePicture => Arrangement::StripBesidePicture,
            Self::TissueSpectrum | Self::ColorMMode => {
                random.pick(&[Arrangement::StripBelowPicture, Arrangement::StripAlone])
            }
            Self::SpectrumBelowFan | Self::SpectrumBelowLinear | Self::MModeBelowFan => Arrangement::StripBelowPicture,
            Self::TwoPictures | Self::TwoColorPictures => Arrangement::PicturesSideBySide,
            _ => Arrangement::PictureAlone,
        }
    }

    fn scan(self, random: &mut Stream) -> Scan {
        match self {
            Self::GrayLinear | Self::ColorLinear | Self::SpectrumBelowLinear => Scan::Linear,
            Self::GrayCurved => Scan::Curved,
            Self::SpectrumBesidePicture | Self::Air | Self::TwoPictures | Self::TwoColorPictures => {
                random.pick(&[Scan::Sector, Scan::Linear, Scan::Curved])
            }
            _ => Scan::Sector,
        }
    }

    fn picture_has_color(self, random: &mut Stream) -> bool {
        match self.mode() {
            Mode::Color => true,
            Mode::TwoD => false,
            _ => random.coin(),
        }
    }
}

/// Sizes of captured screens, in columns and rows.
const SIZES: [(u32, u32); 7] = [(640, 480), (800, 600), (1024, 768), (636, 434), (1016, 708), (1280, 720), (480, 360)];

/// A simulated screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimulatedStill {
    /// The screen.
    pub image: RgbImage,
    /// The strip of velocities or depths over time, where there is one.
    pub strip: Option<PixelRect>,
}

/// Draws the screen that `look` and `seed` determine.
pub fn simulated_still(look: StillLook, seed: u64) -> SimulatedStill {
    let mut random = Stream::at_place(seed, "still", &[look as u64]);
    let size = random.pick(&SIZES);
    let tone = Tone::random(&mut random);
    let places = look.arrangement(&mut random).places(size, &mut random);
    let mut canvas = Canvas::from(RgbImage::black(size.0, size.1));
    let page = tone.page(&mut random);
    canvas.fill(PixelRect { x0: 0, y0: 0, x1: size.0 - 1, y1: size.1 - 1 }, page);
    let scan = look.scan(&mut random);
    for rect in places.picture.into_iter().chain(places.second_picture) {
        let has_color = look.picture_has_color(&mut random);
        let picture = Picture::random(scan, has_color, &mut random);
        let picture = if look == StillLook::Air { picture.in_air(&mut random) } else { picture };
        picture.draw(&mut canvas, rect, &tone);
    }
    if let Some(rect) = places.strip {
        match look.mode() {
            Mode::MMode => {
                MModeStrip::random(look == StillLook::ColorMMode, &mut random).draw(&mut canvas, rect, &tone);
            }
            mode => SpectrumStrip::random(mode == Mode::TissueDoppler, &mut random).draw(&mut canvas, rect, &tone),
        }
    }
    draw_labels(&mut canvas, &places, page, &mut random);
    SimulatedStill { image: canvas.into_image(), strip: places.strip }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_screen_and_another_seed_another() {
        for look in StillLook::ALL {
            let first = simulated_still(look, 5);
            assert_eq!(first, simulated_still(look, 5), "{look:?}");
            assert_ne!(first, simulated_still(look, 6), "{look:?}");
        }
    }
}
