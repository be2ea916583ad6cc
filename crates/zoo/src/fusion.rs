use candle_core::{D, Tensor};
use nn::Linear;

use crate::weights::Weights;
use crate::{FusionName, Result};

/// How spatial and temporal features become one.
pub enum Fusion {
    /// Spatial features only.
    Spatial,
    /// Temporal features only.
    Temporal,
    /// Their sum.
    Sum,
    /// An input-dependent convex mix.
    Gate(Gate),
}

impl Fusion {
    /// Reads the fusion `name` for vectors of length `width`.
    pub fn read(name: FusionName, width: usize, weights: &Weights<'_>) -> Result<Self> {
        Ok(match name {
            FusionName::Spatial => Self::Spatial,
            FusionName::Temporal => Self::Temporal,
            FusionName::Sum => Self::Sum,
            FusionName::Gate => Self::Gate(Gate::read(width, weights)?),
        })
    }

    /// Joins spatial and temporal features, both [B, T, C], to [B, T, C].
    pub fn forward(&self, spatial: &Tensor, temporal: &Tensor) -> Result<Tensor> {
        Ok(match self {
            Self::Spatial => spatial.clone(),
            Self::Temporal => temporal.clone(),
            Self::Sum => (spatial + temporal)?,
            Self::Gate(gate) => gate.forward(spatial, temporal)?,
        })
    }
}

/// y = a * s + (1 - a) * t, where a = sigmoid(fc2(relu(fc1([s, t])))) is between 0 and 1 for every feature of every frame.
///
/// The reference system classifies the gate's own values instead of using them as weights (`seed-systems.md` 10.23);
/// this is what its text describes.
pub struct Gate {
    squeeze: Linear,
    expand: Linear,
}

impl Gate {
    /// Reads `fc1` [C / 4, 2 C] and `fc2` [C, C / 4].
    pub fn read(width: usize, weights: &Weights<'_>) -> Result<Self> {
        let inside = width / 4;
        let linear = |name: &str, width_in, width_out| -> Result<Linear> {
            let layer = weights.at(name);
            let weight = layer.tensor("weight", &[width_out, width_in])?;
            Ok(Linear::new(&weight, Some(layer.tensor("bias", &[width_out])?))?)
        };
        Ok(Self { squeeze: linear("fc1", 2 * width, inside)?, expand: linear("fc2", inside, width)? })
    }

    /// The weight of the spatial features, [B, T, C], each between 0 and 1.
    pub fn spatial_weight(&self, spatial: &Tensor, temporal: &Tensor) -> Result<Tensor> {
        let both = Tensor::cat(&[spatial, temporal], D::Minus1)?;
        let inside = self.squeeze.forward(&both)?.relu()?;
        Ok(nn::Activation::Sigmoid.forward(&self.expand.forward(&inside)?)?)
    }

    /// Mixes spatial and temporal features [B, T, C].
    pub fn forward(&self, spatial: &Tensor, temporal: &Tensor) -> Result<Tensor> {
        let weight = self.spatial_weight(spatial, temporal)?;
        Ok((temporal + (weight * (spatial - temporal)?)?)?)
    }
}
