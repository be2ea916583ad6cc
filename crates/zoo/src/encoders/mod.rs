//! Frame to vector: one file an architecture.

mod efficientnet;
mod xception;

use candle_core::Tensor;

pub use efficientnet::{EfficientNet, EfficientNetConfig};
pub use xception::Xception;

use crate::weights::Weights;
use crate::{EncoderName, Result, ZooError};

/// An encoder of any architecture.
pub enum Encoder {
    /// EfficientNet.
    EfficientNet(EfficientNet),
    /// Xception.
    Xception(Box<Xception>),
}

impl Encoder {
    /// Reads the encoder `name` from weights whose root holds the checkpoint's own names.
    pub fn read(name: EncoderName, weights: &Weights<'_>) -> Result<Self> {
        Ok(match name {
            EncoderName::EfficientNetB2 => {
                Self::EfficientNet(EfficientNet::read(&EfficientNetConfig::b2(), &weights.at("features"))?)
            }
            EncoderName::EfficientNetTiny => {
                Self::EfficientNet(EfficientNet::read(&EfficientNetConfig::tiny(), &weights.at("features"))?)
            }
            EncoderName::Xception => Self::Xception(Box::new(Xception::read(&weights.separated_by('/'))?)),
        })
    }

    /// The length of the vector that stands for a frame.
    pub fn width(name: EncoderName) -> usize {
        match name {
            EncoderName::EfficientNetB2 => EfficientNetConfig::b2().head,
            EncoderName::EfficientNetTiny => EfficientNetConfig::tiny().head,
            EncoderName::Xception => Xception::WIDTH,
        }
    }

    /// Encodes frames [N, 3, H, W] with values in 0 to 1 as vectors [N, width].
    pub fn forward(&self, frames: &Tensor) -> Result<Tensor> {
        let shape = frames.dims();
        if shape.len() != 4 || shape[1] != 3 {
            return Err(ZooError::InputShape { expected: "frames [N, 3, H, W]", found: shape.to_vec() });
        }
        let map = match self {
            Self::EfficientNet(encoder) => encoder.forward(frames)?,
            Self::Xception(encoder) => encoder.forward(frames)?,
        };
        Ok(nn::global_average(&map)?)
    }
}
