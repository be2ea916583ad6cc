use candle_core::Tensor;
use nn::{Attended, MultiHeadAttention};

use super::ClipNetwork;
use crate::Result;
use crate::transformer::attention;
use crate::weights::Weights;

/// Self-attention over the frames with two heads, without norm or positions, as in the reference system: [B, T, C] to
/// [B, T, C].
///
/// Every frame looks at every other; their order plays no part.
pub struct AttentionHead {
    attention: MultiHeadAttention,
}

impl AttentionHead {
    const HEADS: usize = 2;

    /// Reads `mhsa.in_proj_weight` [3 C, C], `mhsa.in_proj_bias`, `mhsa.out_proj.weight` [C, C] and
    /// `mhsa.out_proj.bias`.
    ///
    /// # Errors
    /// A tensor is missing or has another shape.
    pub fn read(width: usize, weights: &Weights<'_>) -> Result<Self> {
        Ok(Self { attention: attention(&weights.at("mhsa"), width, Self::HEADS)? })
    }

    /// The temporal features with the attention's weights [B, T, T].
    ///
    /// # Errors
    /// The shapes do not fit, or the device fails.
    pub fn attend(&self, spatial: &Tensor) -> Result<Attended> {
        Ok(self.attention.forward(spatial)?)
    }
}

impl ClipNetwork for AttentionHead {
    fn temporal(&self, spatial: &Tensor) -> Result<Tensor> {
        Ok(self.attend(spatial)?.values)
    }
}
