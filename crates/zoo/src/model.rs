use candle_core::{D, Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::weights::{TensorSource, Weights};
use crate::{Classifier, Encoder, EncoderName, Fusion, FusionName, Head, HeadName, Result};

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
    takes_maps: bool,
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
        let takes_maps = Head::takes_maps(architecture.head);
        let width = match takes_maps {
            true => Encoder::map_width(architecture.encoder),
            false => Encoder::width(architecture.encoder),
        };
        let temporal_width = Head::width(architecture.head, width);
        let fused_width = Fusion::width(architecture.fusion, width, temporal_width);
        Weights::read_all(source, device, '.', |weights| {
            Ok(Self {
                encoder: Encoder::read(architecture.encoder, &weights.at("encoder"))?,
                head: Head::read(architecture.head, width, &weights.at("head"))?,
                fusion: Fusion::read(architecture.fusion, width, temporal_width, &weights.at("fusion"))?,
                classifier: Classifier::read(fused_width, classes, &weights.at("classifier"))?,
                takes_maps,
                sha256: source.sha256(),
                device: device.clone(),
            })
        })
    }

    /// Encodes frames [N, 3, H, W], values 0 to 1, as vectors [N, C], or as maps [N, C, h, w] where the head takes maps.
    pub fn encode(&self, frames: &Tensor) -> Result<Tensor> {
        if self.takes_maps { self.encoder.maps(frames) } else { self.encoder.forward(frames) }
    }

    /// Classifies clips of encoded frames: [B, T, C], or [B, T, C, h, w] where the head takes maps.
    pub fn classify(&self, clips: &Tensor) -> Result<ModelOutput> {
        let temporal = self.head.forward(clips)?;
        let spatial = if self.takes_maps { clips.flatten_from(3)?.mean(D::Minus1)? } else { clips.clone() };
        let fused = self.fusion.forward(&spatial, &temporal)?;
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
