//! Strip, color flow or gray, where only the pixels can tell.

use crate::strip::{StripKind, strip_kind};
use domain::{Mode, PixelRect, RgbImage};

/// A pixel whose channels differ by more than this is colored.
const COLORED_LEVELS: u8 = 60;
/// The share of colored pixels inside the image that makes it color flow; an ECG trace or a marker stays below.
const COLORED_SHARE: f64 = 0.01;
/// Share of colored pixels above which it is no ultrasound image: a fan fills less of its rectangle, and flow less of
/// the fan.
const MAX_COLORED_SHARE: f64 = 0.8;
/// A pixel is bright enough to show the tint of a gray map from this level of its largest channel.
const BRIGHT_LEVEL: u8 = 96;
/// The share of bright pixels that a tint colors; beside color flow most tissue stays gray.
const TINTED_SHARE: f64 = 0.9;
/// A bright pixel whose channels differ by more than this share of the largest has a hue.
const TINT_SHARE: f64 = 0.1;
/// Hues are distinguished in steps of so many degrees; a tint stays within its step and the next ones.
const HUE_STEP_DEG: f64 = 15.0;
const HUES: usize = 24;

/// Determines the mode from the pixels of some frames: that of the strip that all of them show, where there `may_be` one, else
/// that of the picture in the first.
pub(crate) fn mode_from_frames(
    frames: &[RgbImage],
    sector: Option<PixelRect>,
    may_be_strip: bool,
) -> Option<(Mode, String)> {
    let (first, others) = frames.split_first()?;
    let kind = may_be_strip.then(|| strip_kind(first)).flatten();
    let kind = kind.filter(|kind| others.iter().all(|frame| strip_kind(frame) == Some(*kind)));
    Some(match kind {
        Some(StripKind::Spectrum) => {
            // Pulsed and continuous waves look alike; no view is told from either.
            (Mode::Pw, "the pixels show a spectrum over time; its kind is not told by them".into())
        }
        Some(StripKind::MMode) => (Mode::MMode, "the pixels show an M-mode".into()),
        None => mode_from_pixels(first, sector),
    })
}

/// Determines the mode of a picture: color flow where enough of the image is colored otherwise than all of it, else 2-D;
/// nothing known without a sector or where nearly all of it is colored.
fn mode_from_pixels(frame: &RgbImage, sector: Option<PixelRect>) -> (Mode, String) {
    let Some(sector) = sector else {
        return (Mode::Other, "no header gives it and no ultrasound image was found in the pixels".into());
    };
    let colors = Colors::inside(frame, &sector);
    let tint = colors.tint();
    let share = colors.share_beside(tint);
    let percent = share * 100.0;
    let what = if tint.is_some() { "colored otherwise than its tinted gray map" } else { "colored" };
    if share > MAX_COLORED_SHARE {
        (Mode::Other, format!("{percent:.1} % of the image is {what}, too much for an ultrasound image"))
    } else if share >= COLORED_SHARE {
        (Mode::Color, format!("{percent:.1} % of the image is {what}"))
    } else {
        (Mode::TwoD, format!("{percent:.1} % of the image is {what}, too little for color flow"))
    }
}

/// Histogram of hues.
#[derive(Default)]
struct Colors {
    all: u64,
    bright: u64,
    /// Bright pixels of each hue, also of faint ones.
    bright_of_hue: [u64; HUES],
    /// Colored pixels of each hue.
    colored_of_hue: [u64; HUES],
}

impl Colors {
    /// Returns those inside the box, without its margins, where scales, traces and labels are drawn.
    fn inside(frame: &RgbImage, sector: &PixelRect) -> Self {
        let (margin_x, margin_y) = (sector.width() / 10, sector.height() / 10);
        let mut colors = Self::default();
        for y in sector.y0 + margin_y..=sector.y1.saturating_sub(margin_y) {
            let start = (y as usize * frame.width() as usize + (sector.x0 + margin_x) as usize) * 3;
            let pixels = sector.width().saturating_sub(2 * margin_x) as usize;
            let (row, _) = frame.pixels().get(start..start + pixels * 3).unwrap_or_default().as_chunks::<3>();
            row.iter().for_each(|pixel| colors.add(*pixel));
        }
        colors
    }

    fn add(&mut self, [red, green, blue]: [u8; 3]) {
        let most = red.max(green).max(blue);
        let spread = most - red.min(green).min(blue);
        self.all += 1;
        let is_bright = most >= BRIGHT_LEVEL;
        self.bright += u64::from(is_bright);
        if spread > COLORED_LEVELS {
            self.colored_of_hue[hue([red, green, blue])] += 1;
        }
        if is_bright && f64::from(spread) > TINT_SHARE * f64::from(most) {
            self.bright_of_hue[hue([red, green, blue])] += 1;
        }
    }

