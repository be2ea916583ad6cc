//! Depthwise convolution, one filter per channel, with its bias and activation: on the CPU planes are spread over threads,
//! on CUDA it is one kernel.
//!
//! Candle splits a grouped convolution into one call per group, which for thousands of channels costs far more than the
//! arithmetic itself.

use candle_core::{CpuStorage, CustomOp3, DType, Layout, Shape, Tensor};
use rayon::prelude::*;

use crate::activation::activate_scalar;
use crate::pool::output_length;
use crate::{Activation, Padding, Result};

/// Returns true if [`depthwise`] runs on the device and in the type of `x`.
pub(crate) fn has_depthwise(x: &Tensor) -> bool {
    x.device().is_cuda() || (x.device().is_cpu() && x.dtype() == DType::F32)
}

/// Convolves `x` [N, C, H, W] with `weight` [C, 1, kh, kw], a filter for each channel, adds `bias` [C] and applies
/// `activation`; the output is [N, C, H', W'].
pub(crate) fn depthwise(
    x: &Tensor,
    (weight, bias): (&Tensor, Option<&Tensor>),
    (stride, padding): (usize, Padding),
    activation: Activation,
) -> Result<Tensor> {
    let bias = match bias {
        Some(bias) => bias.contiguous()?,
        None => Tensor::zeros(weight.dim(0)?, x.dtype(), x.device())?,
    };
    let layer = Depthwise { stride, padding, activation };
    Ok(x.contiguous()?.apply_op3_no_bwd(&weight.contiguous()?, &bias, &layer)?)
}

struct Depthwise {
    stride: usize,
    padding: Padding,
    activation: Activation,
}

impl Depthwise {
    /// Returns the rows and columns of the output.
    fn output_size(&self, image: (usize, usize), kernel: (usize, usize)) -> candle_core::Result<(usize, usize)> {
        let Padding { top, left, bottom, right } = self.padding;
        let rows = output_length(image.0 + top + bottom, kernel.0, self.stride)?;
        Ok((rows, output_length(image.1 + left + right, kernel.1, self.stride)?))
    }
}

impl CustomOp3 for Depthwise {
    fn name(&self) -> &'static str {
        "depthwise-conv2d"
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
        let (batch, channels, height, width) = x_layout.shape().dims4()?;
        let (filters, one, kernel_height, kernel_width) = weight_layout.shape().dims4()?;
        if filters != channels || one != 1 || bias_layout.shape().elem_count() != channels {
            candle_core::bail!("depthwise weight {:?} does not fit {channels} channels", weight_layout.shape());
        }
        let (out_height, out_width) = self.output_size((height, width), (kernel_height, kernel_width))?;
        let bias = &bias.as_slice::<f32>()?[bias_layout.start_offset()..][..channels];
        let input = &x.as_slice::<f32>()?[x_layout.start_offset()..][..batch * channels * height * width];
        let weight =
            &weight.as_slice::<f32>()?[weight_layout.start_offset()..][..channels * kernel_height * kernel_width];
        let geometry = Geometry {
            height,
            width,
            out_width,
            kernel_width,
            kernel_height,
            stride: self.stride,
            padding: self.padding,
        };
        let mut output = vec![0f32; batch * channels * out_height * out_width];
        output.par_chunks_mut(out_height * out_width).enumerate().for_each(|(plane, output)| {
            let input = &input[plane * height * width..][..height * width];
            let taps = kernel_height * kernel_width;
            geometry.convolve(input, &weight[(plane % channels) * taps..][..taps], output);
            for output in output {
                *output = activate_scalar(*output + bias[plane % channels], self.activation);
            }
        });
        Ok((CpuStorage::F32(output), (batch, channels, out_height, out_width).into()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        x: &candle_core::CudaStorage,
        x_layout: &Layout,
        weight: &candle_core::CudaStorage,
        weight_layout: &Layout,
        bias: &candle_core::CudaStorage,
        bias_layout: &Layout,
    ) -> candle_core::Result<(candle_core::CudaStorage, Shape)> {
        let (batch, channels, height, width) = x_layout.shape().dims4()?;
        let (_, _, kernel_height, kernel_width) = weight_layout.shape().dims4()?;
        let out = self.output_size((height, width), (kernel_height, kernel_width))?;
        let operands = [(x, x_layout), (weight, weight_layout), (bias, bias_layout)];
        let before = (self.padding.top, self.padding.left);
        let output = cuda_kernels::depthwise(operands, self.stride, before, out, self.activation)?;
        Ok((output, (batch, channels, out.0, out.1).into()))
    }
}

struct Geometry {
    height: usize,
    width: usize,
    out_width: usize,
    kernel_width: usize,
    kernel_height: usize,
    stride: usize,
    padding: Padding,
}

impl Geometry {
    /// Convolves one plane; rows and columns outside the image count as zero.
    fn convolve(&self, input: &[f32], taps: &[f32], output: &mut [f32]) {
        for (out_y, out_row) in output.chunks_exact_mut(self.out_width).enumerate() {
            for tap_y in 0..self.kernel_height {
                let Some(y) = (out_y * self.stride + tap_y).checked_sub(self.padding.top) else { continue };
                if y >= self.height {
                    continue;
                }
                let row = &input[y * self.width..][..self.width];
                for tap_x in 0..self.kernel_width {
                    self.accumulate(row, tap_x, taps[tap_y * self.kernel_width + tap_x], out_row);
                }
            }
        }
    }

