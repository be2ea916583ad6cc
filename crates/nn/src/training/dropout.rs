use candle_core::Tensor;
use random::Stream;

use crate::{NnError, Result};

/// Draws what dropout and stochastic depth leave out; the same seed draws the same, whatever the number of threads.
#[derive(Debug, Clone)]
pub struct DropGenerator {
    numbers: Stream,
}

impl DropGenerator {
    /// A generator from `seed`.
    pub fn new(seed: u64) -> Self {
        Self { numbers: Stream::new(seed) }
    }

    /// Sets each element of `x` to zero with probability `rate` and divides the others by `1 - rate`.
    ///
    /// Fails if `rate` is not in [0, 1).
    ///
    /// # Errors
    /// `rate` is not in [0, 1), or the device fails.
    pub fn dropout(&mut self, x: &Tensor, rate: f64) -> Result<Tensor> {
        if rate == 0.0 {
            return Ok(x.clone());
        }
        Ok((x * self.factors(x.elem_count(), rate, x)?.reshape(x.shape())?)?)
    }

    /// Sets all of an image of `x` [N, H, W, C] to zero with probability `rate` and divides the others by `1 - rate`:
    /// what a residual branch adds, so that the image passes the block untouched.
    ///
    /// Fails if `rate` is not in [0, 1).
    ///
    /// # Errors
    /// `rate` is not in [0, 1), or the device fails.
    pub fn stochastic_depth(&mut self, x: &Tensor, rate: f64) -> Result<Tensor> {
        if rate == 0.0 {
            return Ok(x.clone());
        }
        let (batch, _, _, channels) = x.dims4()?;
        let factors = self.factors(batch, rate, x)?.reshape((batch, 1))?.broadcast_as((batch, channels))?;
        super::scale_channels(x, &factors.contiguous()?)
    }

    /// `count` factors, each zero or `1 / (1 - rate)`, of the type and device of `like`.
    fn factors(&mut self, count: usize, rate: f64, like: &Tensor) -> Result<Tensor> {
        if !(0.0..1.0).contains(&rate) {
            return Err(NnError::Shape { layer: "dropout", problem: format!("a rate of {rate}, not in [0, 1)") });
        }
        let kept = (1.0 / (1.0 - rate)) as f32;
        // A draw of 64 bits is below this with probability `rate`.
        let threshold = (rate * 2f64.powi(64)) as u64;
        let factors: Vec<f32> = (0..count).map(|_| if self.numbers.bits() < threshold { 0.0 } else { kept }).collect();
        Ok(Tensor::from_vec(factors, count, like.device())?.to_dtype(like.dtype())?)
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device, Var};

    use super::*;

    #[test]
    fn the_same_seed_drops_the_same_and_the_mean_stays() {
        let x = Tensor::ones((4, 10, 10, 50), DType::F32, &Device::Cpu).unwrap();
        let dropped = DropGenerator::new(7).dropout(&x, 0.3).unwrap();
        let again = DropGenerator::new(7).dropout(&x, 0.3).unwrap();
        let values: Vec<f32> = dropped.flatten_all().unwrap().to_vec1().unwrap();
        assert_eq!(values, again.flatten_all().unwrap().to_vec1::<f32>().unwrap());
        let zeros = values.iter().filter(|&&value| value == 0.0).count() as f64 / values.len() as f64;
        assert!((zeros - 0.3).abs() < 0.02, "{zeros}");
        assert!(values.iter().all(|&value| value == 0.0 || (value - 1.0 / 0.7).abs() < 1e-6));
    }

    #[test]
    fn stochastic_depth_drops_whole_images_and_their_gradients() {
        let x = Var::ones((64, 2, 3, 5), DType::F32, &Device::Cpu).unwrap();
        let kept = DropGenerator::new(1).stochastic_depth(&x, 0.5).unwrap();
        let images: Vec<Vec<f32>> = kept.flatten_from(1).unwrap().to_vec2().unwrap();
        assert!(
            images.iter().all(|image| image.iter().all(|&value| value == image[0]) && [0.0, 2.0].contains(&image[0]))
        );
        let dropped = images.iter().filter(|image| image[0] == 0.0).count();
        assert!((20..=44).contains(&dropped), "{dropped} of 64");
        let gradients = kept.sum_all().unwrap().backward().unwrap();
        let gradient = gradients.get(&x).unwrap().flatten_from(1).unwrap().to_vec2::<f32>().unwrap();
        assert_eq!(gradient, images);
    }

    #[test]
    fn a_rate_of_one_is_refused() {
        let x = Tensor::ones(3, DType::F32, &Device::Cpu).unwrap();
        assert!(DropGenerator::new(0).dropout(&x, 1.0).is_err());
        assert!(DropGenerator::new(0).dropout(&x, f64::NAN).is_err());
    }
}