    /// Returns the hue of the gray map, if it has one.
    fn tint(&self) -> Option<usize> {
        let around = |hue: usize| -> u64 {
            (0..HUES).filter(|&other| is_near(hue, other)).map(|other| self.bright_of_hue[other]).sum()
        };
        let (hue, count) = (0..HUES).map(|hue| (hue, around(hue))).max_by_key(|(_, count)| *count)?;
        (self.bright > 0 && count as f64 >= TINTED_SHARE * self.bright as f64).then_some(hue)
    }

    /// Returns the share of pixels that are colored, not counting those of the gray map's own hue.
    fn share_beside(&self, tint: Option<usize>) -> f64 {
        let counts = self.colored_of_hue.iter().enumerate();
        let colored: u64 =
            counts.filter(|(hue, _)| tint.is_none_or(|tint| !is_near(tint, *hue))).map(|(_, count)| count).sum();
        if self.all == 0 { 0.0 } else { colored as f64 / self.all as f64 }
    }
}

/// Returns whether two hues are the same or neighbors on their circle.
fn is_near(a: usize, b: usize) -> bool {
    let apart = a.abs_diff(b);
    apart.min(HUES - apart) <= 1
}

/// Returns the hue of a pixel that has one, in steps from red over green and blue back to red.
fn hue([red, green, blue]: [u8; 3]) -> usize {
    let [red, green, blue] = [red, green, blue].map(f64::from);
    let (most, least) = (red.max(green).max(blue), red.min(green).min(blue));
    let sixth = if most == red {
        (green - blue) / (most - least)
    } else if most == green {
        (blue - red) / (most - least) + 2.0
    } else {
        (red - green) / (most - least) + 4.0
    };
    ((sixth * 60.0).rem_euclid(360.0) / HUE_STEP_DEG) as usize % HUES
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: u32 = 100;

    /// Speckle of all levels through a gray map, with a box of flow of the given colors over a tenth of it.
    fn screen(map: impl Fn(u8) -> [u8; 3], flow: Option<fn(u8) -> [u8; 3]>) -> RgbImage {
        let mut pixels = Vec::new();
        for y in 0..SIDE {
            for x in 0..SIDE {
                let level = ((x * 7919 + y * 104_729).wrapping_mul(2_654_435_761) >> 24) as u8;
                let in_box = (40..72).contains(&x) && (40..72).contains(&y);
                pixels.extend(match flow.filter(|_| in_box) {
                    Some(flow) => flow(level),
                    None => map(level),
                });
            }
        }
        RgbImage::new(SIDE, SIDE, pixels).expect("a square")
    }

    fn mode(frame: &RgbImage) -> Mode {
        mode_from_pixels(frame, Some(PixelRect { x0: 0, y0: 0, x1: SIDE - 1, y1: SIDE - 1 })).0
    }

    fn gray(level: u8) -> [u8; 3] {
        [level; 3]
    }

    fn sepia(level: u8) -> [u8; 3] {
        let share = |share: f64| (f64::from(level) * share) as u8;
        [level, share(0.78), share(0.5)]
    }

    fn bluish(level: u8) -> [u8; 3] {
        [(f64::from(level) * 0.6) as u8, (f64::from(level) * 0.75) as u8, level]
    }

    fn towards(level: u8) -> [u8; 3] {
        [120 + level / 2, level / 2, 0]
    }

    fn both_ways(level: u8) -> [u8; 3] {
        if level.is_multiple_of(2) { towards(level) } else { [0, level / 2, 120 + level / 2] }
    }

    #[test]
    fn a_tinted_gray_map_is_no_color_flow() {
        for map in [gray as fn(u8) -> [u8; 3], sepia, bluish] {
            assert_eq!(mode(&screen(map, None)), Mode::TwoD);
        }
    }

    #[test]
    fn flow_is_found_over_gray_and_over_a_tint() {
        assert_eq!(mode(&screen(gray, Some(towards))), Mode::Color);
        assert_eq!(mode(&screen(gray, Some(both_ways))), Mode::Color);
        assert_eq!(mode(&screen(sepia, Some(both_ways))), Mode::Color);
        assert_eq!(mode(&screen(bluish, Some(towards))), Mode::Color);
    }

    #[test]
    fn a_card_of_colors_is_no_ultrasound_image() {
        let rainbow = |level: u8| match level % 3 {
            0 => [255, 60, 0],
            1 => [0, 255, 60],
            _ => [60, 0, 255],
        };
        assert_eq!(mode(&screen(rainbow, None)), Mode::Other);
    }

    #[test]
    fn hues_go_round() {
        assert_eq!([[200, 0, 0], [0, 200, 0], [0, 0, 200]].map(hue), [0, 8, 16]);
        assert!(is_near(0, HUES - 1) && is_near(3, 4) && !is_near(3, 5));
    }
}
