//! From gray levels to what an encoder takes.

use zoo::Normalize;

/// Appends a frame as three planes of `(value / 255 - mean) / std`.
///
/// `frame` is `[planes, size, size]` with values 0 to 255; of one plane, gray, all three are made.
pub fn append_normalized<P: Copy + Into<f32>>(values: &mut Vec<f32>, frame: &[P], size: usize, normalize: Normalize) {
    let planes = frame.chunks_exact(size * size).cycle();
    for ((plane, mean), std) in planes.zip(normalize.mean).zip(normalize.std) {
        values.extend(plane.iter().map(|&value| (value.into() / 255.0 - mean) / std));
    }
}
