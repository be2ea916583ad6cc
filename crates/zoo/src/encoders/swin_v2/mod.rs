//! Swin Transformer V2 as in torchvision (Liu et al., "Swin Transformer V2: Scaling Up Capacity and Resolution", CVPR
//! 2022).

mod attention;

use nn::{Activation, Conv2d, FeatureMaps, LayerNorm, Padding};

use super::{FrameConfig, FrameNetwork};
use crate::Result;
use crate::transformer::{Mlp, layer_norm};
use crate::weights::Weights;
use attention::WindowAttention;

/// The sizes of a Swin Transformer V2.
#[derive(Debug, Clone)]
pub struct SwinV2Config {
    /// Channels of the first stage; every stage doubles them.
    pub width: usize,
    /// Blocks in each of the four stages.
    pub blocks: [usize; 4],
    /// Attention heads in each of the four stages.
    pub heads: [usize; 4],
    /// Side of a window, in tokens.
    pub window: usize,
}

impl SwinV2Config {
    /// Swin V2 Tiny with windows of 8 x 8.
    pub fn tiny() -> Self {
        Self { width: 96, blocks: [2, 2, 6, 2], heads: [3, 6, 12, 24], window: 8 }
    }

    /// Swin V2 Base with windows of 8 x 8.
    pub fn base() -> Self {
        Self { width: 128, blocks: [2, 2, 18, 2], heads: [4, 8, 16, 32], window: 8 }
    }

    /// Few and narrow blocks with windows of 4 x 4, for tests.
    pub fn miniature() -> Self {
        Self { width: 16, blocks: [2, 1, 1, 1], heads: [1, 2, 4, 8], window: 4 }
    }

    /// The length of the vector that stands for a frame.
    pub fn last_width(&self) -> usize {
        self.width << 3
    }
}

/// Epsilon of every layer norm.
const NORM_EPS: f64 = 1e-5;
/// Side of a patch in pixels.
const PATCH: usize = 4;

impl FrameConfig for SwinV2Config {
    fn network(&self, weights: &Weights<'_>) -> Result<Box<dyn FrameNetwork>> {
        Ok(Box::new(SwinV2::read(self, weights)?))
    }

    fn vector_width(&self) -> usize {
        self.last_width()
    }
}

/// A Swin Transformer V2 without its classifier.
pub struct SwinV2 {
    patches: Conv2d,
    patch_norm: LayerNorm,
    stages: Vec<(Vec<Block>, Option<Merging>)>,
    last: LayerNorm,
}

impl SwinV2 {
    /// Reads the network from weights at the checkpoint's root.
    ///
    /// # Errors
    /// A tensor is missing or has another shape.
    pub fn read(config: &SwinV2Config, weights: &Weights<'_>) -> Result<Self> {
        let features = weights.at("features");
        let projection = features.at(0).at(0);
        let kernel = projection.tensor("weight", &[config.width, 3, PATCH, PATCH])?;
        let patches = Conv2d::new(kernel, Some(projection.tensor("bias", &[config.width])?), PATCH, 1);
        let mut stages = Vec::new();
        for (stage, (&count, &heads)) in config.blocks.iter().zip(&config.heads).enumerate() {
            let width = config.width << stage;
            let blocks = (0..count).map(|block| {
                let shift = if block % 2 == 0 { 0 } else { config.window / 2 };
                let windows = (config.window, shift);
                Block::read(&features.at(2 * stage + 1).at(block), (width, heads), windows)
            });
            let blocks = blocks.collect::<Result<_>>()?;
            let merging = match stage + 1 < config.blocks.len() {
                true => Some(Merging::read(&features.at(2 * stage + 2), width)?),
                false => None,
            };
            stages.push((blocks, merging));
        }
        Ok(Self {
            patches,
            patch_norm: layer_norm(&features.at(0).at(2), config.width, NORM_EPS)?,
            stages,
            last: layer_norm(&weights.at("norm"), config.last_width(), NORM_EPS)?,
        })
    }
}

impl FrameNetwork for SwinV2 {
    fn maps(&self, frames: &FeatureMaps) -> Result<FeatureMaps> {
        let mut x = self.patch_norm.over(&self.patches.over(frames, Padding::symmetric(0))?)?;
        for (blocks, merging) in &self.stages {
            for block in blocks {
                x = block.over(&x)?;
            }
            if let Some(merging) = merging {
                x = merging.over(&x)?;
            }
        }
        Ok(self.last.over(&x)?)
    }
}

/// Attention within windows and two fully connected layers; a norm follows each before it is added to its input.
struct Block {
    attention: WindowAttention,
    attention_norm: LayerNorm,
    mlp: Mlp,
    mlp_norm: LayerNorm,
}

impl Block {
    fn read(weights: &Weights<'_>, (width, heads): (usize, usize), windows: (usize, usize)) -> Result<Self> {
        Ok(Self {
            attention: WindowAttention::read(&weights.at("attn"), (width, heads), windows)?,
            attention_norm: layer_norm(&weights.at("norm1"), width, NORM_EPS)?,
            mlp: Mlp::read(&weights.at("mlp"), width, 4 * width)?,
            mlp_norm: layer_norm(&weights.at("norm2"), width, NORM_EPS)?,
        })
    }

    fn over(&self, x: &FeatureMaps) -> Result<FeatureMaps> {
        let x = x.add(&self.attention_norm.over(&self.attention.over(x)?)?, Activation::Identity)?;
        Ok(x.add(&self.mlp_norm.over(&self.mlp.over(&x)?)?, Activation::Identity)?)
    }
}

/// Four neighbors become one token of twice the width.
struct Merging {
    reduce: Conv2d,
    norm: LayerNorm,
}

impl Merging {
    fn read(weights: &Weights<'_>, width: usize) -> Result<Self> {
        let reduce = weights.at("reduction").tensor("weight", &[2 * width, 4 * width])?;
        // torchvision's order of the four: top left, bottom left, top right, bottom right.
        let kernel = reduce.reshape((2 * width, 2, 2, width))?.permute((0, 3, 2, 1))?.contiguous()?;
        let reduce = Conv2d::new(kernel, None, 2, 1);
        Ok(Self { reduce, norm: layer_norm(&weights.at("norm"), 2 * width, NORM_EPS)? })
    }

    fn over(&self, x: &FeatureMaps) -> Result<FeatureMaps> {
        let (_, height, width) = x.size()?;
        let even = Padding { top: 0, left: 0, bottom: height % 2, right: width % 2 };
        Ok(self.norm.over(&self.reduce.over(x, even)?)?)
    }
}
