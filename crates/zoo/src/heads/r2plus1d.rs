use std::rc::Rc;

use candle_core::Tensor;
use nn::{Activation, Conv3d, Geometry3d, TrainingContext};

use super::ClipNetwork;
use super::conv3d::mean_over_clip;
use crate::Result;
use crate::encoders::Framework;
use crate::weights::Weights;

/// A (2+1)D block (Tran et al., "A Closer Look at Spatiotemporal Convolutions for Action Recognition", CVPR 2018): a
/// convolution over the image, then one over time, beside a 1x1x1 shortcut; then the mean.
///
/// Feature maps [B, T, C, h, w] to [B, 1, 64]. This definition is ours.
pub struct R2Plus1dHead {
    spatial: Conv3d,
    temporal: Conv3d,
    shortcut: Conv3d,
}

impl R2Plus1dHead {
    /// Channels out.
    pub const WIDTH: usize = 64;

    const NORM_EPS: f64 = 1e-5;

    /// Reads `spatial`, `temporal` and `shortcut`, convolutions without bias, and their norms `bn1`, `bn2` and `bn3`.
    ///
    /// # Errors
    /// A tensor is missing or has another shape.
    pub fn read(width: usize, weights: &Weights<'_>) -> Result<Self> {
        let inside = factorized_width(width, Self::WIDTH);
        let read = |conv: &str, norm: &str, [width_out, width_in, time, space]: [usize; 4]| -> Result<Conv3d> {
            let kernel = weights.at(conv).tensor("weight", &[width_out, width_in, time, space, space])?;
            let norm = Framework::Torch.batch_norm(&weights.at(norm), width_out, Self::NORM_EPS)?;
            Ok(Conv3d::new(&kernel, Geometry3d::keeping(time, space))?.with_norm(&norm)?)
        };
        Ok(Self {
            spatial: read("spatial", "bn1", [inside, width, 1, 3])?.with_activation(Activation::Relu),
            temporal: read("temporal", "bn2", [Self::WIDTH, inside, 3, 1])?,
            shortcut: read("shortcut", "bn3", [Self::WIDTH, width, 1, 1])?,
        })
    }
}

impl ClipNetwork for R2Plus1dHead {
    fn temporal(&self, maps: &Tensor) -> Result<Tensor> {
        self.block(maps, |conv, x| conv.forward(x))
    }

    fn forward_training(&self, maps: &Tensor, context: &Rc<TrainingContext>) -> Result<Tensor> {
        self.block(maps, |conv, x| conv.forward_training(x, context))
    }
}

impl R2Plus1dHead {
    fn block(&self, maps: &Tensor, convolve: impl Fn(&Conv3d, &Tensor) -> nn::Result<Tensor>) -> Result<Tensor> {
        let x = convolve(&self.temporal, &convolve(&self.spatial, maps)?)?;
        mean_over_clip(&(x + convolve(&self.shortcut, maps)?)?.relu()?)
    }
}

/// Channels between the two convolutions, with which they have as many parameters as the 3x3x3 convolution they
/// replace.
pub(crate) fn factorized_width(width_in: usize, width_out: usize) -> usize {
    27 * width_in * width_out / (9 * width_in + 3 * width_out)
}
