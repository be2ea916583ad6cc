//! Bilinear interpolation between the two nearest pixels each way, however much the image shrinks.

use crate::pixels::ImageView;

/// Returns the position of a target pixel's center on the source line, counted from the center of the first source pixel.
///
/// The arguments are the target pixel and the lengths of source and target. The frameworks round this in different ways,
/// which on a line of 1000 pixels makes thousandths of a gray level.
pub(super) type Position = fn(usize, usize, usize) -> f32;

/// As TensorFlow rounds it: after the product and after the difference.
pub(super) fn tensorflow_position(pixel: usize, source: usize, target: usize) -> f32 {
    (pixel as f32 + 0.5) * (source as f32 / target as f32) - 0.5
}

/// As torch rounds it, whose product and difference are one fused operation.
pub(super) fn torch_position(pixel: usize, source: usize, target: usize) -> f32 {
    (pixel as f32 + 0.5).mul_add(source as f32 / target as f32, -0.5)
}

/// Between which pixels of its line a target pixel lies, and how near to the second.
struct Between {
    first: usize,
    second: usize,
    share: f32,
}

/// Resizes to [height, width] in floating point, without rounding.
pub(super) fn two_nearest(
    view: &ImageView<'_>,
    channel: impl Fn(&[u8; 3]) -> u8,
    (height, width): (usize, usize),
    position: Position,
) -> Vec<f32> {
    let columns = line(view.width, width, position);
    let mut targets = Vec::with_capacity(width * height);
    for Between { first, second, share } in line(view.height, height, position) {
        let (upper, lower) = (view.row(first), view.row(second));
        targets.extend(columns.iter().map(|column| {
            let along = |row: &[[u8; 3]]| {
                let (left, right) = (f32::from(channel(&row[column.first])), f32::from(channel(&row[column.second])));
                left + (right - left) * column.share
            };
            let (above, below) = (along(upper), along(lower));
            above + (below - above) * share
        }));
    }
    targets
}

fn line(source: usize, target: usize, position: Position) -> Vec<Between> {
    (0..target)
        .map(|pixel| {
            let position = position(pixel, source, target);
            let last = source - 1;
            let first = (position.max(0.0) as usize).min(last);
            Between { first, second: (first + 1).min(last), share: (position - first as f32).clamp(0.0, 1.0) }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_pixels_are_on_the_line() {
        for (source, target) in [(1, 1), (1, 4), (5, 3), (16, 9), (600, 288), (9, 1), (3, 1000), (1920, 224)] {
            for position in [tensorflow_position, torch_position] {
                for Between { first, second, share } in line(source, target, position) {
                    assert!(first <= second && second < source, "{source} {target}");
                    assert!((0.0..=1.0).contains(&share), "{source} {target}");
                }
            }
        }
    }
}
