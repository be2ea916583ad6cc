//! Hashes for random fields in space.

/// Returns a hash of one cell of a lattice in space.
pub fn cell_hash(x: i32, y: i32, z: i32, seed: u32) -> u32 {
    let mut hash = (x as u32).wrapping_mul(0x8DA6_B343)
        ^ (y as u32).wrapping_mul(0xD816_3841)
        ^ (z as u32).wrapping_mul(0xCB1A_B31F)
        ^ seed.wrapping_mul(0x9E37_79B9);
    hash = (hash ^ (hash >> 15)).wrapping_mul(0x2C1B_3C6D);
    hash = (hash ^ (hash >> 12)).wrapping_mul(0x297A_2D39);
    hash ^ (hash >> 15)
}

/// Returns an about standard normal number from 32 hashed bits (the sum of four bytes).
pub fn normal_from_bits(bits: u32) -> f32 {
    let sum = (bits & 0xFF) + ((bits >> 8) & 0xFF) + ((bits >> 16) & 0xFF) + (bits >> 24);
    (sum as f32 - 510.0) / 147.8
}

/// Returns a number in `[0, 1)` from 32 hashed bits.
pub fn unit_from_bits(bits: u32) -> f32 {
    (bits >> 8) as f32 / 16_777_216.0
}
