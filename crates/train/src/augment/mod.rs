//! Changes that make one clip many: each consistent within the clip, each by a name in the recipe.
//!
//! Order: time, geometry, tissue (attenuation, gamma, contrast, brightness, noise), then what lies over the image.
//! Draws depend on the seed and the place of the clip in its batch alone.

mod geometry;
mod overlay;
mod synthetic_outlier;
mod time;
mod tissue;

use serde::{Deserialize, Serialize};
pub(crate) use synthetic_outlier::synthetic_outlier;

use crate::Clip;
use crate::clip::Draft;
use random::Stream;

/// Augmentation of clips in training; everything is off by default.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Augmentation {
    /// Rotation by up to so many degrees either way.
    pub rotate_degrees: f32,
    /// Shift by up to this share of the side, across and down.
    pub shift: f32,
    /// Zoom in or out by up to this share.
    pub zoom: f32,
    /// Stretching of the width against the height by up to this share.
    pub stretch: f32,
    /// Probability of a mirror image, left for right; some labs show hearts that way.
    pub flip: f32,
    /// Added to tissue, up to this share of the whole range either way.
    pub brightness: f32,
    /// Tissue is multiplied by up to 1 plus this, or divided by it.
    pub contrast: f32,
    /// The exponent is up to 1 plus this, or one over it.
    pub gamma: f32,
    /// Deviation of multiplied noise, up to this share.
    pub speckle: f32,
    /// Deviation of added noise, up to this share of the whole range.
    pub gaussian_noise: f32,
    /// Strength of the fall or rise of brightness with depth: up to exp of plus or minus this at the bottom.
    pub depth_attenuation: f32,
    /// Deviation of a smoothing over neighbors in pixels, up to this.
    pub blur: f32,
    /// Probability that the sector is made narrower or shallower.
    pub sector_edge: f32,
    /// Probability that a few small boxes are laid over the image, black or full of marks.
    pub text: f32,
    /// Probability that what is black in every frame gets a background.
    pub background: f32,
    /// Probability that the frames begin at another one of the clip.
    pub temporal_roll: f32,
    /// Probability, for each frame, that it is replaced by the one before.
    pub frame_drop: f32,
}

impl Augmentation {
    /// `clip` changed as `place` (a step and a position, for instance) draws from `seed`.
    pub fn apply(&self, clip: &Clip, seed: u64, place: &[u64]) -> Clip {
        let mut draft = Draft::of(clip);
        let mut draws = Stream::at_place(seed, "augment", place);
        let draws = &mut draws;
        time::roll(&mut draft, self.temporal_roll, draws);
        time::drop_frames(&mut draft, self.frame_drop, draws);
        let outside = overlay::outside(&draft);
        let way = geometry::Way::draw(self, draws);
        way.apply(&mut draft);
        tissue::attenuate(&mut draft, self.depth_attenuation, draws);
        tissue::curve(&mut draft, (self.gamma, self.contrast, self.brightness), draws);
        tissue::blur(&mut draft, self.blur, draws);
        tissue::noise(&mut draft, (self.speckle, self.gaussian_noise), draws);
        overlay::narrow_sector(&mut draft, self.sector_edge, draws);
        overlay::background(&mut draft, &outside, self.background, draws);
        overlay::boxes(&mut draft, self.text, draws);
        let pixels = draft.values_mut().map(|value| value.round().clamp(0.0, 255.0) as u8).collect();
        Clip { pixels, ..*clip }
    }
}

/// Between 1 / (1 + `most`) and 1 + `most`, as often above as below 1.
fn factor(most: f32, draws: &mut Stream) -> f32 {
    (draws.uniform_f32(-1.0, 1.0) * (1.0 + most).ln()).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clip() -> Clip {
        let pixels = (0..3 * 32 * 32).map(|at: usize| ((at * 7919) % 251) as u8).collect();
        Clip { frames: 3, planes: 1, size: 32, pixels }
    }

    fn everything() -> Augmentation {
        Augmentation {
            rotate_degrees: 15.0,
            shift: 0.1,
            zoom: 0.2,
            stretch: 0.1,
            flip: 0.5,
            brightness: 0.2,
            contrast: 0.3,
            gamma: 0.4,
            speckle: 0.2,
            gaussian_noise: 0.05,
            depth_attenuation: 0.5,
            blur: 1.0,
            sector_edge: 1.0,
            text: 1.0,
            background: 1.0,
            temporal_roll: 1.0,
            frame_drop: 0.3,
        }
    }

    #[test]
    fn nothing_is_the_default_and_the_same_place_draws_the_same() {
        assert_eq!(Augmentation::default().apply(&clip(), 1, &[1]), clip());
        let changed = everything().apply(&clip(), 1, &[4, 2]);
        assert_ne!(changed, clip());
        assert_eq!(changed, everything().apply(&clip(), 1, &[4, 2]));
        assert_ne!(changed, everything().apply(&clip(), 1, &[4, 3]));
    }

    #[test]
    fn equal_frames_stay_equal_but_for_noise() {
        let still = Clip { pixels: clip().pixels[..1024].repeat(3), ..clip() };
        let without_noise = Augmentation { speckle: 0.0, gaussian_noise: 0.0, ..everything() };
        let changed = without_noise.apply(&still, 3, &[1]);
        assert_eq!(changed.pixels[..1024], changed.pixels[1024..2048]);
        assert_eq!(changed.pixels[..1024], changed.pixels[2048..]);
    }
}
