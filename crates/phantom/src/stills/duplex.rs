//! Places of picture and strip on the screen.

use domain::PixelRect;
use random::Stream;

/// Arrangement of picture and strip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrangement {
    /// Only a picture.
    PictureAlone,
    /// Only a strip.
    StripAlone,
    /// The picture above the strip.
    StripBelowPicture,
    /// The picture at the left, the strip at the right.
    StripBesidePicture,
    /// Two pictures.
    PicturesSideBySide,
}

/// Places in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Places {
    /// The box around the picture.
    pub picture: Option<PixelRect>,
    /// A second picture beside it.
    pub second_picture: Option<PixelRect>,
    /// The strip.
    pub strip: Option<PixelRect>,
}

impl Arrangement {
    /// Draws the places on a screen of `size`.
    pub fn places(self, size: (u32, u32), random: &mut Stream) -> Places {
        let (width, height) = (size.0 as f32, size.1 as f32);
        let mut share = |low: f32, high: f32| random.uniform_f32(low, high);
        let rect = |x0: f32, y0: f32, x1: f32, y1: f32| {
            let pixel = |share: f32, size: f32| (share * size).clamp(0.0, size - 1.0) as u32;
            PixelRect { x0: pixel(x0, width), y0: pixel(y0, height), x1: pixel(x1, width), y1: pixel(y1, height) }
        };
        match self {
            Self::PictureAlone => {
                let picture = rect(share(0.0, 0.2), share(0.02, 0.25), share(0.75, 1.0), share(0.5, 0.98));
                Places { picture: Some(picture), second_picture: None, strip: None }
            }
            Self::StripAlone => {
                let strip = rect(share(0.0, 0.1), share(0.0, 0.25), share(0.85, 1.0), share(0.75, 1.0));
                Places { picture: None, second_picture: None, strip: Some(strip) }
            }
            Self::StripBelowPicture => {
                let border = share(0.25, 0.6);
                let gap = share(0.01, 0.06);
                let half = share(0.1, 0.3);
                let middle = share(0.35, 0.65);
                let strip = rect(share(0.0, 0.1), border + gap, share(0.85, 1.0), share(0.88, 1.0));
                let picture = rect(middle - half, share(0.01, 0.08), middle + half, border);
                Places { picture: Some(picture), second_picture: None, strip: Some(strip) }
            }
            Self::StripBesidePicture => {
                let border = share(0.25, 0.42);
                let strip = rect(border + share(0.01, 0.04), share(0.05, 0.3), share(0.92, 1.0), share(0.7, 0.97));
                let picture = rect(share(0.0, 0.03), share(0.05, 0.3), border, share(0.6, 0.9));
                Places { picture: Some(picture), second_picture: None, strip: Some(strip) }
            }
            Self::PicturesSideBySide => {
                let (top, bottom, gap) = (share(0.02, 0.3), share(0.6, 0.98), share(0.0, 0.03));
                let border = share(0.45, 0.55);
                let picture = rect(share(0.0, 0.08), top, border - gap, bottom);
                let second = rect(border + gap, top, share(0.9, 1.0), bottom);
                Places { picture: Some(picture), second_picture: Some(second), strip: None }
            }
        }
    }
}
