use candle_core::Tensor;
use nn::{Activation, apply_activation};

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
    ///
    /// # Errors
    /// A tensor is missing or has another shape.
    pub fn read(count: usize, weights: &Weights<'_>) -> Result<Self> {
        // In f64, once: the numbers are few, and every feature of every frame is multiplied by them.
        let sigmoid = |alpha: &f32| (1.0 / (1.0 + (-f64::from(*alpha)).exp())) as f32;
        let alpha = weights.tensor("alpha", &[count])?;
        if alpha.track_op() {
            return Ok(Self { spatial_weight: apply_activation(&alpha, Activation::Sigmoid)? });
        }
        let alpha = alpha.to_vec1::<f32>()?;
        let spatial_weight = Tensor::from_iter(alpha.iter().map(sigmoid), weights.device())?;
        Ok(Self { spatial_weight })
    }

    /// The weight of the spatial features, [1] or [C], each between 0 and 1.
    pub fn spatial_weight(&self) -> &Tensor {
        &self.spatial_weight
    }

    /// Mixes spatial and temporal features [B, T, C].
    ///
    /// # Errors
    /// The shapes do not fit, or the device fails.
    pub fn forward(&self, spatial: &Tensor, temporal: &Tensor) -> Result<Tensor> {
        Ok((temporal + (spatial - temporal)?.broadcast_mul(&self.spatial_weight)?)?)
    }
}
