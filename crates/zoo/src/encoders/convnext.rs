//! ConvNeXt (Liu et al., "A ConvNet for the 2020s", CVPR 2022).

use nn::{Activation, Conv2d, FeatureMaps, LayerNorm, Linear, Padding};

use super::framework::{ConvSizes, Framework};
use super::{FrameConfig, FrameNetwork};
use crate::Result;
use crate::weights::Weights;

/// The sizes of a ConvNeXt.
#[derive(Debug, Clone)]
pub struct ConvNextConfig {
    /// `tiny`, `base`, ...: part of Keras' layer names.
    pub size: &'static str,
    /// Channels of each of the four stages.
    pub widths: [usize; 4],
    /// Blocks in each of the four stages.
    pub blocks: [usize; 4],
    /// Whose names and layouts.
    pub framework: Framework,
}

impl ConvNextConfig {
    /// ConvNeXt-Tiny.
    pub fn tiny(framework: Framework) -> Self {
        Self { size: "tiny", widths: [96, 192, 384, 768], blocks: [3, 3, 9, 3], framework }
    }

    /// ConvNeXt-Base.
    pub fn base(framework: Framework) -> Self {
        Self { size: "base", widths: [128, 256, 512, 1024], blocks: [3, 3, 27, 3], framework }
    }

    /// Few and narrow blocks, for tests.
    pub fn miniature(framework: Framework) -> Self {
        Self { size: "miniature", widths: [8, 16, 24, 32], blocks: [1, 1, 2, 1], framework }
    }

    /// The length of the vector that stands for a frame.
    pub fn width(&self) -> usize {
        self.widths[3]
    }
}

/// Epsilon of the layer norms in both frameworks.
const NORM_EPS: f64 = 1e-6;
/// Ratio of the width inside a block to that outside.
const EXPANSION: usize = 4;

impl FrameConfig for ConvNextConfig {
    fn network(&self, weights: &Weights<'_>) -> Result<Box<dyn FrameNetwork>> {
        Ok(Box::new(ConvNext::read(self, &self.framework.root(weights))?))
    }

    fn vector_width(&self) -> usize {
        self.width()
    }
}

/// A ConvNeXt without its classifier.
pub struct ConvNext {
    stem: (Conv2d, LayerNorm),
    stages: Vec<(Option<Downsampling>, Vec<Block>)>,
    last: LayerNorm,
    framework: Framework,
}

impl ConvNext {
    /// Reads the network from weights at the checkpoint's root.
    ///
    /// # Errors
    /// A tensor is missing or has another shape.
    pub fn read(config: &ConvNextConfig, weights: &Weights<'_>) -> Result<Self> {
        let places = Places { config, weights };
        let framework = config.framework;
        let widths = config.widths;
        let stem = framework.conv_bias(&places.stem("conv"), ConvSizes::new(3, widths[0], 4, 4))?;
        let stem_norm = framework.layer_norm(&places.stem("layernorm"), widths[0], NORM_EPS)?;
        let mut stages = Vec::new();
        for (stage, (&width, &count)) in widths.iter().zip(&config.blocks).enumerate() {
            let downsampling = match stage.checked_sub(1) {
                Some(before) => Some(Downsampling::read(&places, before, (widths[before], width))?),
                None => None,
            };
            let blocks = (0..count).map(|block| Block::read(&places, (stage, block), width));
            stages.push((downsampling, blocks.collect::<Result<_>>()?));
        }
        let last = match framework {
            Framework::Torch => weights.at("classifier").at(0),
            Framework::Keras => weights.at("layer_normalization"),
        };
        let last = framework.layer_norm(&last, config.width(), NORM_EPS)?;
        Ok(Self { stem: (stem, stem_norm), stages, last, framework })
    }

    fn maps_before_last_norm(&self, frames: &FeatureMaps) -> Result<FeatureMaps> {
        let (stem, norm) = &self.stem;
        let mut x = norm.over(&stem.over(frames, Padding::symmetric(0))?)?;
        for (downsampling, blocks) in &self.stages {
            if let Some(downsampling) = downsampling {
                x = downsampling.forward(&x)?;
            }
            for block in blocks {
                x = block.forward(&x)?;
            }
        }
        Ok(x)
    }
}

impl FrameNetwork for ConvNext {
    fn maps(&self, frames: &FeatureMaps) -> Result<FeatureMaps> {
        Ok(self.last.over(&self.maps_before_last_norm(frames)?)?)
    }

