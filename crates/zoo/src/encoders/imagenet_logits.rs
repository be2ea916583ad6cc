use nn::{Conv2d, FeatureMaps, Padding};

use super::{EfficientNet, EfficientNetConfig, FrameNetwork};
use crate::Result;
use crate::transformer::linear;
use crate::weights::Weights;

/// An EfficientNet-B2 whose vectors are its thousand ImageNet logits: 9,109,994 parameters.
///
/// The reference system's image model and its CNN-LSTM keep that layer and build on what it says.
pub struct ImageNetLogits {
    features: EfficientNet,
    classes: Conv2d,
}

impl ImageNetLogits {
    /// Length of a vector.
    pub const WIDTH: usize = 1000;

    /// Reads `features` and `classifier.1` from weights at the root of torchvision's names.
    ///
    /// # Errors
    /// A tensor is missing or has another shape.
    pub fn read(weights: &Weights<'_>) -> Result<Self> {
        let config = EfficientNetConfig::b2();
        Ok(Self {
            features: EfficientNet::read(&config, &weights.at("features"))?,
            classes: linear(&weights.at("classifier").at(1), (config.head, Self::WIDTH))?.into_pointwise()?,
        })
    }
}

impl FrameNetwork for ImageNetLogits {
    fn maps(&self, frames: &FeatureMaps) -> Result<FeatureMaps> {
        self.features.maps(frames)
    }

    fn vectors(&self, frames: &FeatureMaps) -> Result<FeatureMaps> {
        Ok(self.classes.over(&self.features.vectors(frames)?, Padding::symmetric(0))?)
    }
}