    /// Adds `tap` times the row, shifted by `tap_x` and the left padding, to the output row.
    fn accumulate(&self, row: &[f32], tap_x: usize, tap: f32, out_row: &mut [f32]) {
        let first = self.padding.left.saturating_sub(tap_x).div_ceil(self.stride);
        let reach = self.width + self.padding.left;
        let end = if reach > tap_x { ((reach - tap_x - 1) / self.stride + 1).min(self.out_width) } else { 0 };
        if first >= end {
            return;
        }
        let start = first * self.stride + tap_x - self.padding.left;
        if self.stride == 1 {
            for (output, input) in out_row[first..end].iter_mut().zip(&row[start..]) {
                *output += tap * input;
            }
        } else {
            for (output, input) in out_row[first..end].iter_mut().zip(row[start..].iter().step_by(self.stride)) {
                *output += tap * input;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seeded;

    #[test]
    fn equals_candles_grouped_convolution_for_odd_shapes_strides_and_paddings() {
        for (height, width, kernel, stride, pad) in
            [(9, 7, 3, 1, 1), (9, 8, 3, 2, 1), (5, 5, 5, 1, 2), (6, 11, 5, 2, 2), (3, 3, 3, 1, 0), (4, 2, 3, 1, 1)]
        {
            let x = seeded::normal(1, (2, 6, height, width), DType::F32);
            let weight = seeded::normal(2, (6, 1, kernel, kernel), DType::F32);
            let bias = seeded::normal(3, 6, DType::F32);
            let by = (stride, Padding::symmetric(pad));
            let ours = depthwise(&x, (&weight, Some(&bias)), by, Activation::Silu).unwrap();
            let theirs = x.conv2d(&weight, pad, stride, 1, 6).unwrap();
            let theirs = theirs.broadcast_add(&bias.reshape((1, 6, 1, 1)).unwrap()).unwrap().silu().unwrap();
            assert_eq!(ours.dims(), theirs.dims());
            let difference = (ours - theirs).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
            assert!(difference < 1e-5, "{height}x{width} k{kernel} s{stride}: {difference}");
        }
    }

    #[test]
    fn asymmetric_padding_equals_padding_first() {
        let x = seeded::normal(1, (1, 4, 8, 10), DType::F32);
        let weight = seeded::normal(2, (4, 1, 3, 3), DType::F32);
        let padding = Padding { top: 0, left: 0, bottom: 1, right: 1 };
        let padded = x.pad_with_zeros(2, 0, 1).unwrap().pad_with_zeros(3, 0, 1).unwrap();
        let plain = |x, padding| depthwise(x, (&weight, None), (2, padding), Activation::Identity).unwrap();
        let ours = plain(&x, padding);
        let theirs = plain(&padded, Padding::symmetric(0));
        assert_eq!(ours.to_vec3_flat(), theirs.to_vec3_flat());
    }

    trait Flat {
        fn to_vec3_flat(&self) -> Vec<f32>;
    }
    impl Flat for Tensor {
        fn to_vec3_flat(&self) -> Vec<f32> {
            self.flatten_all().unwrap().to_vec1().unwrap()
        }
    }
}