    /// torchvision takes the mean before the last norm, Keras after it.
    fn vectors(&self, frames: &FeatureMaps) -> Result<FeatureMaps> {
        Ok(match self.framework {
            Framework::Torch => self.last.over(&self.maps_before_last_norm(frames)?.global_average()?)?,
            Framework::Keras => self.maps(frames)?.global_average()?,
        })
    }
}

/// The names of the layers in the checkpoint.
struct Places<'a> {
    config: &'a ConvNextConfig,
    weights: &'a Weights<'a>,
}

impl Places<'_> {
    fn keras(&self, layer: &str) -> Weights<'_> {
        self.weights.at(format!("convnext_{}_{layer}", self.config.size))
    }

    fn stem(&self, part: &str) -> Weights<'_> {
        match self.config.framework {
            Framework::Torch => self.weights.at("features").at(0).at(usize::from(part == "layernorm")),
            Framework::Keras => self.keras(&format!("stem_{part}")),
        }
    }

    /// A layer of the downsampling after stage `stage`.
    fn downsampling(&self, stage: usize, part: &str) -> Weights<'_> {
        match self.config.framework {
            Framework::Torch => self.weights.at("features").at(2 * stage + 2).at(usize::from(part == "conv")),
            Framework::Keras => self.keras(&format!("downsampling_{part}_{stage}")),
        }
    }

    /// A layer of a block by Keras' name for it.
    fn block(&self, (stage, block): (usize, usize), part: &str) -> Weights<'_> {
        match self.config.framework {
            Framework::Torch => {
                let place = self.weights.at("features").at(2 * stage + 1).at(block);
                match part {
                    "depthwise_conv" => place.at("block").at(0),
                    "layernorm" => place.at("block").at(2),
                    "pointwise_conv_1" => place.at("block").at(3),
                    "pointwise_conv_2" => place.at("block").at(5),
                    _ => place,
                }
            }
            Framework::Keras => self.keras(&format!("stage_{stage}_block_{block}_{part}")),
        }
    }
}

/// A norm and a 2x2 convolution of stride 2.
struct Downsampling {
    norm: LayerNorm,
    conv: Conv2d,
}

impl Downsampling {
    fn read(places: &Places<'_>, stage: usize, (width_in, width_out): (usize, usize)) -> Result<Self> {
        let framework = places.config.framework;
        Ok(Self {
            norm: framework.layer_norm(&places.downsampling(stage, "layernorm"), width_in, NORM_EPS)?,
            conv: framework
                .conv_bias(&places.downsampling(stage, "conv"), ConvSizes::new(width_in, width_out, 2, 2))?,
        })
    }

    fn forward(&self, x: &FeatureMaps) -> Result<FeatureMaps> {
        Ok(self.conv.over(&self.norm.over(x)?, Padding::symmetric(0))?)
    }
}

/// A 7x7 depthwise convolution, a norm, two fully connected layers over the channels, a learned scale for each channel.
struct Block {
    depthwise: Conv2d,
    norm: LayerNorm,
    expand: Conv2d,
    project: Conv2d,
}

impl Block {
    fn read(places: &Places<'_>, at: (usize, usize), width: usize) -> Result<Self> {
        let framework = places.config.framework;
        let inside = EXPANSION * width;
        let scale_shape: &[usize] = if framework == Framework::Torch { &[width, 1, 1] } else { &[width] };
        let depthwise = framework.conv_bias(&places.block(at, "depthwise_conv"), ConvSizes::depthwise(width, 7, 1))?;
        let norm = framework.layer_norm(&places.block(at, "layernorm"), width, NORM_EPS)?;
        let expand = framework.linear(&places.block(at, "pointwise_conv_1"), (width, inside))?;
        let (kernel, bias) = framework.kernel_and_bias(&places.block(at, "pointwise_conv_2"), (inside, width))?;
        // The scale comes right after the last layer, so it is part of it.
        let scale = places.block(at, "layer_scale").tensor("layer_scale", scale_shape)?.flatten_all()?;
        let project = Linear::from_input_major(kernel.broadcast_mul(&scale)?, Some((bias * &scale)?));
        Ok(Self {
            depthwise,
            norm,
            expand: expand.into_pointwise()?.with_activation(Activation::Gelu),
            project: project.into_pointwise()?,
        })
    }

    fn forward(&self, input: &FeatureMaps) -> Result<FeatureMaps> {
        let none = Padding::symmetric(0);
        let x = self.norm.over(&self.depthwise.over(input, Padding::symmetric(3))?)?;
        let x = self.project.over(&self.expand.over(&x, none)?, none)?;
        Ok(input.add(&x, Activation::Identity)?)
    }
}
