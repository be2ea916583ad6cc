use candle_core::{CpuStorage, CustomOp1, DType, Layout, Shape, Tensor};
use rayon::prelude::*;

use crate::{Activation, Result};

/// Applies `activation` to every element of `x`; the shape stays.
///
/// # Errors
/// [`crate::NnError::Tensor`] where Candle lacks the function for the tensor's type or device.
pub fn apply_activation(x: &Tensor, activation: Activation) -> Result<Tensor> {
    Ok(match activation {
        Activation::Identity => x.clone(),
        Activation::Relu => x.relu()?,
        Activation::Relu6 => x.clamp(0f32, 6f32)?,
        Activation::Silu => x.silu()?,
        Activation::Sigmoid => candle_nn::ops::sigmoid(x)?,
        Activation::Gelu if x.device().is_cpu() && x.dtype() == DType::F32 && !x.track_op() => {
            x.contiguous()?.apply_op1_no_bwd(&GeluOnCpu)?
        }
        Activation::Gelu => x.gelu_erf()?,
    })
}

/// Applies `activation` to one number.
pub(crate) fn activate_scalar(x: f32, activation: Activation) -> f32 {
    match activation {
        Activation::Identity => x,
        Activation::Relu => x.max(0.0),
        Activation::Relu6 => x.clamp(0.0, 6.0),
        Activation::Silu => x / (1.0 + (-x).exp()),
        Activation::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        Activation::Gelu => 0.5 * x * (1.0 + candle_core::cpu::erf::erf_f32(x * std::f32::consts::FRAC_1_SQRT_2)),
    }
}

/// GELU over threads: Candle's own runs on one, and transformers spend a good part of their time in it.
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
                *output = activate_scalar(*input, Activation::Gelu);
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
        let difference = (apply_activation(&x, Activation::Gelu).unwrap() - x.gelu_erf().unwrap()).unwrap();
        assert!(difference.abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap() < 1e-6);
    }
}
