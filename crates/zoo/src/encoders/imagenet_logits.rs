use candle_core::Tensor;
use nn::Linear;

use super::{EfficientNet, EfficientNetConfig, FrameNetwork};
use crate::Result;
use crate::transformer::linear;
use crate::weights::Weights;

/// An EfficientNet-B2 whose vectors are its thousand ImageNet logits: 9,109,994 parameters.
///
/// The reference system's image model and its CNN-LSTM keep that layer and build on what it says.
pub struct ImageNetLogits {
    features: EfficientNet,
    classes: Linear,
}

impl ImageNetLogits {
    /// Length of a vector.
    pub const WIDTH: usize = 1000;

    /// Reads `features` and `classifier.1` from weights at the root of torchvision's names.
    pub fn read(weights: &Weights<'_>) -> Result<Self> {
        let config = EfficientNetConfig::b2();
        Ok(Self {
            classes: linear(&weights.at("classifier").at(1), (config.head, Self::WIDTH))?,
            features: EfficientNet::read(&config, &weights.at("features"))?,
        })
    }

    /// The logits of pooled features [N, 1408], [N, 1000].
    pub fn logits(&self, pooled: &Tensor) -> Result<Tensor> {
        Ok(self.classes.forward(pooled)?)
    }

    /// The features before that layer: frames [N, 3, H, W] to [N, 1408].
    pub fn pooled(&self, frames: &Tensor) -> Result<Tensor> {
        self.features.vectors(frames)
    }
}

impl FrameNetwork for ImageNetLogits {
    fn maps(&self, frames: &Tensor) -> Result<Tensor> {
        self.features.maps(frames)
    }

    fn vectors(&self, frames: &Tensor) -> Result<Tensor> {
        self.logits(&self.pooled(frames)?)
    }
}
