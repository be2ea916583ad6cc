use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::weights::{TensorSource, Weights};
use crate::{Classifier, Encoder, EncoderName, Fusion, FusionName, Head, HeadName, Result, ZooError};

/// The parts that make a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Architecture {
    /// Frame to vector.
    pub encoder: EncoderName,
    /// Clip to temporal features.
    pub head: HeadName,
    /// Spatial and temporal features to one.
    pub fusion: FusionName,
}

/// A model ready to run on a device.
pub struct Model {
    encoder: Encoder,
    head: Head,
    fusion: Fusion,
    classifier: Classifier,
    sha256: String,
    device: Device,
}

/// What a model says of a batch of clips.
pub struct ModelOutput {
    /// [B, classes], before the softmax.
    pub logits: Tensor,
}

impl Model {
    /// Reads a model with `classes` outputs; the parts are named `encoder`, `head`, `fusion` and `classifier`.
    pub fn read(
        architecture: Architecture,
        classes: usize,
        source: &dyn TensorSource,
        device: &Device,
    ) -> Result<Self> {
        let width = Encoder::width(architecture.encoder);
        Weights::read_all(source, device, '.', |weights| {
            Ok(Self {
                encoder: Encoder::read(architecture.encoder, &weights.at("encoder"))?,
                head: Head::read(architecture.head, width, &weights.at("head"))?,
                fusion: Fusion::read(architecture.fusion, width, &weights.at("fusion"))?,
                classifier: Classifier::read(width, classes, &weights.at("classifier"))?,
                sha256: source.sha256(),
                device: device.clone(),
            })
        })
    }

    /// Encodes frames [N, 3, H, W], values 0 to 1, as vectors [N, C].
    pub fn encode(&self, frames: &Tensor) -> Result<Tensor> {
        self.encoder.forward(frames)
    }

    /// Classifies clips of encoded frames [B, T, C].
    pub fn classify(&self, clips: &Tensor) -> Result<ModelOutput> {
        if clips.dims().len() != 3 {
            return Err(ZooError::InputShape { expected: "clips [B, T, C]", found: clips.dims().to_vec() });
        }
        let temporal = self.head.forward(clips)?;
        let fused = self.fusion.forward(clips, &temporal)?;
        Ok(ModelOutput { logits: self.classifier.forward(&fused)? })
    }

    /// The hexadecimal sha256 of the weights.
    pub fn weights_sha256(&self) -> &str {
        &self.sha256
    }

    /// The device that the weights are on.
    pub fn device(&self) -> &Device {
        &self.device
    }
}
