//! Vision Transformer as in torchvision (Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR 2021).

use candle_core::Tensor;
use nn::{Conv2d, FeatureMaps, LayerNorm, Padding};

use super::{FrameConfig, FrameNetwork};
use crate::transformer::{BlockSizes, TransformerBlock, layer_norm};
use crate::weights::Weights;
use crate::{Result, ZooError};

/// The sizes of a Vision Transformer.
#[derive(Debug, Clone)]
pub struct VitConfig {
    /// Length of a token.
    pub width: usize,
    /// Attention heads.
    pub heads: usize,
    /// Blocks.
    pub blocks: usize,
    /// Side of a patch in pixels.
    pub patch: usize,
    /// Side of the image in pixels; the learned positions fit no other.
    pub image_side: usize,
}

impl VitConfig {
    /// ViT-B/16 for images of 224 x 224.
    pub fn base16() -> Self {
        Self { width: 768, heads: 12, blocks: 12, patch: 16, image_side: 224 }
    }

    /// ViT-S/16 for images of 224 x 224, with the usual six heads.
    pub fn small16() -> Self {
        Self { width: 384, heads: 6, ..Self::base16() }
    }

    /// Few and narrow blocks for images of 32 x 32, for tests.
    pub fn miniature() -> Self {
        Self { width: 32, heads: 2, blocks: 2, patch: 8, image_side: 32 }
    }

    fn patches(&self) -> usize {
        (self.image_side / self.patch).pow(2)
    }
}

/// Epsilon of the last norm.
const NORM_EPS: f64 = 1e-6;

impl FrameConfig for VitConfig {
    fn network(&self, weights: &Weights<'_>) -> Result<Box<dyn FrameNetwork>> {
        Ok(Box::new(VisionTransformer::read(self, weights)?))
    }

    fn vector_width(&self) -> usize {
        self.width
    }
}

/// A Vision Transformer without its classifier; the class token stands for the frame.
pub struct VisionTransformer {
    config: VitConfig,
    patches: Conv2d,
    /// [1 + patches, C]: the class token and then nothing, each with its position.
    terms: Tensor,
    blocks: Vec<TransformerBlock>,
    last: LayerNorm,
}

impl VisionTransformer {
    /// Reads the network from weights at the checkpoint's root.
    ///
    /// # Errors
    /// A tensor is missing or has another shape.
    pub fn read(config: &VitConfig, weights: &Weights<'_>) -> Result<Self> {
        let VitConfig { width, heads, patch, .. } = *config;
        let sizes = BlockSizes { width, heads, inside: 4 * width };
        let projection = weights.at("conv_proj");
        let kernel = projection.tensor("weight", &[width, 3, patch, patch])?;
        let encoder = weights.at("encoder");
        let blocks = (0..config.blocks)
            .map(|block| TransformerBlock::read(sizes, &encoder.at("layers").at(format!("encoder_layer_{block}"))));
        let patches = Conv2d::new(kernel, Some(projection.tensor("bias", &[width])?), patch, 1);
        let class_token = weights.tensor("class_token", &[1, 1, width])?.pad_with_zeros(1, 0, config.patches())?;
        let positions = encoder.tensor("pos_embedding", &[1, config.patches() + 1, width])?;
        Ok(Self {
            patches,
            terms: (class_token + positions)?.squeeze(0)?,
            blocks: blocks.collect::<Result<_>>()?,
            last: layer_norm(&encoder.at("ln"), width, NORM_EPS)?,
            config: config.clone(),
        })
    }

    /// Maps frames [N, 3, H, W] to tokens [N, C, 1, 1 + patches], the class token first.
    fn tokens(&self, frames: &FeatureMaps) -> Result<FeatureMaps> {
        let side = self.config.image_side;
        let (channels, height, width) = frames.size()?;
        if height != side || width != side {
            return Err(ZooError::InputShape {
                expected: "frames of the size that its positions were learned for",
                found: vec![channels, height, width],
            });
        }
        let mut tokens = self.patches.over(frames, Padding::symmetric(0))?.prepend_token(&self.terms)?;
        for block in &self.blocks {
            tokens = block.over(&tokens)?;
        }
        Ok(self.last.over(&tokens)?)
    }
}

impl FrameNetwork for VisionTransformer {
    /// The patches' tokens where the patches are.
    fn maps(&self, frames: &FeatureMaps) -> Result<FeatureMaps> {
        let side = self.config.image_side / self.config.patch;
        Ok(self.tokens(frames)?.pixels(1, (side, side))?)
    }

    fn vectors(&self, frames: &FeatureMaps) -> Result<FeatureMaps> {
        Ok(self.tokens(frames)?.pixels(0, (1, 1))?)
    }
}
