use candle_core::Tensor;

use crate::Result;

/// A batch norm with fixed statistics; every tensor is [C].
#[derive(Debug, Clone)]
pub struct BatchNorm {
    /// Learned scale (gamma).
    pub weight: Tensor,
    /// Learned shift (beta).
    pub bias: Tensor,
    /// Running mean.
    pub mean: Tensor,
    /// Running variance.
    pub variance: Tensor,
    /// Added to the variance; 1e-5 in torchvision, 1e-3 in most of Keras.
    pub eps: f64,
}

impl BatchNorm {
    /// The norm as `x * scale + shift`, both [C].
    pub fn scale_and_shift(&self) -> Result<(Tensor, Tensor)> {
        let scale = (&self.weight / (&self.variance + self.eps)?.sqrt()?)?;
        let shift = (&self.bias - (&self.mean * &scale)?)?;
        Ok((scale, shift))
    }
}
