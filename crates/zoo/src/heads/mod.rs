//! Clip to temporal features: one file a head.
//!
//! A head takes spatial features [B, T, C], or feature maps [B, T, C, h, w] where its name says so, and gives temporal
//! features [B, T, C']. A head that sums up the whole clip gives one time step, [B, 1, C'].

mod attention;
mod conv1d;
mod conv3d;
mod dilated;
mod lstm;
mod r2plus1d;
mod transformer;

use std::rc::Rc;

use candle_core::Tensor;
use nn::TrainingContext;

pub use attention::AttentionHead;
pub use conv1d::Conv1dHead;
pub use conv3d::Conv3dHead;
pub use dilated::DilatedHead;
pub use lstm::{LstmConfig, LstmHead};
pub use r2plus1d::R2Plus1dHead;
pub(crate) use r2plus1d::factorized_width;
pub use transformer::TransformerHead;

use crate::weights::Weights;
use crate::{HeadName, Result, ZooError};

/// A network over the features of a clip.
pub trait ClipNetwork: Send + Sync {
    /// Maps spatial features [B, T, C], or feature maps [B, T, C, h, w], to temporal features [B, T, C'] or [B, 1, C'].
    ///
    /// # Errors
    /// The shapes do not fit, or the device fails.
    fn temporal(&self, spatial: &Tensor) -> Result<Tensor>;

    /// The same on Candle's graph, for heads whose layers do something else while they learn.
    ///
    /// # Errors
    /// The shapes do not fit, or the device fails.
    fn forward_training(&self, spatial: &Tensor, _context: &Rc<TrainingContext>) -> Result<Tensor> {
        self.temporal(spatial)
    }
}

/// A temporal head of any kind.
pub struct Head {
    /// `None`: temporal features equal spatial ones.
    network: Option<Box<dyn ClipNetwork>>,
    takes_maps: bool,
}

impl Head {
    /// Reads the head `name` for vectors or maps of `width` channels.
    ///
    /// # Errors
    /// A tensor is missing or has another shape.
    pub fn read(name: HeadName, width: usize, weights: &Weights<'_>) -> Result<Self> {
        let conv1d = |dilation| Conv1dHead::read_dilated(width, dilation, weights);
        let lstm = |layers, bidirectional| {
            LstmHead::read(LstmConfig::usual(width, layers, bidirectional), &weights.at("lstm"))
        };
        let network: Box<dyn ClipNetwork> = match name {
            HeadName::None => return Ok(Self { network: None, takes_maps: false }),
            HeadName::Conv1d => Box::new(conv1d(1)?),
            HeadName::Conv1dDilation2 => Box::new(conv1d(2)?),
            HeadName::Conv1dDilation4 => Box::new(conv1d(4)?),
            HeadName::Dilated => Box::new(DilatedHead::read(width, weights)?),
            HeadName::Lstm1 => Box::new(lstm(1, false)?),
            HeadName::Lstm2 => Box::new(lstm(2, false)?),
            HeadName::Lstm3 => Box::new(lstm(3, false)?),
            HeadName::BiLstm1 => Box::new(lstm(1, true)?),
            HeadName::BiLstm2 => Box::new(lstm(2, true)?),
            HeadName::BiLstm3 => Box::new(lstm(3, true)?),
            HeadName::Attention => Box::new(AttentionHead::read(width, weights)?),
            HeadName::Transformer => Box::new(TransformerHead::read(width, weights)?),
            HeadName::Conv3d => Box::new(Conv3dHead::read(width, weights)?),
            HeadName::R2Plus1d => Box::new(R2Plus1dHead::read(width, weights)?),
        };
        Ok(Self { network: Some(network), takes_maps: Self::takes_maps(name) })
    }

    /// Returns true if the head looks at feature maps [B, T, C, h, w] instead of vectors.
    pub fn takes_maps(name: HeadName) -> bool {
        matches!(name, HeadName::Conv3d | HeadName::R2Plus1d)
    }

    /// Channels of the temporal features that the head gives for spatial features of `width` channels.
    pub fn width(name: HeadName, width: usize) -> usize {
        let lstm = |bidirectional| LstmConfig::usual(width, 1, bidirectional).width_out();
        match name {
            HeadName::Lstm1 | HeadName::Lstm2 | HeadName::Lstm3 => lstm(false),
            HeadName::BiLstm1 | HeadName::BiLstm2 | HeadName::BiLstm3 => lstm(true),
            HeadName::Conv3d => Conv3dHead::WIDTH,
            HeadName::R2Plus1d => R2Plus1dHead::WIDTH,
            _ => width,
        }
    }

    /// Maps spatial features [B, T, C], or maps [B, T, C, h, w], to temporal features [B, T, C'] or [B, 1, C'].
    ///
    /// # Errors
    /// The shapes do not fit, or the device fails.
    pub fn forward(&self, spatial: &Tensor) -> Result<Tensor> {
        self.through(spatial, |network| network.temporal(spatial))
    }

    /// As [`Self::forward`], on Candle's graph: what of the weights are variables gets its gradient.
    ///
    /// # Errors
    /// The shapes do not fit, or the device fails.
    pub fn forward_training(&self, spatial: &Tensor, context: &Rc<TrainingContext>) -> Result<Tensor> {
        self.through(spatial, |network| network.forward_training(spatial, context))
    }

    fn through(&self, spatial: &Tensor, run: impl FnOnce(&dyn ClipNetwork) -> Result<Tensor>) -> Result<Tensor> {
        match (self.takes_maps, spatial.dims().len()) {
            (false, 3) | (true, 5) => {}
            (takes_maps, _) => {
                let expected = if takes_maps { "feature maps [B, T, C, h, w]" } else { "clips [B, T, C]" };
                return Err(ZooError::InputShape { expected, found: spatial.dims().to_vec() });
            }
        }
        match &self.network {
            None => Ok(spatial.clone()),
            Some(network) => run(network.as_ref()),
        }
    }
}
