//! EfficientNet as in torchvision (Tan and Le, "EfficientNet: Rethinking Model Scaling", ICML 2019).

use candle_core::Tensor;
use nn::{Activation, BatchNorm, Conv2d, Padding};

use super::FrameNetwork;
use crate::Result;
use crate::weights::Weights;

/// One stage: inverted-residual blocks of the same width.
#[derive(Debug, Clone, Copy)]
pub struct Stage {
    /// How many times wider the block is inside than outside.
    pub expansion: usize,
    /// Side of the depthwise kernel, in pixels.
    pub kernel: usize,
    /// Stride of the first block.
    pub stride: usize,
    /// Channels out.
    pub width: usize,
    /// Number of blocks.
    pub blocks: usize,
}

/// The sizes of an EfficientNet.
#[derive(Debug, Clone)]
pub struct EfficientNetConfig {
    /// Channels of the stem.
    pub stem: usize,
    /// The stages in order.
    pub stages: Vec<Stage>,
    /// Channels of the last convolution, the length of the frame's vector.
    pub head: usize,
}

impl EfficientNetConfig {
    /// EfficientNet-B2: 7,700,994 parameters in its features.
    pub fn b2() -> Self {
        let stages = [
            (1, 3, 1, 16, 2),
            (6, 3, 2, 24, 3),
            (6, 5, 2, 48, 3),
            (6, 3, 2, 88, 4),
            (6, 5, 1, 120, 4),
            (6, 5, 2, 208, 5),
            (6, 3, 1, 352, 2),
        ];
        Self { stem: 32, stages: stages.map(Stage::from).to_vec(), head: 1408 }
    }

    /// The same kinds of blocks, hundreds of times cheaper: for tests and very small machines.
    pub fn tiny() -> Self {
        let stages = [(1, 3, 2, 8, 1), (4, 5, 2, 16, 1), (4, 3, 2, 24, 2)];
        Self { stem: 8, stages: stages.map(Stage::from).to_vec(), head: 96 }
    }
}

impl From<(usize, usize, usize, usize, usize)> for Stage {
    fn from((expansion, kernel, stride, width, blocks): (usize, usize, usize, usize, usize)) -> Self {
        Self { expansion, kernel, stride, width, blocks }
    }
}

/// Epsilon of torchvision's batch norms in this family.
const NORM_EPS: f64 = 1e-5;

/// An EfficientNet without its classifier.
pub struct EfficientNet {
    stem: Conv2d,
    blocks: Vec<Block>,
    head: Conv2d,
}

impl EfficientNet {
    /// Reads the network from weights at torchvision's `features`.
    pub fn read(config: &EfficientNetConfig, weights: &Weights<'_>) -> Result<Self> {
        let stem = conv_norm(&weights.at(0), (3, config.stem, 3, 2, 1))?.with_activation(Activation::Silu);
        let mut blocks = Vec::new();
        let mut width = config.stem;
        for (index, stage) in config.stages.iter().enumerate() {
            for block in 0..stage.blocks {
                let stride = if block == 0 { stage.stride } else { 1 };
                let weights = weights.at(index + 1).at(block).at("block");
                blocks.push(Block::read(&weights, width, stage, stride)?);
                width = stage.width;
            }
        }
        let head = conv_norm(&weights.at(config.stages.len() + 1), (width, config.head, 1, 1, 1))?
            .with_activation(Activation::Silu);
        Ok(Self { stem, blocks, head })
    }
}

impl FrameNetwork for EfficientNet {
    fn maps(&self, frames: &Tensor) -> Result<Tensor> {
        let mut x = self.stem.forward(frames, Padding::symmetric(1))?;
        for block in &self.blocks {
            x = block.forward(&x)?;
        }
        Ok(self.head.forward(&x, Padding::symmetric(0))?)
    }
}

/// An inverted residual: expand, depthwise, squeeze-excite, project.
struct Block {
    expand: Option<Conv2d>,
    depthwise: Conv2d,
    depthwise_padding: Padding,
    squeeze: Conv2d,
    excite: Conv2d,
    project: Conv2d,
    residual: bool,
}

impl Block {
    fn read(weights: &Weights<'_>, width_in: usize, stage: &Stage, stride: usize) -> Result<Self> {
        let inside = width_in * stage.expansion;
        let expands = stage.expansion != 1;
        let expand = match expands {
            true => Some(conv_norm(&weights.at(0), (width_in, inside, 1, 1, 1))?.with_activation(Activation::Silu)),
            false => None,
        };
        let first = usize::from(expands);
        let depthwise = conv_norm(&weights.at(first), (inside, inside, stage.kernel, stride, inside))?;
        let squeezed = (width_in / 4).max(1);
        let excitation = weights.at(first + 1);
        let project = conv_norm(&weights.at(first + 2), (inside, stage.width, 1, 1, 1))?;
        Ok(Self {
            expand,
            depthwise: depthwise.with_activation(Activation::Silu),
            depthwise_padding: Padding::symmetric(stage.kernel / 2),
            squeeze: conv_bias(&excitation.at("fc1"), inside, squeezed)?.with_activation(Activation::Silu),
            excite: conv_bias(&excitation.at("fc2"), squeezed, inside)?.with_activation(Activation::Sigmoid),
            project,
            residual: stride == 1 && width_in == stage.width,
        })
    }

    fn forward(&self, input: &Tensor) -> Result<Tensor> {
        let none = Padding::symmetric(0);
        let x = match &self.expand {
            Some(expand) => expand.forward(input, none)?,
            None => input.clone(),
        };
        let x = self.depthwise.forward(&x, self.depthwise_padding)?;
        let (batch, channels, _, _) = x.dims4()?;
        let pooled = nn::global_average(&x)?.reshape((batch, channels, 1, 1))?;
        let weights = self.excite.forward(&self.squeeze.forward(&pooled, none)?, none)?;
        let x = self.project.forward(&x.broadcast_mul(&weights)?, none)?;
        Ok(if self.residual { (x + input)? } else { x })
    }
}

/// A convolution at `0` with its norm at `1`; the sizes are (in, out, kernel, stride, groups).
fn conv_norm(weights: &Weights<'_>, sizes: (usize, usize, usize, usize, usize)) -> Result<Conv2d> {
    let (width_in, width_out, kernel, stride, groups) = sizes;
    let weight = weights.at(0).tensor("weight", &[width_out, width_in / groups, kernel, kernel])?;
    let norm = weights.at(1);
    let vector = |name: &str| norm.tensor(name, &[width_out]);
    let norm = BatchNorm {
        weight: vector("weight")?,
        bias: vector("bias")?,
        mean: vector("running_mean")?,
        variance: vector("running_var")?,
        eps: NORM_EPS,
    };
    Ok(Conv2d::new(weight, None, stride, groups).with_norm(&norm)?)
}

/// A 1x1 convolution with a bias.
fn conv_bias(weights: &Weights<'_>, width_in: usize, width_out: usize) -> Result<Conv2d> {
    let weight = weights.tensor("weight", &[width_out, width_in, 1, 1])?;
    Ok(Conv2d::new(weight, Some(weights.tensor("bias", &[width_out])?), 1, 1))
}
