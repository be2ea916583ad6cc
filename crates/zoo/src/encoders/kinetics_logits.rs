use candle_core::Tensor;
use nn::{Clips, Linear};

use super::{SlowResNet, SlowResNetConfig, VideoConfig, VideoNetwork};
use crate::Result;
use crate::transformer::linear;
use crate::weights::Weights;

/// The sizes of [`KineticsLogits`], of which there is one.
#[derive(Debug, Clone, Copy)]
pub struct KineticsLogitsConfig;

impl VideoConfig for KineticsLogitsConfig {
    fn network(&self, weights: &Weights<'_>) -> Result<Box<dyn VideoNetwork>> {
        Ok(Box::new(KineticsLogits::read(weights)?))
    }

    fn vector_width(&self) -> usize {
        KineticsLogits::WIDTH
    }
}

/// A `slow_r50` whose vectors are its 400 Kinetics logits: 32,454,096 parameters.
///
/// The reference system's 3D model keeps that layer and builds on what it says.
pub struct KineticsLogits {
    features: SlowResNet,
    classes: Linear,
}

impl KineticsLogits {
    /// Length of a vector.
    pub const WIDTH: usize = 400;

    /// Reads the network and `blocks.5.proj` from weights at the root of PyTorchVideo's names.
    ///
    /// # Errors
    /// A tensor is missing or has another shape.
    pub fn read(weights: &Weights<'_>) -> Result<Self> {
        let config = SlowResNetConfig::slow_r50();
        Ok(Self {
            features: SlowResNet::read(&config, weights)?,
            classes: linear(&weights.at("blocks").at(5).at("proj"), (config.width(), Self::WIDTH))?,
        })
    }
}

impl VideoNetwork for KineticsLogits {
    fn maps(&self, clips: &Clips) -> Result<Clips> {
        self.features.maps(clips)
    }

    fn vectors(&self, maps: &Tensor) -> Result<Tensor> {
        Ok(self.classes.forward(&self.features.vectors(maps)?)?)
    }
}
