//! Xception as in `keras.applications` (Chollet, "Xception: Deep Learning with Depthwise Separable Convolutions", CVPR
//! 2017).

use nn::training::NormSettings;
use nn::{Activation, BatchNorm, Conv2d, FeatureMaps, Padding};

use super::framework::Framework;
use super::{FrameConfig, FrameNetwork};
use crate::Result;
use crate::weights::Weights;

/// Epsilon of Keras' batch norms.
const NORM_EPS: f64 = 1e-3;

/// The sizes of an Xception.
#[derive(Debug, Clone)]
pub struct XceptionConfig {
    /// Channels of the two first convolutions.
    pub stem: [usize; 2],
    /// Channels of the three blocks that halve the image; the middle has those of the last.
    pub entry: [usize; 3],
    /// Blocks in the middle.
    pub middle: usize,
    /// Channels of the block that halves the image a last time, and of the two convolutions after it.
    pub exit: [usize; 3],
}

impl XceptionConfig {
    /// The paper's: 20,861,480 parameters.
    pub fn paper() -> Self {
        Self { stem: [32, 64], entry: [128, 256, 728], middle: 8, exit: [1024, 1536, 2048] }
    }

    /// Few and narrow blocks, for tests.
    pub fn miniature() -> Self {
        Self { stem: [8, 16], entry: [16, 24, 32], middle: 1, exit: [48, 48, 64] }
    }

    /// The length of the vector that stands for a frame.
    pub fn width(&self) -> usize {
        self.exit[2]
    }
}

impl FrameConfig for XceptionConfig {
    fn network(&self, weights: &Weights<'_>) -> Result<Box<dyn FrameNetwork>> {
        Ok(Box::new(Xception::read(self, &Framework::Keras.root(weights))?))
    }

    fn vector_width(&self) -> usize {
        self.width()
    }
}

/// Xception without its classifier.
pub struct Xception {
    stem: [Conv2d; 2],
    entry: Vec<Downsampling>,
    middle: Vec<[Separable; 3]>,
    exit: Downsampling,
    last: [Separable; 2],
}

impl Xception {
    /// Reads the network from weights that hold Keras' names, such as `block1_conv1/kernel`.
    ///
    /// # Errors
    /// A tensor is missing or has another shape.
    pub fn read(config: &XceptionConfig, weights: &Weights<'_>) -> Result<Self> {
        let XceptionConfig { stem: [stem1, stem2], entry: [entry1, entry2, width], middle, exit: [exit, last1, last2] } =
            *config;
        let stem = |name: &str, width_in, width_out, stride| -> Result<Conv2d> {
            let conv = kernel(&weights.at(name), "kernel", [3, 3, width_in, width_out], stride, 1)?;
            Ok(conv.with_norm(&norm(weights, &format!("{name}_bn"), width_out)?)?.with_activation(Activation::Relu))
        };
        let entry = [(2, stem2, entry1), (3, entry1, entry2), (4, entry2, width)];
        Ok(Self {
            stem: [stem("block1_conv1", 3, stem1, 2)?, stem("block1_conv2", stem1, stem2, 1)?],
            entry: entry
                .into_iter()
                .enumerate()
                .map(|(index, (block, width_in, width_out))| {
                    Downsampling::read(weights, (block, index), [width_in, width_out, width_out])
                })
                .collect::<Result<_>>()?,
            middle: (5..5 + middle)
                .map(|block| {
                    Ok([
                        Separable::read(weights, block, 1, width, width)?,
                        Separable::read(weights, block, 2, width, width)?,
                        Separable::read(weights, block, 3, width, width)?,
                    ])
                })
                .collect::<Result<_>>()?,
            exit: Downsampling::read(weights, (5 + middle, 3), [width, width, exit])?,
            last: [
                Separable::read(weights, 6 + middle, 1, exit, last1)?,
                Separable::read(weights, 6 + middle, 2, last1, last2)?,
            ],
        })
    }
}

