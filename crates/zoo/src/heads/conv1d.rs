use candle_core::Tensor;
use nn::TemporalConv;

use super::ClipNetwork;
use crate::Result;
use crate::weights::Weights;

/// One convolution of kernel 3 over time.
///
/// Summed with the spatial features it is the reference system's residual block ("conv1d-k3").
pub struct Conv1dHead {
    conv: TemporalConv,
}

impl Conv1dHead {
    /// Reads `conv.weight` [C, C, 3] and `conv.bias` [C].
    ///
    /// # Errors
    /// A tensor is missing or has another shape.
    pub fn read(width: usize, weights: &Weights<'_>) -> Result<Self> {
        Self::read_dilated(width, 1, weights)
    }

    /// The same with frames `dilation` apart looked at together.
    ///
    /// # Errors
    /// A tensor is missing or has another shape.
    pub fn read_dilated(width: usize, dilation: usize, weights: &Weights<'_>) -> Result<Self> {
        let conv = weights.at("conv");
        let weight = conv.tensor("weight", &[width, width, 3])?;
        Ok(Self { conv: TemporalConv::new(&weight, conv.tensor("bias", &[width])?, dilation)? })
    }
}

impl ClipNetwork for Conv1dHead {
    /// Maps spatial features [B, T, C] to temporal features [B, T, C].
    fn temporal(&self, spatial: &Tensor) -> Result<Tensor> {
        Ok(self.conv.forward(spatial)?)
    }
}
