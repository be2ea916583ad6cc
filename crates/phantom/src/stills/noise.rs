//! Random fields on the plane.

use crate::lattice_hash::{cell_hash, unit_from_bits};

/// Returns white noise, 0 to 1, of the cell that holds (`x`, `y`).
pub fn white(x: f32, y: f32, seed: u32) -> f32 {
    unit_from_bits(cell_hash(x.floor() as i32, y.floor() as i32, 0, seed))
}

/// Returns noise, 0 to 1, that changes smoothly from one lattice point to the next.
pub fn smooth(x: f32, y: f32, seed: u32) -> f32 {
    let (column, row) = (x.floor(), y.floor());
    let ease = |t: f32| t * t * (3.0 - 2.0 * t);
    let (across, down) = (ease(x - column), ease(y - row));
    let corner = |dx: f32, dy: f32| white(column + dx, row + dy, seed);
    let top = corner(0.0, 0.0) + (corner(1.0, 0.0) - corner(0.0, 0.0)) * across;
    let bottom = corner(0.0, 1.0) + (corner(1.0, 1.0) - corner(0.0, 1.0)) * across;
    top + (bottom - top) * down
}

/// Returns speckle with a mean of about 1: smooth noise with the long tail of an echo's amplitude.
pub fn speckle(x: f32, y: f32, seed: u32) -> f32 {
    let level = 0.6 * smooth(x, y, seed) + 0.4 * smooth(x * 1.9 + 7.3, y * 1.9 + 1.7, seed ^ 0x5bd1);
    1.75 * level * level + 0.45
}
