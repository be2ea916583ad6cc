use candle_core::{CpuStorage, CustomOp3, D, Layout, Shape, Tensor};
use rayon::prelude::*;

use crate::half::in_single;
use crate::{FeatureMaps, Result};

/// Brings each vector to mean 0 and variance 1, then scales and shifts it.
#[derive(Debug, Clone)]
pub struct LayerNorm {
    weight: Tensor,
    bias: Tensor,
    eps: f64,
}

impl LayerNorm {
    /// A norm from `weight` and `bias`, both [C]; `eps` is added to the variance.
    pub fn new(weight: Tensor, bias: Tensor, eps: f64) -> Self {
        Self { weight, bias, eps }
    }

    /// Normalizes the last axis of `x` [..., C].
    ///
    /// # Errors
    /// The shapes do not fit, or the device fails.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        in_single(x, |x| self.normalize(x))
    }

    fn normalize(&self, x: &Tensor) -> Result<Tensor> {
        if x.device().is_cpu() && !x.track_op() && !self.weight.track_op() {
            let op = LayerNormOnCpu { eps: self.eps };
            return Ok(x.contiguous()?.apply_op3_no_bwd(&self.weight.contiguous()?, &self.bias.contiguous()?, &op)?);
        }
        let centered = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
        let deviation = (centered.sqr()?.mean_keepdim(D::Minus1)? + self.eps)?.sqrt()?;
        Ok(centered.broadcast_div(&deviation)?.broadcast_mul(&self.weight)?.broadcast_add(&self.bias)?)
    }

    /// Normalizes the channels of every pixel.
    ///
    /// # Errors
    /// The shapes do not fit, or the device fails.
    pub fn over(&self, maps: &FeatureMaps) -> Result<FeatureMaps> {
        Ok(match maps {
            FeatureMaps::Eager(x) => {
                let channels_last = self.forward(&x.permute((0, 2, 3, 1))?)?;
                FeatureMaps::Eager(channels_last.permute((0, 3, 1, 2))?.contiguous()?)
            }
            FeatureMaps::Training(training) => FeatureMaps::Training(training.through(|x| self.forward(x))?),
            FeatureMaps::Traced(traced) => {
                FeatureMaps::Traced(traced.layer_norm(&self.weight, &self.bias, self.eps)?)
            }
        })
    }
}

struct LayerNormOnCpu {
    eps: f64,
}

impl CustomOp3 for LayerNormOnCpu {
    fn name(&self) -> &'static str {
        "layer-norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let width = x_layout.dims().last().copied().unwrap_or(0);
        if width == 0 || weight_layout.shape().elem_count() != width || bias_layout.shape().elem_count() != width {
            candle_core::bail!("a layer norm of {:?} does not fit {:?}", weight_layout.shape(), x_layout.shape());
        }
        let input = &x.as_slice::<f32>()?[x_layout.start_offset()..][..x_layout.shape().elem_count()];
        let weight = &weight.as_slice::<f32>()?[weight_layout.start_offset()..][..width];
        let bias = &bias.as_slice::<f32>()?[bias_layout.start_offset()..][..width];
        let mut output = vec![0f32; input.len()];
        output.par_chunks_exact_mut(width).zip(input.par_chunks_exact(width)).for_each(|(output, input)| {
            // Sums in f64: a mean far from zero would else eat the digits of the variance.
            let mean = input.iter().map(|&value| f64::from(value)).sum::<f64>() / width as f64;
            let variance = input.iter().map(|&value| (f64::from(value) - mean).powi(2)).sum::<f64>() / width as f64;
            let scale = 1.0 / (variance + self.eps).sqrt();
            for (((output, &input), weight), bias) in output.iter_mut().zip(input).zip(weight).zip(bias) {
                *output = ((f64::from(input) - mean) * scale) as f32 * weight + bias;
            }
        });
        Ok((CpuStorage::F32(output), x_layout.shape().clone()))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device};

    use super::*;
    use crate::seeded;

    #[test]
    fn equals_the_textbook_formula() {
        let x = seeded::normal(1, (2, 4, 7), DType::F32).affine(2.0, 3.0).unwrap();
        let weight = seeded::normal(2, 7, DType::F32).affine(0.2, 1.0).unwrap();
        let bias = seeded::normal(3, 7, DType::F32).affine(0.2, 0.0).unwrap();
        let ours = LayerNorm::new(weight.clone(), bias.clone(), 1e-6).forward(&x).unwrap();
        let centered = x.broadcast_sub(&x.mean_keepdim(2).unwrap()).unwrap();
        let variance = centered.sqr().unwrap().mean_keepdim(2).unwrap();
        let plain = centered.broadcast_div(&(variance + 1e-6).unwrap().sqrt().unwrap()).unwrap();
        let plain = plain.broadcast_mul(&weight).unwrap().broadcast_add(&bias).unwrap();
        let difference = (ours - plain).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
        assert!(difference < 1e-5, "{difference}");
    }

    #[test]
    fn a_norm_of_another_width_is_refused() {
        let x = Tensor::zeros((2, 3), candle_core::DType::F32, &Device::Cpu).unwrap();
        let ones = Tensor::ones(4, candle_core::DType::F32, &Device::Cpu).unwrap();
        assert!(LayerNorm::new(ones.clone(), ones, 1e-5).forward(&x).is_err());
    }
}
