//! Seeded random numbers: the same seed gives the same numbers on every machine.
//!
//! Simulated loops, augmentations and intervals all draw from a [`Stream`]. Files and weights that exist depend on every bit
//! of it, so a distribution is never changed in place: where two crates drew the same distribution in different ways, both
//! ways stand here under their own names. For the same reason `rand_distr` is not used: its algorithms give other bits.

use rand_core::{RngCore, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// A stream of random numbers (PCG XSL 128/64 MCG; O'Neill 2014).
#[derive(Debug, Clone)]
pub struct Stream(Pcg64Mcg);

impl Stream {
    /// Makes the stream of `seed`.
    pub fn new(seed: u64) -> Self {
        Self(Pcg64Mcg::seed_from_u64(seed))
    }

    /// Makes the stream of `seed` for one `purpose`, independent of the streams for other purposes.
    pub fn for_purpose(seed: u64, purpose: &str) -> Self {
        Self::at_place(seed, purpose, &[])
    }

    /// Makes the stream of `seed` for one `purpose` at one `place`, such as a training step and a position in its batch.
    pub fn at_place(seed: u64, purpose: &str, place: &[u64]) -> Self {
        let words = purpose.bytes().map(u64::from).chain(place.iter().copied());
        Self::new(words.fold(mix(seed), |hash, word| mix(hash ^ word)))
    }

    /// Draws 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Draws uniformly from `[0, 1)`, in steps of 2^-53.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Draws uniformly from `[low, high)`.
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + self.unit() * (high - low)
    }

    /// Draws uniformly from `[low, high)` in single precision, from 24 bits.
    pub fn uniform_f32(&mut self, low: f32, high: f32) -> f32 {
        low + (self.bits() >> 40) as f32 / 16_777_216.0 * (high - low)
    }

    /// Draws a whole number below `count`, which must not be 0, as a remainder.
    pub fn remainder(&mut self, count: usize) -> usize {
        (self.bits() % count as u64) as usize
    }

    /// Draws a whole number below `count`, which must not be 0, as the upper half of a product: its bias is below 1e-13 for
    /// any count that fits in memory.
    pub fn below(&mut self, count: usize) -> usize {
        ((u128::from(self.bits()) * count as u128) >> 64) as usize
    }

    /// Draws a whole number from `low` to `high`, both included.
    pub fn whole(&mut self, low: u32, high: u32) -> u32 {
        let span = u64::from(high.saturating_sub(low)) + 1;
        low + (self.bits() % span) as u32
    }

    /// Returns true half of the time.
    pub fn coin(&mut self) -> bool {
        self.bits() >> 63 == 1
    }

    /// Returns true with the given probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Returns true with the given probability, from 24 bits.
    pub fn chance_f32(&mut self, probability: f32) -> bool {
        self.uniform_f32(0.0, 1.0) < probability
    }

    /// Draws one of `choices`, which must not be empty.
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.remainder(choices.len())]
    }

    /// Draws from the standard normal distribution (Box and Muller 1958).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// Draws about normally with the given mean and standard deviation, cut off at 3.5 deviations: the sum of 12 uniforms.
    pub fn bounded_normal(&mut self, mean: f64, deviation: f64) -> f64 {
        let sum: f64 = (0..12).map(|_| self.unit()).sum();
        mean + deviation * (sum - 6.0).clamp(-3.5, 3.5)
    }

    /// Draws about normally with mean 0 and deviation 1 from one word: the sum of its eight bytes.
    pub fn byte_normal(&mut self) -> f32 {
        let sum: u32 = self.bits().to_le_bytes().into_iter().map(u32::from).sum();
        (sum as f32 - 8.0 * 127.5) / (8.0f32 * (65_536.0 - 1.0) / 12.0).sqrt()
    }

    /// Brings `items` into a random order (Fisher and Yates), drawing with [`Stream::below`].
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }

    /// Brings `items` into a random order (Fisher and Yates), drawing with [`Stream::remainder`].
    pub fn shuffle_by_remainder<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.remainder(last + 1));
        }
    }
}

