use candle_core::Tensor;

use crate::{Conv2d, Result};

/// A fully connected layer.
#[derive(Debug, Clone)]
pub struct Linear {
    transposed_weight: Tensor,
    bias: Option<Tensor>,
}

impl Linear {
    /// A layer from `weight` [out, in] and `bias` [out], torch's layout.
    pub fn new(weight: &Tensor, bias: Option<Tensor>) -> Result<Self> {
        Ok(Self { transposed_weight: weight.t()?.contiguous()?, bias })
    }

    /// A layer from `weight` [in, out] and `bias` [out], Keras' layout.
    pub fn from_input_major(weight: Tensor, bias: Option<Tensor>) -> Self {
        Self { transposed_weight: weight, bias }
    }

    /// The same layer on the channels of each pixel, as a 1x1 convolution.
    pub fn into_pointwise(self) -> Result<Conv2d> {
        let (width_in, width_out) = self.transposed_weight.dims2()?;
        let weight = self.transposed_weight.t()?.contiguous()?.reshape((width_out, width_in, 1, 1))?;
        Ok(Conv2d::new(weight, self.bias, 1, 1))
    }

    /// Maps the last axis: [..., in] to [..., out].
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
    weight: Tensor,
    bias: Tensor,
    dilation: usize,
}

impl TemporalConv {
    /// A layer from `weight` [out, in, 3] and `bias` [out]; frames `dilation` apart are looked at together.
    pub fn new(weight: Tensor, bias: Tensor, dilation: usize) -> Self {
        Self { weight, bias, dilation }
    }

    /// Convolves `x` [B, T, in] over time to [B, T, out]; frames before the first and after the last count as zero.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let y = x.transpose(1, 2)?.contiguous()?.conv1d(&self.weight, self.dilation, 1, self.dilation, 1)?;
        Ok(y.transpose(1, 2)?.broadcast_add(&self.bias)?)
    }
}