impl FrameNetwork for Xception {
    fn maps(&self, frames: &FeatureMaps) -> Result<FeatureMaps> {
        let mut x = frames.clone();
        for conv in &self.stem {
            x = conv.over(&x, Padding::symmetric(0))?;
        }
        for (index, block) in self.entry.iter().enumerate() {
            x = block.forward(&x, index > 0)?;
        }
        for block in &self.middle {
            let mut y = x.clone();
            for separable in block {
                y = separable.forward(&y.relu()?)?;
            }
            x = x.add(&y, Activation::Identity)?;
        }
        x = self.exit.forward(&x, true)?;
        for separable in &self.last {
            x = separable.forward(&x)?.relu()?;
        }
        Ok(x)
    }
}

/// Two separable convolutions and a pooling of stride 2, beside a strided 1x1 shortcut.
struct Downsampling {
    first: Separable,
    second: Separable,
    shortcut: Conv2d,
}

impl Downsampling {
    /// Reads block `block`, whose shortcut is the unnamed convolution number `shortcut` of the network.
    fn read(weights: &Weights<'_>, (block, shortcut): (usize, usize), widths: [usize; 3]) -> Result<Self> {
        let [width_in, middle, width_out] = widths;
        // Keras numbers layers without a name of their own: conv2d, conv2d_1, ...
        let suffix = if shortcut == 0 { String::new() } else { format!("_{shortcut}") };
        let first = Separable::read(weights, block, 1, width_in, middle)?;
        let second = Separable::read(weights, block, 2, middle, width_out)?;
        let conv = kernel(&weights.at(format!("conv2d{suffix}")), "kernel", [1, 1, width_in, width_out], 2, 1)?;
        let shortcut = conv.with_norm(&norm(weights, &format!("batch_normalization{suffix}"), width_out)?)?;
        Ok(Self { first, second, shortcut })
    }

    fn forward(&self, input: &FeatureMaps, relu_first: bool) -> Result<FeatureMaps> {
        let shortcut = self.shortcut.over_same(input)?;
        let x = if relu_first { input.relu()? } else { input.clone() };
        let x = self.first.forward(&x)?.relu()?;
        let x = self.second.forward(&x)?;
        let (_, height, width) = x.size()?;
        Ok(x.max_pool(3, 2, Padding::same(height, width, 3, 2))?.add(&shortcut, Activation::Identity)?)
    }
}

/// A depthwise and a pointwise convolution with one norm after the pair.
struct Separable {
    depthwise: Conv2d,
    pointwise: Conv2d,
}

impl Separable {
    fn read(weights: &Weights<'_>, block: usize, number: usize, width_in: usize, width_out: usize) -> Result<Self> {
        let name = format!("block{block}_sepconv{number}");
        let pair = weights.at(&name);
        let pointwise = kernel(&pair, "pointwise_kernel", [1, 1, width_in, width_out], 1, 1)?;
        Ok(Self {
            depthwise: kernel(&pair, "depthwise_kernel", [3, 3, width_in, 1], 1, width_in)?,
            pointwise: pointwise.with_norm(&norm(weights, &format!("{name}_bn"), width_out)?)?,
        })
    }

    fn forward(&self, x: &FeatureMaps) -> Result<FeatureMaps> {
        Ok(self.pointwise.over(&self.depthwise.over_same(x)?, Padding::symmetric(0))?)
    }
}

/// A Keras kernel [kh, kw, in, out] (depthwise: [kh, kw, channels, 1]) as a convolution.
fn kernel(weights: &Weights<'_>, name: &str, shape: [usize; 4], stride: usize, groups: usize) -> Result<Conv2d> {
    let kernel = weights.tensor(name, &shape)?;
    let kernel = if groups > 1 { kernel.permute((2, 3, 0, 1))? } else { kernel.permute((3, 2, 0, 1))? };
    Ok(Conv2d::new(kernel.contiguous()?, None, stride, groups))
}

fn norm(weights: &Weights<'_>, name: &str, width: usize) -> Result<BatchNorm> {
    let norm = weights.at(name);
    let vector = |name: &str| norm.tensor(name, &[width]);
    Ok(BatchNorm {
        weight: vector("gamma")?,
        bias: vector("beta")?,
        mean: vector("moving_mean")?,
        variance: vector("moving_variance")?,
        settings: NormSettings { eps: NORM_EPS, ..NormSettings::KERAS },
    })
}
