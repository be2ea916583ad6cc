//! The way in which the picture is turned: apex down, or left and right exchanged.
//!
//! A fan shows where the probe stands. Left and right of a heart look alike enough that only the scanner's orientation marker,
//! a small colored sign beside the apex, tells them: at the right as most laboratories show the heart, at the left as others do.

use std::collections::HashSet;

use domain::{PixelRect, RgbView};

use super::cells::{CELL_PIXELS, Part};
use super::footprint::{End, share_of_width};

/// The far end of a fan that stands on its apex is as narrow as the near end of others at most.
const MAX_APEX_SHARE: f64 = 0.35;
/// A fan that stands on its apex starts as wide as this at least.
const MIN_ARC_SHARE: f64 = 0.55;
/// A pixel whose channels differ by more than this is colored.
const COLORED_LEVELS: u8 = 35;
/// The marker's place: above the fan's beginning and below it, as shares of the screen's height.
const ABOVE: f64 = 0.1;
const BELOW: f64 = 0.12;
/// The marker's greatest distance from the apex as a share of the picture's width.
const BESIDE: f64 = 0.25;
/// The marker's size as shares of the screen's height.
const SIZES: std::ops::RangeInclusive<f64> = 0.012..=0.06;
/// Ratio of the marker's sides.
const ASPECTS: std::ops::RangeInclusive<f64> = 0.6..=1.6;
/// Share of the box around the marker that is colored.
const MIN_FILL: f64 = 0.35;
/// A marker closer to the apex than this share of the screen's width stands at neither side.
const MIN_DISTANCE: f64 = 0.01;

/// The way in which a picture is turned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PictureOrientation {
    /// The apex of the fan is at the bottom.
    pub is_upside_down: bool,
    /// The orientation marker is at the left of the apex.
    pub is_mirrored: bool,
}

/// Returns how the part of the screen that shows the image is turned; nothing is turned where the frame does not tell.
pub(super) fn orientation(part: &Part, frame: &RgbView<'_>) -> PictureOrientation {
    let (near, far) = (share_of_width(part, End::Top), share_of_width(part, End::Bottom));
    let is_upside_down = near >= MIN_ARC_SHARE && far <= MAX_APEX_SHARE;
    // Where the apex is at the bottom, the marker may be at either end.
    let is_fan = near < MIN_ARC_SHARE;
    let offset = if is_fan { marker_offset(part, frame) } else { None };
    let least = MIN_DISTANCE * f64::from(frame.width());
    PictureOrientation { is_upside_down, is_mirrored: offset.is_some_and(|offset| offset < -least) }
}

/// Returns the columns from the apex to the only colored sign beside it; `None` where there is none or are several.
fn marker_offset(part: &Part, frame: &RgbView<'_>) -> Option<f64> {
    let (width, height) = (f64::from(frame.width()), f64::from(frame.height()));
    let around = part.corners();
    let apex = apex_column(part)?;
    let reach = BESIDE * f64::from(around.width());
    let area = PixelRect {
        x0: (apex - reach).max(0.0) as u32,
        x1: (apex + reach).min(width - 1.0) as u32,
        y0: (f64::from(around.y0) - ABOVE * height).max(0.0) as u32,
        y1: (f64::from(around.y0) + BELOW * height).min(height - 1.0) as u32,
    };
    let is_image: HashSet<(usize, usize)> = part.cells.iter().copied().collect();
    let mut waiting: HashSet<(u32, u32)> = HashSet::new();
    for y in area.y0..=area.y1 {
        for x in area.x0..=area.x1 {
            let cell = (x as usize / CELL_PIXELS, y as usize / CELL_PIXELS);
            if is_colored(frame, x, y) && !is_image.contains(&cell) {
                waiting.insert((x, y));
            }
        }
    }
    let mut signs = Vec::new();
    // In the order of the screen, so that the answer does not depend on that of the set.
    let mut starts: Vec<(u32, u32)> = waiting.iter().copied().collect();
    starts.sort_unstable();
    for start in starts {
        let (sign, pixels) = take_sign(&mut waiting, start);
        let (sign_width, sign_height) = (f64::from(sign.width()), f64::from(sign.height()));
        let has_size = SIZES.contains(&(sign_width / height)) && SIZES.contains(&(sign_height / height));
        let is_compact = f64::from(pixels) >= MIN_FILL * sign.area() as f64;
        if has_size && is_compact && ASPECTS.contains(&(sign_width / sign_height)) {
            signs.push(f64::from(sign.x0 + sign.x1) / 2.0 - apex);
        }
    }
    match signs.as_slice() {
        [offset] => Some(*offset),
        _ => None,
    }
}