/// Returns a well mixed 64-bit hash (the finalizer of SplitMix64, Steele et al. 2014).
pub fn mix(value: u64) -> u64 {
    let mut hash = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Recorded from the generators of `phantom`, `train`, `evaluate` and `nn` before they were joined here.
    #[test]
    fn the_bits_are_those_that_weights_and_simulated_files_were_made_with() {
        let mut stream = Stream::for_purpose(7, "colour box");
        assert_eq!(stream.bits(), 0x6766_f0a5_b03d_c443);
        assert_eq!(stream.uniform(-1.0, 2.0), 1.834_981_443_158_604_5);
        assert_eq!((stream.whole(3, 9), stream.bounded_normal(1.0, 0.5)), (4, 1.169_768_812_245_452_1));
        assert_eq!((stream.chance(0.5), stream.pick(&[1, 2, 3, 4, 5])), (true, 2));
        assert_eq!(mix(42), 0xbdd7_3226_2feb_6e95);

        let mut stream = Stream::at_place(7, "impostor", &[3, 1]);
        assert_eq!(stream.bits(), 0xb9d9_b432_8375_9874);
        assert_eq!((stream.uniform_f32(-1.0, 2.0), stream.remainder(10)), (1.235_739_2, 1));
        assert_eq!((stream.chance_f32(0.5), stream.byte_normal()), (true, 1.583_568_9));
        let mut items = [0, 1, 2, 3, 4, 5, 6, 7];
        stream.shuffle_by_remainder(&mut items);
        assert_eq!(items, [3, 6, 5, 7, 0, 2, 1, 4]);

        let mut stream = Stream::new(42);
        assert_eq!((stream.unit(), stream.below(10), stream.coin()), (0.573_591_580_908_174_1, 1, false));
        assert_eq!(stream.normal(), 0.528_280_637_938_987_2);
        let mut items = [0, 1, 2, 3, 4, 5, 6, 7];
        stream.shuffle(&mut items);
        assert_eq!(items, [4, 3, 0, 7, 6, 5, 1, 2]);

        let mut stream = Stream::new(5);
        assert_eq!([stream.bits(), stream.bits()], [0xf6ad_7323_af78_9bd4, 0x2095_5874_2da9_ecb1]);
    }

    #[test]
    fn normal_draws_have_their_mean_and_deviation() {
        let count = 20_000;
        let moments = |draw: &mut dyn FnMut() -> f64| {
            let values: Vec<f64> = (0..count).map(|_| draw()).collect();
            let mean = values.iter().sum::<f64>() / f64::from(count);
            (mean, values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / f64::from(count))
        };
        let (mut normal, mut bounded, mut bytes) = (Stream::new(1), Stream::new(2), Stream::new(3));
        let draws: [&mut dyn FnMut() -> f64; 3] =
            [&mut || normal.normal(), &mut || bounded.bounded_normal(0.0, 1.0), &mut || f64::from(bytes.byte_normal())];
        for draw in draws {
            let (mean, variance) = moments(draw);
            // Four standard errors.
            assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.04, "{mean} {variance}");
        }
    }

    #[test]
    fn whole_numbers_are_even_and_a_shuffle_keeps_everything() {
        let mut stream = Stream::new(1);
        let mut counts = [0_i32; 3];
        (0..20_000).for_each(|_| counts[stream.below(3)] += 1);
        assert!(counts.iter().all(|of| (of - 20_000 / 3).abs() < 280), "{counts:?}");
        let mut items: Vec<usize> = (0..50).collect();
        stream.shuffle(&mut items);
        assert_ne!(items, (0..50).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..50).collect::<Vec<_>>());
    }

    #[test]
    fn purposes_and_places_have_streams_of_their_own() {
        let first = |purpose, place: &[u64]| Stream::at_place(1, purpose, place).bits();
        assert_eq!(first("test", &[5]), first("test", &[5]));
        assert_ne!(first("test", &[5]), first("test", &[6]));
        assert_ne!(first("test", &[5]), first("other", &[5]));
    }
}
