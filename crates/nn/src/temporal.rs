use candle_core::{D, Tensor};

use crate::{Conv2d, Result};

/// A fully connected layer.
#[derive(Debug, Clone)]
pub struct Linear {
    transposed_weight: Tensor,
    bias: Option<Tensor>,
}

impl Linear {
    /// A layer from `weight` [out, in] and `bias` [out], torch's layout.
    ///
    /// # Errors
    /// The shapes do not fit, or the device fails.
    pub fn new(weight: &Tensor, bias: Option<Tensor>) -> Result<Self> {
        Ok(Self { transposed_weight: weight.t()?.contiguous()?, bias })
    }

    /// A layer from `weight` [in, out] and `bias` [out], Keras' layout.
    pub fn from_input_major(weight: Tensor, bias: Option<Tensor>) -> Self {
        Self { transposed_weight: weight, bias }
    }

    /// Returns the weight [out, in], torch's layout.
    ///
    /// # Errors
    /// The device fails.
    pub fn weight(&self) -> Result<Tensor> {
        Ok(self.transposed_weight.t()?.contiguous()?)
    }

    /// Returns the bias [out].
    pub fn bias(&self) -> Option<&Tensor> {
        self.bias.as_ref()
    }

    /// The same layer on the channels of each pixel, as a 1x1 convolution.
    ///
    /// # Errors
    /// The weight cannot be reshaped.
    pub fn into_pointwise(self) -> Result<Conv2d> {
        let (width_in, width_out) = self.transposed_weight.dims2()?;
        let weight = self.transposed_weight.t()?.contiguous()?.reshape((width_out, width_in, 1, 1))?;
        Ok(Conv2d::new(weight, self.bias, 1, 1))
    }

    /// Maps the last axis: [..., in] to [..., out].
    ///
    /// # Errors
    /// The shapes do not fit, or the device fails.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let y = x.broadcast_matmul(&self.transposed_weight)?;
        Ok(match &self.bias {
            Some(bias) => y.broadcast_add(bias)?,
            None => y,
        })
    }
}

/// A convolution of kernel 3 over time that keeps the number of frames.
#[derive(Debug, Clone)]
pub struct TemporalConv {
    /// [3 in, out]: the three frames' weights one below the other, ready for one product.
    stacked_weight: Tensor,
    bias: Tensor,
    dilation: usize,
}

impl TemporalConv {
    /// A layer from `weight` [out, in, 3] and `bias` [out]; frames `dilation` apart are looked at together.
    ///
    /// # Errors
    /// The shapes do not fit, or the device fails.
    pub fn new(weight: &Tensor, bias: Tensor, dilation: usize) -> Result<Self> {
        let (width_out, width_in, kernel) = weight.dims3()?;
        let stacked_weight = weight.permute((2, 1, 0))?.contiguous()?.reshape((kernel * width_in, width_out))?;
        Ok(Self { stacked_weight, bias, dilation })
    }

    /// Convolves `x` [B, T, in] over time to [B, T, out]; frames before the first and after the last count as zero.
    ///
    /// # Errors
    /// The shapes do not fit, or the device fails.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (clips, frames, _) = x.dims3()?;
        let (kernel_width, width_out) = self.stacked_weight.dims2()?;
        let padded = x.pad_with_zeros(1, self.dilation, self.dilation)?;
        let at = |step: usize| padded.narrow(1, step * self.dilation, frames);
        let stacked = Tensor::cat(&[at(0)?, at(1)?, at(2)?], D::Minus1)?.reshape((clips * frames, kernel_width))?;
        let y = stacked.matmul(&self.stacked_weight)?.reshape((clips, frames, width_out))?;
        Ok(y.broadcast_add(&self.bias)?)
    }
}
