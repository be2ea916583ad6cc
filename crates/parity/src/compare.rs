//! Differences between computed numbers and those of a file.

use serde::Deserialize;

/// Numbers in a file, whole.
#[derive(Deserialize)]
pub(crate) struct Numbers {
    pub shape: Vec<usize>,
    pub data: Vec<f64>,
}

/// Numbers in a file, digested: statistics, the first few, and some at even distances.
#[derive(Deserialize)]
pub(crate) struct Digest {
    pub shape: Vec<usize>,
    mean: f64,
    std: f64,
    absmax: f64,
    first8: Vec<f64>,
    stride_samples: Vec<f64>,
}

/// The largest absolute difference; infinite where there are more numbers on one side, NaN where a difference is.
pub(crate) fn largest_difference(
    ours: impl ExactSizeIterator<Item = f64>,
    theirs: impl ExactSizeIterator<Item = f64>,
) -> f64 {
    if ours.len() != theirs.len() {
        return f64::INFINITY;
    }
    ours.zip(theirs).map(|(ours, theirs)| (ours - theirs).abs()).fold(0.0, larger)
}

/// The larger deviation, or the one that is not a number.
pub(crate) fn larger(one: f64, other: f64) -> f64 {
    // `f64::max` would drop a NaN.
    if one.is_nan() || one >= other { one } else { other }
}

/// Largest absolute value.
pub(crate) fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |largest, value| value.abs().max(largest))
}

impl Numbers {
    /// The numbers as the float32 that they stand for: a file holds the shortest decimals that read back as the same.
    pub fn singles(&self) -> impl ExactSizeIterator<Item = f64> {
        self.data.iter().map(|&value| f64::from(value as f32))
    }
}

impl Digest {
    /// The largest value by amount.
    pub fn absmax(&self) -> f64 {
        self.absmax
    }

    /// Returns the largest difference of mean, standard deviation and largest amount.
    pub fn statistics_deviation(&self, ours: &[f64]) -> f64 {
        let count = ours.len().max(1) as f64;
        let mean = ours.iter().sum::<f64>() / count;
        let variance = ours.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / count;
        let statistics = [mean, variance.sqrt(), largest(ours)];
        largest_difference(statistics.into_iter(), [self.mean, self.std, self.absmax].into_iter())
    }

    /// Returns the largest difference of single numbers, compared as float32, which is how a file holds them.
    pub fn samples_deviation(&self, ours: &[f64]) -> f64 {
        let single = |value: f64| f64::from(value as f32);
        let first = ours.iter().take(8).map(|&value| single(value));
        let count = self.stride_samples.len();
        let strided = (0..count).map(|at| ours.get(at * ours.len() / count).map_or(f64::NAN, |&value| single(value)));
        larger(
            largest_difference(first, self.first8.iter().map(|&value| single(value))),
            largest_difference(strided, self.stride_samples.iter().map(|&value| single(value))),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest() -> Digest {
        Digest {
            shape: vec![4],
            mean: 2.5,
            std: 1.25f64.sqrt(),
            absmax: 4.0,
            first8: vec![1.0, 2.0, 3.0, 4.0],
            stride_samples: vec![1.0, 3.0],
        }
    }

    #[test]
    fn a_digest_tells_other_numbers() {
        assert!(digest().statistics_deviation(&[1.0, 2.0, 3.0, 4.0]) < 1e-15);
        assert_eq!(digest().samples_deviation(&[1.0, 2.0, 3.0, 4.0]), 0.0);
        assert!(digest().statistics_deviation(&[1.0, 2.0, 3.0, 5.0]) > 0.2);
        assert_eq!(digest().samples_deviation(&[1.0, 2.0, 3.5, 4.0]), 0.5);
        assert_eq!(digest().samples_deviation(&[1.0, 2.0]), f64::INFINITY);
        assert!(digest().samples_deviation(&[1.0, 2.0, 3.0, f64::NAN]).is_nan());
    }

    #[test]
    fn a_difference_that_is_no_number_is_kept() {
        let difference = |ours: [f64; 2]| largest_difference(ours.into_iter(), [1.0, 2.0].into_iter());
        assert_eq!(difference([1.0, 2.5]), 0.5);
        assert!(difference([f64::NAN, 2.0]).is_nan());
        assert!(difference([1.0, f64::NAN]).is_nan());
    }
}
