use nn::{Conv2d, FeatureMaps, Padding};

use super::{EfficientNet, EfficientNetConfig, FrameConfig, FrameNetwork};
use crate::Result;
use crate::transformer::linear;
use crate::weights::Weights;

/// The sizes of [`ImageNetLogits`], of which there is one.
#[derive(Debug, Clone, Copy)]
pub struct ImageNetLogitsConfig;

impl FrameConfig for ImageNetLogitsConfig {
    fn network(&self, weights: &Weights<'_>) -> Result<Box<dyn FrameNetwork>> {
        Ok(Box::new(ImageNetLogits::read(weights)?))
    }

    fn vector_width(&self) -> usize {
        ImageNetLogits::WIDTH
    }

    fn map_width(&self) -> usize {
        EfficientNetConfig::b2().head
    }
}

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