fn is_colored(frame: &RgbView<'_>, x: u32, y: u32) -> bool {
    let at = y as usize * frame.width() as usize + x as usize;
    let Some([red, green, blue]) = frame.pixels().get(at) else { return false };
    red.max(green).max(blue) - red.min(green).min(blue) > COLORED_LEVELS
}

/// Takes the pixels that hang together with `start` and returns the box around them and their number.
fn take_sign(waiting: &mut HashSet<(u32, u32)>, start: (u32, u32)) -> (PixelRect, u32) {
    let mut sign = PixelRect { x0: start.0, y0: start.1, x1: start.0, y1: start.1 };
    let (mut open, mut pixels) = (Vec::new(), 0);
    if waiting.remove(&start) {
        open.push(start);
    }
    while let Some((x, y)) = open.pop() {
        pixels += 1;
        sign = PixelRect { x0: sign.x0.min(x), y0: sign.y0.min(y), x1: sign.x1.max(x), y1: sign.y1.max(y) };
        for next_y in y.saturating_sub(1)..=y + 1 {
            for next_x in x.saturating_sub(1)..=x + 1 {
                if waiting.remove(&(next_x, next_y)) {
                    open.push((next_x, next_y));
                }
            }
        }
    }
    (sign, pixels)
}

/// Returns the column of the apex: the middle of the topmost rows.
fn apex_column(part: &Part) -> Option<f64> {
    let (first, last) = part.rows()?;
    let depth = (last - first + 1).div_ceil(8);
    let mut middles: Vec<f64> = (first..first + depth)
        .filter_map(|row| part.span_of_row(row))
        .map(|(left, right)| (left + right + 1) as f64 / 2.0 * CELL_PIXELS as f64)
        .collect();
    middles.sort_by(f64::total_cmp);
    middles.get(middles.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use domain::RgbImage;

    use super::*;
    use crate::sector::picture_orientation;

    const WIDTH: usize = 400;
    const HEIGHT: usize = 300;

    /// Returns a fan of speckle whose apex is in the middle of the top, with a sign so far to the right of it.
    fn fan(sign: Option<i32>) -> RgbImage {
        let mut frame = RgbImage::black(WIDTH as u32, HEIGHT as u32);
        let pixels = frame.pixels_mut();
        for y in 0..HEIGHT {
            for x in 0..WIDTH {
                let (across, down) = (x as f64 - 200.0, y as f64 - 20.0);
                let noise = ((x as u32 * 31 + y as u32 * 17).wrapping_mul(2_654_435_761) >> 24) as u8;
                let at = (y * WIDTH + x) * 3;
                if across.abs() < down * 0.8 && across.hypot(down) < 260.0 {
                    pixels[at..at + 3].fill(30 + noise / 2);
                }
                let from_sign = sign.map_or(99.0, |sign| (across - f64::from(sign)).hypot(down - 2.0));
                if from_sign < 6.0 {
                    pixels[at..at + 3].copy_from_slice(&[60, 90, 160]);
                }
            }
        }
        frame
    }

    fn upside_down(frame: &RgbImage) -> RgbImage {
        let rows = frame.pixels().chunks(WIDTH * 3).rev();
        RgbImage::new(WIDTH as u32, HEIGHT as u32, rows.flatten().copied().collect()).expect("the same size")
    }

    fn of(frame: &RgbImage) -> PictureOrientation {
        picture_orientation(&[frame.view()], None)
    }

    #[test]
    fn the_marker_tells_left_from_right() {
        assert!(!of(&fan(Some(30))).is_mirrored);
        assert!(of(&fan(Some(-30))).is_mirrored);
        assert_eq!(of(&fan(None)), PictureOrientation::default());
    }

    #[test]
    fn a_fan_on_its_apex_is_upside_down() {
        assert!(of(&upside_down(&fan(None))).is_upside_down);
        assert!(!of(&fan(None)).is_upside_down);
    }
}
