//! Depthwise convolution on the CPU: one filter per channel, planes spread over threads.
//!
//! Candle splits a grouped convolution into one call per group, which for thousands of channels costs far more than the
//! arithmetic itself.

use candle_core::{CpuStorage, CustomOp2, Layout, Shape, Tensor};
use rayon::prelude::*;

use crate::{Padding, Result};

/// Convolves `x` [N, C, H, W] with `weight` [C, 1, kh, kw], a filter for each channel; the output is [N, C, H', W'].
pub(crate) fn depthwise(x: &Tensor, weight: &Tensor, stride: usize, padding: Padding) -> Result<Tensor> {
    Ok(x.contiguous()?.apply_op2_no_bwd(&weight.contiguous()?, &Depthwise { stride, padding })?)
}

struct Depthwise {
    stride: usize,
    padding: Padding,
}

impl CustomOp2 for Depthwise {
    fn name(&self) -> &'static str {
        "depthwise-conv2d"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let (batch, channels, height, width) = x_layout.shape().dims4()?;
        let (filters, one, kernel_height, kernel_width) = weight_layout.shape().dims4()?;
        if filters != channels || one != 1 {
            candle_core::bail!("depthwise weight {:?} does not fit {channels} channels", weight_layout.shape());
        }
        let out_height =
            self.padding.output_length(self.padding.top + self.padding.bottom, height, kernel_height, self.stride)?;
        let out_width =
            self.padding.output_length(self.padding.left + self.padding.right, width, kernel_width, self.stride)?;
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
        });
        Ok((CpuStorage::F32(output), (batch, channels, out_height, out_width).into()))
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
    use candle_core::{Device, Tensor};

    use super::*;

    #[test]
    fn equals_candles_grouped_convolution_for_odd_shapes_strides_and_paddings() {
        for (height, width, kernel, stride, pad) in
            [(9, 7, 3, 1, 1), (9, 8, 3, 2, 1), (5, 5, 5, 1, 2), (6, 11, 5, 2, 2), (3, 3, 3, 1, 0), (4, 2, 3, 1, 1)]
        {
            let x = Tensor::randn(0f32, 1.0, (2, 6, height, width), &Device::Cpu).unwrap();
            let weight = Tensor::randn(0f32, 1.0, (6, 1, kernel, kernel), &Device::Cpu).unwrap();
            let ours = depthwise(&x, &weight, stride, Padding::symmetric(pad)).unwrap();
            let theirs = x.conv2d(&weight, pad, stride, 1, 6).unwrap();
            assert_eq!(ours.dims(), theirs.dims());
            let difference = (ours - theirs).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
            assert!(difference < 1e-5, "{height}x{width} k{kernel} s{stride}: {difference}");
        }
    }

    #[test]
    fn asymmetric_padding_equals_padding_first() {
        let x = Tensor::randn(0f32, 1.0, (1, 4, 8, 10), &Device::Cpu).unwrap();
        let weight = Tensor::randn(0f32, 1.0, (4, 1, 3, 3), &Device::Cpu).unwrap();
        let padding = Padding { top: 0, left: 0, bottom: 1, right: 1 };
        let padded = x.pad_with_zeros(2, 0, 1).unwrap().pad_with_zeros(3, 0, 1).unwrap();
        let ours = depthwise(&x, &weight, 2, padding).unwrap();
        let theirs = depthwise(&padded, &weight, 2, Padding::symmetric(0)).unwrap();
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
