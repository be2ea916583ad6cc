//! Streams of random numbers that depend on a seed and a purpose only, and hashes for fields in space.

use rand_core::{RngCore, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// One stream of random numbers; the same seed and purpose give the same numbers on every machine.
#[derive(Debug, Clone)]
pub struct Stream(Pcg64Mcg);

impl Stream {
    /// The stream of `seed` for one `purpose`, independent of the streams for other purposes.
    pub fn new(seed: u64, purpose: &str) -> Self {
        let folded = purpose.bytes().fold(mix(seed), |hash, byte| mix(hash ^ u64::from(byte)));
        Self(Pcg64Mcg::seed_from_u64(folded))
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Uniform in `[low, high)`.
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        let unit = (self.bits() >> 11) as f64 / (1_u64 << 53) as f64;
        low + unit * (high - low)
    }

    /// Uniform whole number in `[low, high]`.
    pub fn whole(&mut self, low: u32, high: u32) -> u32 {
        let span = u64::from(high.saturating_sub(low)) + 1;
        low + (self.bits() % span) as u32
    }

    /// Normal with the given mean and standard deviation, cut off at 3.5 deviations by its construction (12 uniforms).
    pub fn normal(&mut self, mean: f64, deviation: f64) -> f64 {
        let sum: f64 = (0..12).map(|_| self.uniform(0.0, 1.0)).sum();
        mean + deviation * (sum - 6.0).clamp(-3.5, 3.5)
    }

    /// True with the given probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.uniform(0.0, 1.0) < probability
    }

    /// One of `choices`, which must not be empty.
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[(self.bits() % choices.len() as u64) as usize]
    }
}

/// A well mixed 64-bit hash (the finalizer of SplitMix64, Steele et al. 2014).
pub fn mix(value: u64) -> u64 {
    let mut hash = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    hash ^ (hash >> 31)
}

/// A hash of one cell of a lattice in space.
pub fn cell_hash(x: i32, y: i32, z: i32, seed: u32) -> u32 {
    let mut hash = (x as u32).wrapping_mul(0x8DA6_B343)
        ^ (y as u32).wrapping_mul(0xD816_3841)
        ^ (z as u32).wrapping_mul(0xCB1A_B31F)
        ^ seed.wrapping_mul(0x9E37_79B9);
    hash = (hash ^ (hash >> 15)).wrapping_mul(0x2C1B_3C6D);
    hash = (hash ^ (hash >> 12)).wrapping_mul(0x297A_2D39);
    hash ^ (hash >> 15)
}

/// About standard normal from 32 hashed bits (the sum of four bytes).
pub fn normal_from_bits(bits: u32) -> f32 {
    let sum = (bits & 0xFF) + ((bits >> 8) & 0xFF) + ((bits >> 16) & 0xFF) + (bits >> 24);
    (sum as f32 - 510.0) / 147.8
}

/// Uniform in `[0, 1)` from 32 hashed bits.
pub fn unit_from_bits(bits: u32) -> f32 {
    (bits >> 8) as f32 / 16_777_216.0
}
