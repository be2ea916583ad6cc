use std::rc::Rc;

use candle_core::{D, Tensor};
use nn::{Activation, Conv3d, Geometry3d, TrainingContext};

use super::ClipNetwork;
use crate::encoders::Framework;
use crate::weights::Weights;
use crate::{Result, ZooError};

/// Three 3x3x3 convolutions, each with a norm, a ReLU and a halving of frames, rows and columns; then the mean.
///
/// Frames or feature maps [B, T, C, h, w] to [B, 1, 64]; at least 8 frames of 8 x 8. This definition is ours.
pub struct Conv3dHead {
    convs: Vec<Conv3d>,
}

impl Conv3dHead {
    /// Channels out.
    pub const WIDTH: usize = 64;

    const WIDTHS: [usize; 3] = [16, 32, Self::WIDTH];
    const NORM_EPS: f64 = 1e-5;
    /// Frames, rows or columns that three halvings leave one of.
    const SHORTEST: usize = 8;

    /// Reads `net.{0,1,2}.0`, convolutions without bias, and `net.{0,1,2}.1`, their norms.
    ///
    /// # Errors
    /// A tensor is missing or has another shape.
    pub fn read(width: usize, weights: &Weights<'_>) -> Result<Self> {
        let mut width_in = width;
        let mut convs = Vec::new();
        for (index, width_out) in Self::WIDTHS.into_iter().enumerate() {
            let layer = weights.at("net").at(index);
            let kernel = layer.at(0).tensor("weight", &[width_out, width_in, 3, 3, 3])?;
            let norm = Framework::Torch.batch_norm(&layer.at(1), width_out, Self::NORM_EPS)?;
            let conv = Conv3d::new(&kernel, Geometry3d::keeping(3, 3))?.with_norm(&norm)?;
            convs.push(conv.with_activation(Activation::Relu));
            width_in = width_out;
        }
        Ok(Self { convs })
    }
}

impl ClipNetwork for Conv3dHead {
    fn temporal(&self, maps: &Tensor) -> Result<Tensor> {
        self.halved_thrice(maps, |conv, x| conv.forward(x))
    }

    fn forward_training(&self, maps: &Tensor, context: &Rc<TrainingContext>) -> Result<Tensor> {
        self.halved_thrice(maps, |conv, x| conv.forward_training(x, context))
    }
}

impl Conv3dHead {
    fn halved_thrice(
        &self,
        maps: &Tensor,
        convolve: impl Fn(&Conv3d, &Tensor) -> nn::Result<Tensor>,
    ) -> Result<Tensor> {
        let (_, frames, _, height, width) = maps.dims5()?;
        if frames.min(height).min(width) < Self::SHORTEST {
            return Err(ZooError::InputShape {
                expected: "at least 8 frames of maps of at least 8 x 8",
                found: maps.dims().to_vec(),
            });
        }
        let mut x = maps.clone();
        for conv in &self.convs {
            x = nn::max_pool_2x2x2(&convolve(conv, &x)?)?;
        }
        mean_over_clip(&x)
    }
}

/// The mean over frames, rows and columns: [B, T, C, h, w] to [B, 1, C].
pub(super) fn mean_over_clip(x: &Tensor) -> Result<Tensor> {
    Ok(x.flatten_from(3)?.mean(D::Minus1)?.mean_keepdim(1)?)
}
