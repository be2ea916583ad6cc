//! DenseNet (Huang et al., "Densely Connected Convolutional Networks", CVPR 2017).

use nn::{Activation, ChannelAffine, Conv2d, FeatureMaps, Padding};

use super::framework::{ConvSizes, Framework};
use super::{FrameConfig, FrameNetwork};
use crate::Result;
use crate::weights::Weights;

/// The sizes of a DenseNet.
#[derive(Debug, Clone)]
pub struct DenseNetConfig {
    /// Layers in each of the four dense blocks.
    pub layers: [usize; 4],
    /// Channels that every layer adds.
    pub growth: usize,
    /// Whose names and constants.
    pub framework: Framework,
}

impl DenseNetConfig {
    /// DenseNet121.
    pub fn densenet121(framework: Framework) -> Self {
        Self { layers: [6, 12, 24, 16], growth: 32, framework }
    }

    /// Few and narrow layers, for tests.
    pub fn miniature(framework: Framework) -> Self {
        Self { layers: [1, 2, 2, 1], growth: 8, framework }
    }

    /// The length of the vector that stands for a frame.
    pub fn width(&self) -> usize {
        let [first @ .., last] = self.layers;
        let halved = first.iter().fold(self.stem(), |width, count| (width + count * self.growth) / 2);
        halved + last * self.growth
    }

    /// Channels of the stem.
    fn stem(&self) -> usize {
        2 * self.growth
    }

    /// Channels between the two convolutions of a layer.
    fn bottleneck(&self) -> usize {
        4 * self.growth
    }

    fn norm_eps(&self) -> f64 {
        match self.framework {
            Framework::Torch => 1e-5,
            Framework::Keras => 1.001e-5,
        }
    }
}

impl FrameConfig for DenseNetConfig {
    fn network(&self, weights: &Weights<'_>) -> Result<Box<dyn FrameNetwork>> {
        Ok(Box::new(DenseNet::read(self, &self.framework.root(weights))?))
    }

    fn vector_width(&self) -> usize {
        self.width()
    }
}

/// A DenseNet without its classifier.
pub struct DenseNet {
    stem: Conv2d,
    blocks: Vec<(Vec<DenseLayer>, Option<Transition>)>,
    last: ChannelAffine,
}

impl DenseNet {
    /// Reads the network from weights at the checkpoint's root.
    ///
    /// # Errors
    /// A tensor is missing or has another shape.
    pub fn read(config: &DenseNetConfig, weights: &Weights<'_>) -> Result<Self> {
        let places = Places { config, weights };
        let stem = places.conv_norm("conv0", "norm0", ConvSizes::new(3, config.stem(), 7, 2))?;
        let mut blocks = Vec::new();
        let mut width = config.stem();
        for (block, &count) in config.layers.iter().enumerate() {
            let layers =
                (0..count).map(|layer| DenseLayer::read(&places, (block, layer), width + layer * config.growth));
            let layers = layers.collect::<Result<_>>()?;
            width += count * config.growth;
            let transition = match block + 1 < config.layers.len() {
                true => Some(Transition::read(&places, block, width)?),
                false => None,
            };
            blocks.push((layers, transition));
            if block + 1 < config.layers.len() {
                width /= 2;
            }
        }
        Ok(Self { stem: stem.with_activation(Activation::Relu), blocks, last: places.norm("norm5", width)? })
    }
}

impl FrameNetwork for DenseNet {
    fn maps(&self, frames: &FeatureMaps) -> Result<FeatureMaps> {
        let x = self.stem.over(frames, Padding::symmetric(3))?;
        let mut x = x.max_pool(3, 2, Padding::symmetric(1))?;
        for (layers, transition) in &self.blocks {
            for layer in layers {
                x = layer.forward(&x)?;
            }
            if let Some(transition) = transition {
                x = transition.forward(&x)?;
            }
        }
        Ok(self.last.over(&x)?)
    }
}

/// Reads layers by torchvision's names, translated for Keras.
struct Places<'a> {
    config: &'a DenseNetConfig,
    weights: &'a Weights<'a>,
}

