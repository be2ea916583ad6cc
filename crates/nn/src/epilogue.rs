//! Bias and activation in one pass over the output of a convolution: threaded on the CPU, one kernel on CUDA.

use candle_core::{CpuStorage, CustomOp2, DType, Layout, Shape, Tensor};
use rayon::prelude::*;

use crate::activation::{activate_scalar, apply_activation};
use crate::{Activation, Result};

/// Adds `bias` [C] to `x` [N, C, H, W] and applies `activation`.
pub(crate) fn bias_activation(x: &Tensor, bias: Option<&Tensor>, activation: Activation) -> Result<Tensor> {
    let Some(bias) = bias else {
        return apply_activation(x, activation);
    };
    let channels = bias.elem_count();
    let has_op = x.device().is_cuda() || (x.device().is_cpu() && x.dtype() == DType::F32);
    if !has_op || x.track_op() || bias.track_op() {
        let shifted = x.broadcast_add(&bias.reshape((1, channels, 1, 1))?)?;
        return apply_activation(&shifted, activation);
    }
    Ok(x.contiguous()?.apply_op2_no_bwd(&bias.contiguous()?, &BiasActivation { activation })?)
}

struct BiasActivation {
    activation: Activation,
}

impl CustomOp2 for BiasActivation {
    fn name(&self) -> &'static str {
        "bias-activation"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let (batch, channels, height, width) = x_layout.shape().dims4()?;
        let plane = height * width;
        let input = &x.as_slice::<f32>()?[x_layout.start_offset()..][..batch * channels * plane];
        let bias = &bias.as_slice::<f32>()?[bias_layout.start_offset()..][..channels];
        let mut output = vec![0f32; input.len()];
        output.par_chunks_mut(plane.max(1)).zip(input.par_chunks(plane.max(1))).enumerate().for_each(
            |(index, (output, input))| {
                let bias = bias[index % channels];
                for (output, input) in output.iter_mut().zip(input) {
                    *output = activate_scalar(input + bias, self.activation);
                }
            },
        );
        Ok((CpuStorage::F32(output), x_layout.shape().clone()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        x: &candle_core::CudaStorage,
        x_layout: &Layout,
        bias: &candle_core::CudaStorage,
        bias_layout: &Layout,
    ) -> candle_core::Result<(candle_core::CudaStorage, Shape)> {
        let output = cuda_kernels::bias_activation([(x, x_layout), (bias, bias_layout)], self.activation)?;
        Ok((output, x_layout.shape().clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seeded;

    #[test]
    fn equals_the_plain_layers() {
        let x = (seeded::normal(1, (2, 5, 3, 7), DType::F32) * 2.0).unwrap();
        let bias = seeded::normal(2, 5, DType::F32);
        for activation in [
            Activation::Identity,
            Activation::Relu,
            Activation::Relu6,
            Activation::Silu,
            Activation::Sigmoid,
            Activation::Gelu,
        ] {
            let fused = bias_activation(&x, Some(&bias), activation).unwrap();
            let plain =
                apply_activation(&x.broadcast_add(&bias.reshape((1, 5, 1, 1)).unwrap()).unwrap(), activation).unwrap();
            let difference = (fused - plain).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
            assert!(difference < 1e-6, "{activation:?}: {difference}");
        }
    }
}
