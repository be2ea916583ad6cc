//! The pixels of a line that make one pixel of the resized line, with their weights.

/// The weights of neighboring source pixels, from `first` on, that sum up to one target pixel.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Taps<W> {
    /// The first source pixel.
    pub first: usize,
    /// The weight of it and of those that follow; at least one.
    pub weights: Vec<W>,
}

/// The position of an antialiased target pixel's center on the source line, in source pixels from its edge.
///
/// The frameworks round this in different ways, which on a line of 2000 pixels shifts weights by 1e-4.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Center {
    /// In double precision, as Pillow.
    Double,
    /// In single precision times source / target, as torch.
    Single,
    /// In single precision divided by target / source, as TensorFlow with antialiasing.
    SingleInverse,
}

impl Center {
    fn of(self, target_pixel: usize, source: usize, target: usize) -> f64 {
        match self {
            Self::Double => (target_pixel as f64 + 0.5) * (source as f64 / target as f64),
            Self::Single => f64::from((target_pixel as f32 + 0.5) * (source as f32 / target as f32)),
            Self::SingleInverse => f64::from((target_pixel as f32 + 0.5) * (1.0 / (target as f32 / source as f32))),
        }
    }
}

/// A triangle that is as wide as two target pixels when the line shrinks (antialiasing), else as two source pixels.
pub(super) fn triangle(source: usize, target: usize, center: Center) -> Vec<Taps<f64>> {
    let half_width = (source as f64 / target as f64).max(1.0);
    let steepness = 1.0 / half_width;
    (0..target)
        .map(|pixel| {
            let center = center.of(pixel, source, target);
            let first = ((center - half_width + 0.5).max(0.0) as usize).min(source - 1);
            let end = ((center + half_width + 0.5) as usize).clamp(first + 1, source);
            let heights = (first..end).map(|at| (1.0 - ((at as f64 - center + 0.5) * steepness).abs()).max(0.0));
            let mut weights: Vec<f64> = heights.collect();
            let sum: f64 = weights.iter().sum();
            weights.iter_mut().for_each(|weight| *weight /= sum);
            Taps { first, weights }
        })
        .collect()
}

impl<W: Copy> Taps<W> {
    /// The same taps with other weights.
    pub fn map<V>(&self, to: impl Fn(W) -> V) -> Taps<V> {
        Taps { first: self.first, weights: self.weights.iter().map(|&weight| to(weight)).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_sum_to_one_and_stay_on_the_line() {
        for (source, target) in [(1, 1), (1, 4), (5, 3), (16, 9), (600, 288), (9, 1), (3, 1000), (1920, 224)] {
            for center in [Center::Double, Center::Single, Center::SingleInverse] {
                for taps in triangle(source, target, center) {
                    assert!(taps.first + taps.weights.len() <= source, "{source} {target}");
                    assert!((taps.weights.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{source} {target}");
                }
            }
        }
    }

    #[test]
    fn a_line_of_the_same_length_keeps_its_pixels() {
        for (pixel, taps) in triangle(7, 7, Center::Double).iter().enumerate() {
            for (at, &weight) in taps.weights.iter().enumerate() {
                assert_eq!(weight, if taps.first + at == pixel { 1.0 } else { 0.0 });
            }
        }
    }
}