impl Places<'_> {
    fn at(&self, torch_name: &str) -> Weights<'_> {
        match self.config.framework {
            Framework::Torch => self.weights.at("features").at(torch_name),
            Framework::Keras => self.weights.at(keras_name(torch_name)),
        }
    }

    fn conv(&self, torch_name: &str, sizes: ConvSizes) -> Result<Conv2d> {
        self.config.framework.conv(&self.at(torch_name), sizes)
    }

    fn conv_norm(&self, conv: &str, norm: &str, sizes: ConvSizes) -> Result<Conv2d> {
        let framework = self.config.framework;
        let norm = framework.batch_norm(&self.at(norm), sizes.width_out, self.config.norm_eps())?;
        Ok(self.conv(conv, sizes)?.with_norm(&norm)?)
    }

    /// A norm with a ReLU after it.
    fn norm(&self, torch_name: &str, width: usize) -> Result<ChannelAffine> {
        let norm = self.config.framework.batch_norm(&self.at(torch_name), width, self.config.norm_eps())?;
        Ok(ChannelAffine::new(&norm, Activation::Relu)?)
    }
}

/// Keras counts blocks from 2 and calls a transition a pool.
fn keras_name(torch_name: &str) -> String {
    let parts: Vec<&str> = torch_name.split('.').collect();
    let number = |part: &str, prefix: &str| part.strip_prefix(prefix).and_then(|rest| rest.parse::<usize>().ok());
    let suffix = |part: &str| match part {
        "norm1" => "0_bn",
        "conv1" => "1_conv",
        "norm2" => "1_bn",
        "conv2" => "2_conv",
        "norm" => "bn",
        _ => "conv",
    };
    match parts.as_slice() {
        ["conv0"] => "conv1/conv".to_owned(),
        ["norm0"] => "conv1/bn".to_owned(),
        [block, layer, part] => {
            let block = number(block, "denseblock").unwrap_or(0) + 1;
            let layer = number(layer, "denselayer").unwrap_or(0);
            format!("conv{block}_block{layer}_{}", suffix(part))
        }
        [transition, part] => {
            format!("pool{}_{}", number(transition, "transition").unwrap_or(0) + 1, suffix(part))
        }
        _ => "bn".to_owned(),
    }
}

/// Norm, 1x1, 3x3; the output is appended to the input's channels.
struct DenseLayer {
    norm: ChannelAffine,
    reduce: Conv2d,
    grow: Conv2d,
}

impl DenseLayer {
    fn read(places: &Places<'_>, (block, layer): (usize, usize), width: usize) -> Result<Self> {
        let at = |part: &str| format!("denseblock{}.denselayer{}.{part}", block + 1, layer + 1);
        let (bottleneck, growth) = (places.config.bottleneck(), places.config.growth);
        let norm = places.norm(&at("norm1"), width)?;
        let reduce = places.conv_norm(&at("conv1"), &at("norm2"), ConvSizes::new(width, bottleneck, 1, 1))?;
        Ok(Self {
            norm,
            reduce: reduce.with_activation(Activation::Relu),
            grow: places.conv(&at("conv2"), ConvSizes::new(bottleneck, growth, 3, 1))?,
        })
    }

    fn forward(&self, x: &FeatureMaps) -> Result<FeatureMaps> {
        let inside = self.reduce.over(&self.norm.over(x)?, Padding::symmetric(0))?;
        let grown = self.grow.over(&inside, Padding::symmetric(1))?;
        Ok(x.concatenate(&grown)?)
    }
}

/// Halves channels, rows and columns.
struct Transition {
    norm: ChannelAffine,
    reduce: Conv2d,
}

impl Transition {
    fn read(places: &Places<'_>, block: usize, width: usize) -> Result<Self> {
        let at = |part: &str| format!("transition{}.{part}", block + 1);
        Ok(Self {
            norm: places.norm(&at("norm"), width)?,
            reduce: places.conv(&at("conv"), ConvSizes::new(width, width / 2, 1, 1))?,
        })
    }

    fn forward(&self, x: &FeatureMaps) -> Result<FeatureMaps> {
        // The 1x1 convolution comes before the pooling in the original; both are linear, and pooled first it costs a
        // quarter.
        let pooled = self.norm.over(x)?.average_pool_2x2()?;
        Ok(self.reduce.over(&pooled, Padding::symmetric(0))?)
    }
}
