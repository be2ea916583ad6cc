use candle_core::{Tensor, Var};

use crate::Result;
use crate::training::{NormSettings, TrainableNorm};

/// A batch norm as a checkpoint has it; every tensor is [C].
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
    /// Constants of the framework that it comes from.
    pub settings: NormSettings,
}

impl BatchNorm {
    /// The norm with its running statistics as `x * scale + shift`, both [C].
    ///
    /// # Errors
    /// The shapes do not fit, or the device fails.
    pub fn scale_and_shift(&self) -> Result<(Tensor, Tensor)> {
        let scale = (&self.weight / (&self.variance + self.settings.eps)?.sqrt()?)?;
        let shift = (&self.bias - (&self.mean * &scale)?)?;
        Ok((scale, shift))
    }

    /// The norm as a layer that learns, if its running statistics are variables.
    pub(crate) fn trainable(&self) -> Result<Option<TrainableNorm>> {
        if !self.mean.is_variable() || !self.variance.is_variable() {
            return Ok(None);
        }
        // A variable made from a variable is the same one.
        Ok(Some(TrainableNorm {
            weight: self.weight.clone(),
            bias: self.bias.clone(),
            running_mean: Var::from_tensor(&self.mean)?,
            running_variance: Var::from_tensor(&self.variance)?,
            settings: self.settings,
        }))
    }
}
