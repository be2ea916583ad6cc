use candle_core::{CpuStorage, CustomOp1, DType, Layout, Shape, Tensor};
use rayon::prelude::*;

use crate::Result;

/// The non-linearity after a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Activation {
    /// None.
    #[default]
    Identity,
    /// max(x, 0).
    Relu,
    /// x * sigmoid(x), also called swish.
    Silu,
    /// 1 / (1 + exp(-x)).
    Sigmoid,
    /// x * Phi(x) with the exact normal distribution, not its tanh approximation.
    Gelu,
}

impl Activation {
    /// Applies the function to every element; the shape stays.
    pub fn forward(self, x: &Tensor) -> Result<Tensor> {
        Ok(match self {
            Self::Identity => x.clone(),
            Self::Relu => x.relu()?,
            Self::Silu => x.silu()?,
            Self::Sigmoid => candle_nn::ops::sigmoid(x)?,
            Self::Gelu if x.device().is_cpu() && x.dtype() == DType::F32 && !x.track_op() => {
                x.contiguous()?.apply_op1_no_bwd(&GeluOnCpu)?
            }
            Self::Gelu => x.gelu_erf()?,
        })
    }

    /// Applies the function to one number.
    pub(crate) fn scalar(self, x: f32) -> f32 {
        match self {
            Self::Identity => x,
            Self::Relu => x.max(0.0),
            Self::Silu => x / (1.0 + (-x).exp()),
            Self::Sigmoid => 1.0 / (1.0 + (-x).exp()),
            Self::Gelu => 0.5 * x * (1.0 + candle_core::cpu::erf::erf_f32(x * std::f32::consts::FRAC_1_SQRT_2)),
        }
    }
}

/// Candle's own runs on one thread, and transformers spend a good part of their time in it.
struct GeluOnCpu;

impl CustomOp1 for GeluOnCpu {
    fn name(&self) -> &'static str {
        "gelu"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        const AT_ONCE: usize = 4096;
        let input = &x.as_slice::<f32>()?[layout.start_offset()..][..layout.shape().elem_count()];
        let mut output = vec![0f32; input.len()];
        output.par_chunks_mut(AT_ONCE).zip(input.par_chunks(AT_ONCE)).for_each(|(output, input)| {
            for (output, input) in output.iter_mut().zip(input) {
                *output = Activation::Gelu.scalar(*input);
            }
        });
        Ok((CpuStorage::F32(output), layout.shape().clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seeded;

    #[test]
    fn gelu_equals_candles() {
        let x = (seeded::normal(1, (3, 5000), DType::F32) * 3.0).unwrap();
        let difference = (Activation::Gelu.forward(&x).unwrap() - x.gelu_erf().unwrap()).unwrap();
        assert!(difference.abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap() < 1e-6);
    }
}
