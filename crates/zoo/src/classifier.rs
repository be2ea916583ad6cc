use candle_core::Tensor;
use nn::Linear;

use crate::Result;
use crate::transformer::linear;
use crate::weights::Weights;

/// The last layers: fused features, averaged over the clip's frames, to one logit a class.
pub struct Classifier {
    hidden: Vec<Linear>,
    last: Linear,
}

impl Classifier {
    /// Reads one layer: `weight` [classes, C] and `bias` [classes].
    ///
    /// # Errors
    /// A tensor is missing or has another shape.
    pub fn read(width: usize, classes: usize, weights: &Weights<'_>) -> Result<Self> {
        Self::read_deep(width, &[], classes, weights)
    }

    /// Reads layers with ReLU, `hidden.0`, `hidden.1`, ... of these widths, and then the last one.
    ///
    /// # Errors
    /// A tensor is missing or has another shape.
    pub fn read_deep(width: usize, hidden: &[usize], classes: usize, weights: &Weights<'_>) -> Result<Self> {
        let mut width_in = width;
        let mut layers = Vec::new();
        for (number, &width_out) in hidden.iter().enumerate() {
            layers.push(linear(&weights.at("hidden").at(number), (width_in, width_out))?);
            width_in = width_out;
        }
        Ok(Self { hidden: layers, last: linear(weights, (width_in, classes))? })
    }

    /// Returns the only layer; `None` where others with ReLU come before it.
    pub(crate) fn only_layer(&self) -> Option<&Linear> {
        self.hidden.is_empty().then_some(&self.last)
    }

    /// Maps fused features [B, T, C] to logits [B, classes].
    ///
    /// # Errors
    /// The shapes do not fit, or the device fails.
    pub fn forward(&self, fused: &Tensor) -> Result<Tensor> {
        let mut x = fused.mean(1)?;
        for layer in &self.hidden {
            x = layer.forward(&x)?.relu()?;
        }
        Ok(self.last.forward(&x)?)
    }
}
