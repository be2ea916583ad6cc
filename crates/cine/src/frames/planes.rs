//! Planes or pixels: the order of samples that a frame has, where it contradicts Planar Configuration.

use crate::header::{ImageFormat, Photometric};

/// Pixels that are looked at, spread over the frame.
const MAX_PIXELS: usize = 4096;
/// Fewer that are not black prove nothing.
const MIN_PIXELS: usize = 64;
/// Difference between samples of gray, which lossy exports make.
const TOLERANCE: u8 = 3;

/// Distance in samples by which planes are shifted for a control; of three, so that it meets the same color of pixels.
const SHIFT: usize = 9;

/// Returns true if an uncompressed RGB frame is surely in the other order than the header says.
///
/// Most of an ultrasound screen is gray, so in the right order the three samples of nearly every pixel are equal, and in the
/// wrong one those of few pixels are. A screen full of color is gray in neither; one without texture is gray in any order, also
/// in one that is shifted a little; both stay as they are.
pub(super) fn contradicts_header(stored: &[u8], format: &ImageFormat) -> bool {
    if format.photometric != Photometric::Rgb || format.samples_per_pixel != 3 || format.bytes_per_sample() != 1 {
        return false;
    }
    let plane = stored.len() / 3;
    let interleaved = |pixel: usize| [3 * pixel, 3 * pixel + 1, 3 * pixel + 2];
    let interleaved_shifted = |pixel: usize| interleaved(pixel).map(|at| at + 1);
    let planar = |pixel: usize| [pixel, plane + pixel, 2 * plane + pixel];
    let planar_shifted = |pixel: usize| [pixel, plane + pixel + SHIFT, 2 * plane + pixel + 2 * SHIFT];
    let (stated, other, shifted): (&Order<'_>, &Order<'_>, &Order<'_>) = match format.is_planar {
        true => (&planar, &interleaved, &interleaved_shifted),
        false => (&interleaved, &planar, &planar_shifted),
    };
    // An odd step, so that the pixels looked at do not stand in columns; the last ones have no shifted reading.
    let pixels = (0..plane.saturating_sub(2 * SHIFT)).step_by((plane / MAX_PIXELS) | 1);
    let samples = |order: &Order<'_>, pixel: usize| order(pixel).map(|at| stored[at]);
    let is_lit = |samples: [u8; 3]| samples.into_iter().any(|sample| sample > TOLERANCE);
    let lit: Vec<usize> =
        pixels.filter(|pixel| is_lit(samples(stated, *pixel)) && is_lit(samples(other, *pixel))).collect();
    let gray = |order: &Order<'_>| lit.iter().filter(|pixel| is_gray(samples(order, **pixel))).count();
    lit.len() >= MIN_PIXELS
        && gray(stated) * 2 < lit.len()
        && gray(other) * 20 > lit.len() * 19
        && gray(shifted) * 10 < lit.len() * 9
}

/// Positions of the three samples of a pixel.
type Order<'a> = dyn Fn(usize) -> [usize; 3] + 'a;

fn is_gray([first, second, third]: [u8; 3]) -> bool {
    first.abs_diff(second) <= TOLERANCE && second.abs_diff(third) <= TOLERANCE
}
