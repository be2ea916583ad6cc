use candle_core::Tensor;
use nn::Linear;

use crate::Result;
use crate::weights::Weights;

/// The last layer: fused features, averaged over the clip's frames, to one logit a view.
pub struct Classifier {
    linear: Linear,
}

impl Classifier {
    /// Reads `weight` [classes, C] and `bias` [classes].
    pub fn read(width: usize, classes: usize, weights: &Weights<'_>) -> Result<Self> {
        let weight = weights.tensor("weight", &[classes, width])?;
        Ok(Self { linear: Linear::new(&weight, Some(weights.tensor("bias", &[classes])?))? })
    }

    /// Maps fused features [B, T, C] to logits [B, classes].
    pub fn forward(&self, fused: &Tensor) -> Result<Tensor> {
        Ok(self.linear.forward(&fused.mean(1)?)?)
    }
}
