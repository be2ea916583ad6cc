//! Draws that depend on a seed, a purpose and a place, and on nothing that happened before.

use rand_core::{RngCore, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// A stream of random numbers for one purpose at one place.
pub(crate) struct Draws(Pcg64Mcg);

impl Draws {
    /// The stream of `seed` for `purpose` at `place`, for instance a step and a position in its batch.
    pub(crate) fn at(seed: u64, purpose: &str, place: &[u64]) -> Self {
        let words = purpose.bytes().map(u64::from).chain(place.iter().copied());
        Self(Pcg64Mcg::seed_from_u64(words.fold(mix(seed), |hash, word| mix(hash ^ word))))
    }

    /// 64 random bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Uniform in [low, high).
    pub(crate) fn uniform(&mut self, low: f32, high: f32) -> f32 {
        low + (self.0.next_u64() >> 40) as f32 / 16_777_216.0 * (high - low)
    }

    /// A whole number below `count`, which must not be 0.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        (self.0.next_u64() % count as u64) as usize
    }

    /// True with this probability.
    pub(crate) fn chance(&mut self, probability: f32) -> bool {
        self.uniform(0.0, 1.0) < probability
    }

    /// About standard normal: the sum of the eight bytes of a word, brought to mean 0 and deviation 1.
    pub(crate) fn normal(&mut self) -> f32 {
        let sum: u32 = self.0.next_u64().to_le_bytes().into_iter().map(u32::from).sum();
        (sum as f32 - 8.0 * 127.5) / (8.0f32 * (65_536.0 - 1.0) / 12.0).sqrt()
    }

    /// Shuffles by Fisher and Yates.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

/// The finalizer of SplitMix64 (Steele et al. 2014).
fn mix(value: u64) -> u64 {
    let mut hash = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_gives_the_same_draws_and_another_place_others() {
        let draw = |place: u64| Draws::at(1, "test", &[place]).bits();
        assert_eq!(draw(5), draw(5));
        assert_ne!(draw(5), draw(6));
        assert_ne!(draw(5), Draws::at(1, "other", &[5]).bits());
    }

    #[test]
    fn normal_draws_have_mean_0_and_deviation_1() {
        let mut draws = Draws::at(2, "normal", &[]);
        let values: Vec<f32> = (0..20_000).map(|_| draws.normal()).collect();
        let mean = values.iter().sum::<f32>() / values.len() as f32;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / values.len() as f32;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
    }
}
