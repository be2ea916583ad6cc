use candle_core::Tensor;

use crate::Result;
use crate::weights::Weights;

/// y = a * s + (1 - a) * t, where a = sigmoid(alpha) is learned: one number for all features, or one for each.
///
/// The reference system names such models but published no source; this definition is ours.
pub struct Alpha {
    spatial_weight: Tensor,
}

impl Alpha {
    /// Reads `alpha` [`count`], where `count` is 1 or the number of channels.
    pub fn read(count: usize, weights: &Weights<'_>) -> Result<Self> {
        Ok(Self { spatial_weight: nn::Activation::Sigmoid.forward(&weights.tensor("alpha", &[count])?)? })
    }

    /// The weight of the spatial features, [1] or [C], each between 0 and 1.
    pub fn spatial_weight(&self) -> &Tensor {
        &self.spatial_weight
    }

    /// Mixes spatial and temporal features [B, T, C].
    pub fn forward(&self, spatial: &Tensor, temporal: &Tensor) -> Result<Tensor> {
        Ok((temporal + (spatial - temporal)?.broadcast_mul(&self.spatial_weight)?)?)
    }
}
