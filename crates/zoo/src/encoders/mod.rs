//! Frame to vector, and clip to vector: one file an architecture.
//!
//! A network reads the layers of each class in the order of the original's own list of layers: some files tell layers
//! apart by nothing else (`import::keras`).

mod convnext;
mod densenet;
mod efficientnet;
mod efficientnet_lite;
mod framework;
mod imagenet_logits;
mod kinetics_logits;
mod r2plus1d;
mod resnet;
mod run;
mod slow_resnet;
mod swin_v2;
mod table;
mod video;
mod vit;
mod xception;

use std::rc::Rc;

use candle_core::Tensor;
use nn::{FeatureMaps, InputRange, KernelChoice, ObservedNetwork, TrainingContext};

pub use convnext::{ConvNext, ConvNextConfig};
pub use densenet::{DenseNet, DenseNetConfig};
pub use efficientnet::{EfficientNet, EfficientNetConfig, Expansion, Stage};
pub use efficientnet_lite::EfficientNetLiteConfig;
pub use framework::{ConvSizes, Framework};
pub use imagenet_logits::{ImageNetLogits, ImageNetLogitsConfig};
pub use kinetics_logits::{KineticsLogits, KineticsLogitsConfig};
pub use r2plus1d::{R2Plus1d, R2Plus1dConfig};
pub use resnet::{ResNet, ResNetConfig};
pub use slow_resnet::{SlowResNet, SlowResNetConfig};
pub use swin_v2::{SwinV2, SwinV2Config};
pub use table::{EncoderName, VideoEncoderName};
pub use video::{VideoConfig, VideoEncoder, VideoNetwork};
pub use vit::{VisionTransformer, VitConfig};
pub use xception::{Xception, XceptionConfig};

use crate::Result;
use crate::weights::Weights;
use run::Runner;

/// A network that turns frames into feature maps and into vectors.
pub trait FrameNetwork: Send + Sync {
    /// Maps frames [N, 3, H, W] with values in 0 to 1 to feature maps [N, C, h, w].
    ///
    /// # Errors
    /// The shapes do not fit, or the device fails.
    fn maps(&self, frames: &FeatureMaps) -> Result<FeatureMaps>;

    /// Maps frames [N, 3, H, W] to vectors, maps of one pixel [N, C, 1, 1]; the mean of the feature maps unless the
    /// network has another way.
    ///
    /// # Errors
    /// The shapes do not fit, or the device fails.
    fn vectors(&self, frames: &FeatureMaps) -> Result<FeatureMaps> {
        Ok(self.maps(frames)?.global_average()?)
    }
}

/// The sizes of an encoder, which know how to read its network from the names of its framework.
pub trait FrameConfig {
    /// Reads the network from weights whose root holds the checkpoint's own names.
    ///
    /// # Errors
    /// A tensor is missing or has another shape.
    fn network(&self, weights: &Weights<'_>) -> Result<Box<dyn FrameNetwork>>;

    /// Returns the length of the vector that stands for a frame.
    fn vector_width(&self) -> usize;

    /// Returns the number of channels of the feature maps.
    fn map_width(&self) -> usize {
        self.vector_width()
    }
}

/// An encoder of any architecture.
pub struct Encoder {
    runner: Runner,
}

impl Encoder {
    /// Reads the encoder `name` from weights whose root holds the checkpoint's own names.
    ///
    /// # Errors
    /// A tensor is missing or has another shape.
    pub fn read(name: EncoderName, weights: &Weights<'_>) -> Result<Self> {
        Self::new(name.config().network(weights)?)
    }

    /// Returns an encoder that runs `network` as `ECHOLABEL_KERNELS` says, or by the fastest kernels.
    ///
    /// # Errors
    /// `ECHOLABEL_KERNELS` names no kernels that run here.
    pub fn new(network: Box<dyn FrameNetwork>) -> Result<Self> {
        Ok(Self { runner: Runner::new(network, KernelChoice::detect()?) })
    }

    /// The same encoder, run on a CPU as `choice` says.
    pub fn with_kernels(self, choice: KernelChoice) -> Self {
        Self { runner: self.runner.with_choice(choice) }
    }

    /// Packs the encoder for square frames of `size` pixels a side and for nothing else, to vectors or to feature
    /// maps, so that memory holds its weights once; nothing happens where layers are run one by one.
    pub(crate) fn pack_for_good(&mut self, maps: bool, size: usize) -> Result<()> {
        self.runner.pack_for_good(maps, (size, size))
    }

    /// Multiply-adds of the convolutions for one square frame; `None` where layers are run one by one.
    pub(crate) fn multiply_adds(&self, maps: bool, size: usize) -> Result<Option<u64>> {
        self.runner.multiply_adds(maps, (size, size))
    }

    /// The same encoder in int8, given the range of each convolution's input as an observer has seen it.
    ///
    /// # Errors
    /// The encoder cannot be run by the CPU kernels, or its weights do not fit.
    pub fn quantized(self, ranges: Vec<InputRange>) -> Result<Self> {
        Ok(Self { runner: self.runner.quantized(ranges)? })
    }

    /// An observer of the ranges on frames of 3 x height x width, as far as feature maps or vectors.
    ///
    /// # Errors
    /// The encoder cannot be run by the CPU kernels, or its weights do not fit.
    pub fn observer(&self, size: (usize, usize), maps: bool) -> Result<ObservedNetwork> {
        self.runner.observer(size, maps)
    }

    /// The length of the vector that stands for a frame.
    pub fn width(name: EncoderName) -> usize {
        name.config().vector_width()
    }

    /// Channels of the feature maps.
    pub fn map_width(name: EncoderName) -> usize {
        name.config().map_width()
    }

    /// Encodes frames [N, 3, H, W] with values in 0 to 1 as vectors [N, width].
    ///
    /// # Errors
    /// The shapes do not fit, or the device fails.
    pub fn forward(&self, frames: &Tensor) -> Result<Tensor> {
        self.runner.vectors(frames)
    }

    /// Encodes frames [N, 3, H, W] with values in 0 to 1 as feature maps [N, map width, h, w].
    ///
    /// # Errors
    /// The shapes do not fit, or the device fails.
    pub fn maps(&self, frames: &Tensor) -> Result<Tensor> {
        self.runner.maps(frames)
    }

    /// Encodes frames [N, 3, H, W] as vectors [N, width], or as maps [N, map width, h, w], on Candle's graph, so that
    /// tensors that are variables get their gradients.
    pub(crate) fn forward_training(
        &self,
        frames: &Tensor,
        maps: bool,
        context: &Rc<TrainingContext>,
    ) -> Result<Tensor> {
        self.runner.forward_training(frames, maps, context)
    }
}
