//! Clip to temporal features: one file a head. Every head takes spatial features [B, T, C] and gives [B, T, C].

mod conv1d;
mod dilated;

use candle_core::Tensor;

pub use conv1d::Conv1dHead;
pub use dilated::DilatedHead;

use crate::weights::Weights;
use crate::{HeadName, Result};

/// A temporal head of any kind.
pub enum Head {
    /// None: temporal features equal spatial ones.
    None,
    /// One convolution over time.
    Conv1d(Conv1dHead),
    /// Three dilated convolutions over time.
    Dilated(DilatedHead),
}

impl Head {
    /// Reads the head `name` for vectors of length `width`.
    pub fn read(name: HeadName, width: usize, weights: &Weights<'_>) -> Result<Self> {
        Ok(match name {
            HeadName::None => Self::None,
            HeadName::Conv1d => Self::Conv1d(Conv1dHead::read(width, weights)?),
            HeadName::Dilated => Self::Dilated(DilatedHead::read(width, weights)?),
        })
    }

    /// Maps spatial features [B, T, C] to temporal features [B, T, C].
    pub fn forward(&self, spatial: &Tensor) -> Result<Tensor> {
        match self {
            Self::None => Ok(spatial.clone()),
            Self::Conv1d(head) => head.forward(spatial),
            Self::Dilated(head) => head.forward(spatial),
        }
    }
}
