use candle_core::{D, Tensor};
use nn::{Activation, Linear, apply_activation};

use crate::Result;
use crate::transformer::linear;
use crate::weights::Weights;

/// y = a * s + (1 - a) * t, where a = sigmoid(fc2(relu(fc1([s, t])))) is between 0 and 1 for every feature of every
/// frame.
///
/// The reference system classifies the gate's own values instead of using them as weights (the parity reference
/// `thesis_attention_gate` is of it); this is what its text describes. Theirs is [`StackedGate::gates`].
pub struct Gate {
    squeeze: Linear,
    expand: Linear,
}

impl Gate {
    /// Reads `fc1` [C / 4, 2 C] and `fc2` [C, C / 4].
    ///
    /// # Errors
    /// A tensor is missing or has another shape.
    pub fn read(width: usize, weights: &Weights<'_>) -> Result<Self> {
        let inside = width / 4;
        Ok(Self {
            squeeze: linear(&weights.at("fc1"), (2 * width, inside))?,
            expand: linear(&weights.at("fc2"), (inside, width))?,
        })
    }

    /// The weight of the spatial features, [B, T, C], each between 0 and 1.
    ///
    /// # Errors
    /// The shapes do not fit, or the device fails.
    pub fn spatial_weight(&self, spatial: &Tensor, temporal: &Tensor) -> Result<Tensor> {
        let both = Tensor::cat(&[spatial, temporal], D::Minus1)?;
        let inside = self.squeeze.forward(&both)?.relu()?;
        Ok(apply_activation(&self.expand.forward(&inside)?, Activation::Sigmoid)?)
    }

    /// Mixes spatial and temporal features [B, T, C].
    ///
    /// # Errors
    /// The shapes do not fit, or the device fails.
    pub fn forward(&self, spatial: &Tensor, temporal: &Tensor) -> Result<Tensor> {
        let weight = self.spatial_weight(spatial, temporal)?;
        Ok((temporal + (weight * (spatial - temporal)?)?)?)
    }
}

/// The reference system's gate: spatial and temporal features one after the other in time, [B, 2 T, C], and for each
/// number of them a value sigmoid(fc2(relu(fc1(x)))) between 0 and 1.
pub struct StackedGate {
    squeeze: Linear,
    expand: Linear,
}

impl StackedGate {
    /// Reads `fc1` [C / 2, C] and `fc2` [C, C / 2].
    ///
    /// # Errors
    /// A tensor is missing or has another shape.
    pub fn read(width: usize, weights: &Weights<'_>) -> Result<Self> {
        let inside = width / 2;
        Ok(Self {
            squeeze: linear(&weights.at("fc1"), (width, inside))?,
            expand: linear(&weights.at("fc2"), (inside, width))?,
        })
    }

    /// The gate's values, [B, 2 T, C]: what the published model classifies, although it never weighs features with
    /// them.
    ///
    /// # Errors
    /// The shapes do not fit, or the device fails.
    pub fn gates(&self, spatial: &Tensor, temporal: &Tensor) -> Result<Tensor> {
        self.of_stacked(&Tensor::cat(&[spatial, temporal], 1)?)
    }

    /// The features times the gate's values, [B, 2 T, C].
    ///
    /// # Errors
    /// The shapes do not fit, or the device fails.
    pub fn forward(&self, spatial: &Tensor, temporal: &Tensor) -> Result<Tensor> {
        let stacked = Tensor::cat(&[spatial, temporal], 1)?;
        Ok((self.of_stacked(&stacked)? * stacked)?)
    }

    fn of_stacked(&self, stacked: &Tensor) -> Result<Tensor> {
        let inside = self.squeeze.forward(stacked)?.relu()?;
        Ok(apply_activation(&self.expand.forward(&inside)?, Activation::Sigmoid)?)
    }
}
