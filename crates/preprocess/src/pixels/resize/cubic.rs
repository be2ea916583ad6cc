//! OpenCV's INTER_CUBIC on bytes, to the last bit.

use crate::pixels::ImageView;

/// The weights' fractional bits.
const FRACTION_BITS: u32 = 11;
/// The steepness of the cubic at its zeros.
const STEEPNESS: f32 = -0.75;

/// Four neighboring pixels of a line, of which the first and last may lie outside, and their weights.
struct Quad {
    pixels: [usize; 4],
    weights: [i32; 4],
}

/// The four nearest pixels each way, however much the image shrinks; an image of this size stays as it is.
pub(super) fn cubic(
    view: &ImageView<'_>,
    channel: impl Fn(&[u8; 3]) -> u8,
    (height, width): (usize, usize),
) -> Vec<u8> {
    if (view.height, view.width) == (height, width) {
        return (0..height).flat_map(|y| view.row(y)).map(channel).collect();
    }
    let across = quads(view.width, width);
    let narrowed: Vec<i32> = (0..view.height)
        .flat_map(|y| {
            let row: Vec<i32> = view.row(y).iter().map(|pixel| i32::from(channel(pixel))).collect();
            let sum = |quad: &Quad| quad.pixels.iter().zip(quad.weights).map(|(&at, weight)| row[at] * weight).sum();
            across.iter().map(sum).collect::<Vec<i32>>()
        })
        .collect();
    let row = |y: usize| &narrowed[y * width..(y + 1) * width];
    let part = 1.0 / (1u32 << (2 * FRACTION_BITS)) as f32;
    quads(view.height, height)
        .iter()
        .flat_map(|quad| {
            let rows = quad.pixels.map(row);
            // OpenCV's vector code sums in floating point, from the last row to the first.
            let weights = quad.weights.map(|weight| weight as f32 * part);
            (0..width).map(move |x| {
                let last = rows[3][x] as f32 * weights[3];
                let sum = (0..3).rev().fold(last, |sum, at| rows[at][x] as f32 * weights[at] + sum);
                sum.round_ties_even().clamp(0.0, 255.0) as u8
            })
        })
        .collect()
}

fn quads(source: usize, target: usize) -> Vec<Quad> {
    let scale = 1.0 / (target as f64 / source as f64);
    (0..target)
        .map(|pixel| {
            let position = ((pixel as f64 + 0.5) * scale - 0.5) as f32;
            let first = position.floor() as isize - 1;
            let pixels = [0, 1, 2, 3].map(|at| (first + at).clamp(0, source as isize - 1) as usize);
            let one = (1u32 << FRACTION_BITS) as f32;
            let weights = weights(position - position.floor()).map(|weight| (weight * one).round_ties_even() as i32);
            Quad { pixels, weights }
        })
        .collect()
}

/// The weights of the four pixels around a position that lies `share` behind the second.
fn weights(share: f32) -> [f32; 4] {
    const A: f32 = STEEPNESS;
    let near = |distance: f32| ((A + 2.0) * distance - (A + 3.0)) * distance * distance + 1.0;
    let outer = share + 1.0;
    let first = ((A * outer - 5.0 * A) * outer + 8.0 * A) * outer - 4.0 * A;
    let (second, third) = (near(share), near(1.0 - share));
    [first, second, third, 1.0 - first - second - third]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_sum_to_one_and_pixels_lie_on_the_line() {
        for (source, target) in [(1, 1), (1, 4), (5, 3), (16, 9), (347, 224), (3, 1000)] {
            for quad in quads(source, target) {
                assert!(quad.pixels.iter().all(|at| *at < source), "{source} {target}");
                assert!((quad.weights.iter().sum::<i32>() - (1 << FRACTION_BITS)).abs() <= 2, "{source} {target}");
            }
        }
    }
}
