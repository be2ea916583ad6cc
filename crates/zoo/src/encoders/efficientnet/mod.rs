//! EfficientNet (Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML 2019) and
//! EfficientNetV2 (Tan and Le, "EfficientNetV2: Smaller Models and Faster Training", ICML 2021).

mod block;
mod config;
mod places;

use nn::{Activation, Conv2d, FeatureMaps};

pub use config::{EfficientNetConfig, Expansion, Stage};

use super::framework::{ConvSizes, Framework};
use super::{FrameConfig, FrameNetwork};
use crate::Result;
use crate::weights::Weights;
use block::Block;
use places::Places;

impl FrameConfig for EfficientNetConfig {
    fn network(&self, weights: &Weights<'_>) -> Result<Box<dyn FrameNetwork>> {
        let root = match self.framework {
            Framework::Torch => weights.at("features"),
            Framework::Keras => self.framework.root(weights),
        };
        Ok(Box::new(EfficientNet::read(self, &root)?))
    }

    fn vector_width(&self) -> usize {
        self.head
    }
}

/// An EfficientNet without its classifier.
pub struct EfficientNet {
    config: EfficientNetConfig,
    stem: Conv2d,
    blocks: Vec<Block>,
    head: Conv2d,
}

impl EfficientNet {
    /// Reads the network from weights at torchvision's `features` or at the root of Keras' names.
    ///
    /// # Errors
    /// A tensor is missing or has another shape.
    pub fn read(config: &EfficientNetConfig, weights: &Weights<'_>) -> Result<Self> {
        let places = Places { config, weights };
        let stem = places.stem(ConvSizes::new(3, config.stem, 3, 2))?.with_activation(Activation::Silu);
        let mut blocks = Vec::new();
        let mut width = config.stem;
        for (index, stage) in config.stages.iter().enumerate() {
            for block in 0..stage.blocks {
                let stride = if block == 0 { stage.stride } else { 1 };
                blocks.push(Block::read(&places, (index, block), width, stride)?);
                width = stage.width;
            }
        }
        let head = places.head(ConvSizes::new(width, config.head, 1, 1))?.with_activation(Activation::Silu);
        Ok(Self { config: config.clone(), stem, blocks, head })
    }
}

impl FrameNetwork for EfficientNet {
    fn maps(&self, frames: &FeatureMaps) -> Result<FeatureMaps> {
        let framework = self.config.framework;
        let mut x = self.stem.over(frames, framework.padding(frames, 3, 2)?)?;
        for block in &self.blocks {
            x = block.forward(framework, &x)?;
        }
        Ok(self.head.over(&x, nn::Padding::symmetric(0))?)
    }
}
