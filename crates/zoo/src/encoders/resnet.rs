//! ResNet with bottlenecks (He et al., "Deep Residual Learning for Image Recognition", CVPR 2016).

use nn::{Activation, Conv2d, FeatureMaps, Padding};

use super::framework::{ConvSizes, Framework};
use super::{FrameConfig, FrameNetwork};
use crate::Result;
use crate::weights::Weights;

/// The sizes of a ResNet.
#[derive(Debug, Clone)]
pub struct ResNetConfig {
    /// Bottlenecks in each of the four stages.
    pub blocks: [usize; 4],
    /// Channels of the stem and inside the first stage; every stage doubles them.
    pub stem: usize,
    /// Whose names and constants.
    pub framework: Framework,
}

impl ResNetConfig {
    /// ResNet50.
    pub fn resnet50(framework: Framework) -> Self {
        Self { blocks: [3, 4, 6, 3], stem: 64, framework }
    }

    /// ResNet101.
    pub fn resnet101(framework: Framework) -> Self {
        Self { blocks: [3, 4, 23, 3], stem: 64, framework }
    }

    /// Few and narrow blocks, for tests.
    pub fn miniature(framework: Framework) -> Self {
        Self { blocks: [1, 2, 1, 1], stem: 8, framework }
    }

    /// The length of the vector that stands for a frame.
    pub fn width(&self) -> usize {
        4 * (self.stem << 3)
    }
}

impl FrameConfig for ResNetConfig {
    fn network(&self, weights: &Weights<'_>) -> Result<Box<dyn FrameNetwork>> {
        Ok(Box::new(ResNet::read(self, &self.framework.root(weights))?))
    }

    fn vector_width(&self) -> usize {
        self.width()
    }
}

/// A ResNet without its classifier.
///
/// Keras' convolutions have biases and its bottlenecks stride in their first 1x1 convolution; torchvision's have none
/// and stride in the 3x3.
pub struct ResNet {
    stem: Conv2d,
    blocks: Vec<Bottleneck>,
}

impl ResNet {
    /// Reads the network from weights at the checkpoint's root.
    ///
    /// # Errors
    /// A tensor is missing or has another shape.
    pub fn read(config: &ResNetConfig, weights: &Weights<'_>) -> Result<Self> {
        let framework = config.framework;
        let (conv, norm) = match framework {
            Framework::Torch => ("conv1", "bn1"),
            Framework::Keras => ("conv1_conv", "conv1_bn"),
        };
        let stem = conv_norm(framework, (&weights.at(conv), &weights.at(norm)), ConvSizes::new(3, config.stem, 7, 2))?;
        let mut blocks = Vec::new();
        let mut width = config.stem;
        for (stage, &count) in config.blocks.iter().enumerate() {
            let inside = config.stem << stage;
            for block in 0..count {
                let stride = if block == 0 && stage > 0 { 2 } else { 1 };
                let places = Places { framework, weights, stage, block };
                blocks.push(Bottleneck::read(&places, [width, inside, 4 * inside], stride)?);
                width = 4 * inside;
            }
        }
        Ok(Self { stem: stem.with_activation(Activation::Relu), blocks })
    }
}

impl FrameNetwork for ResNet {
    fn maps(&self, frames: &FeatureMaps) -> Result<FeatureMaps> {
        let x = self.stem.over(frames, Padding::symmetric(3))?;
        let mut x = x.max_pool(3, 2, Padding::symmetric(1))?;
        for block in &self.blocks {
            x = block.forward(&x)?;
        }
        Ok(x)
    }
}

/// The names of one block's layers in the checkpoint.
struct Places<'a> {
    framework: Framework,
    weights: &'a Weights<'a>,
    stage: usize,
    block: usize,
}

impl Places<'_> {
    /// Convolution `number` of the block with its norm; number 0 is the shortcut.
    fn conv_norm(&self, number: usize, sizes: ConvSizes) -> Result<Conv2d> {
        let (conv, norm) = match self.framework {
            Framework::Torch => {
                let block = self.weights.at(format!("layer{}", self.stage + 1)).at(self.block);
                match number {
                    0 => (block.at("downsample").at(0), block.at("downsample").at(1)),
                    _ => (block.at(format!("conv{number}")), block.at(format!("bn{number}"))),
                }
            }
            Framework::Keras => {
                let layer = format!("conv{}_block{}_{number}", self.stage + 2, self.block + 1);
                (self.weights.at(format!("{layer}_conv")), self.weights.at(format!("{layer}_bn")))
            }
        };
        conv_norm(self.framework, (&conv, &norm), sizes)
    }
}

fn conv_norm(framework: Framework, places: (&Weights<'_>, &Weights<'_>), sizes: ConvSizes) -> Result<Conv2d> {
    let (conv, eps) = match framework {
        Framework::Torch => (framework.conv(places.0, sizes)?, 1e-5),
        Framework::Keras => (framework.conv_bias(places.0, sizes)?, 1.001e-5),
    };
    Ok(conv.with_norm(&framework.batch_norm(places.1, sizes.width_out, eps)?)?)
}

/// A 1x1, a 3x3 and a 1x1 convolution beside a shortcut.
struct Bottleneck {
    reduce: Conv2d,
    middle: Conv2d,
    expand: Conv2d,
    shortcut: Option<Conv2d>,
}

impl Bottleneck {
    fn read(places: &Places<'_>, [width_in, inside, width_out]: [usize; 3], stride: usize) -> Result<Self> {
        let (first_stride, middle_stride) = match places.framework {
            Framework::Torch => (1, stride),
            Framework::Keras => (stride, 1),
        };
        let reduce = places.conv_norm(1, ConvSizes::new(width_in, inside, 1, first_stride))?;
        let middle = places.conv_norm(2, ConvSizes::new(inside, inside, 3, middle_stride))?;
        let shortcut = match places.block {
            0 => Some(places.conv_norm(0, ConvSizes::new(width_in, width_out, 1, stride))?),
            _ => None,
        };
        Ok(Self {
            reduce: reduce.with_activation(Activation::Relu),
            middle: middle.with_activation(Activation::Relu),
            expand: places.conv_norm(3, ConvSizes::new(inside, width_out, 1, 1))?,
            shortcut,
        })
    }

    fn forward(&self, input: &FeatureMaps) -> Result<FeatureMaps> {
        let none = Padding::symmetric(0);
        let x = self.reduce.over(input, none)?;
        let x = self.middle.over(&x, Padding::symmetric(1))?;
        let x = self.expand.over(&x, none)?;
        Ok(match &self.shortcut {
            Some(shortcut) => x.add(&shortcut.over(input, none)?, Activation::Relu)?,
            None => x.add(input, Activation::Relu)?,
        })
    }
}
