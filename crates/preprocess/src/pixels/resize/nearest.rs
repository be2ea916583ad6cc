//! The pixel under the center of each target pixel, as Pillow's NEAREST (which Keras' `load_img` uses).

use crate::pixels::ImageView;

/// Resizes to [height, width] by picking pixels.
pub(super) fn nearest(
    view: &ImageView<'_>,
    channel: impl Fn(&[u8; 3]) -> u8,
    (height, width): (usize, usize),
) -> Vec<u8> {
    let columns = picked(view.width, width);
    let mut targets = Vec::with_capacity(width * height);
    for y in picked(view.height, height) {
        let row = view.row(y);
        targets.extend(columns.iter().map(|&x| channel(&row[x])));
    }
    targets
}

/// The source pixel of every target pixel; the position is summed up step by step because Pillow's is, rounding included.
fn picked(source: usize, target: usize) -> Vec<usize> {
    let step = source as f64 / target as f64;
    let mut position = step * 0.5;
    (0..target)
        .map(|_| {
            let pixel = (position as usize).min(source - 1);
            position += step;
            pixel
        })
        .collect()
}
