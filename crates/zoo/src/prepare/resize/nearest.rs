//! The pixel under the centre of each target pixel, as Pillow's NEAREST (which Keras' `load_img` uses).

use super::separable::Rows;
use crate::prepare::image::Cut;

/// Resizes by picking pixels; [height, width] is the target's size.
pub(super) fn nearest<const C: usize>(
    cut: &Cut<'_>,
    channels: impl Fn(&[u8; 3]) -> [u8; C],
    (height, width): (usize, usize),
) -> Rows<u8, C> {
    let columns = picked(cut.width, width);
    let rows = picked(cut.height, height);
    rows.into_iter()
        .flat_map(|y| {
            let row = cut.row(y);
            columns.iter().map(|&x| row.get(x).map_or([0; C], &channels)).collect::<Vec<_>>()
        })
        .collect()
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
