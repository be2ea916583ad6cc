//! Vision Transformer as in torchvision (Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR 2021).

use candle_core::Tensor;
use nn::{Conv2d, LayerNorm, Maps, Padding};

use super::FrameNetwork;
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

    fn patches(&self) -> usize {
        (self.image_side / self.patch).pow(2)
    }
}

/// Epsilon of the last norm.
const NORM_EPS: f64 = 1e-6;

/// A Vision Transformer without its classifier; the class token stands for the frame.
pub struct VisionTransformer {
    config: VitConfig,
    patches: Conv2d,
    class_token: Tensor,
    positions: Tensor,
    blocks: Vec<TransformerBlock>,
    last: LayerNorm,
}

impl VisionTransformer {
    /// Reads the network from weights at the checkpoint's root.
    pub fn read(config: &VitConfig, weights: &Weights<'_>) -> Result<Self> {
        let VitConfig { width, heads, patch, .. } = *config;
        let sizes = BlockSizes { width, heads, inside: 4 * width };
        let projection = weights.at("conv_proj");
        let kernel = projection.tensor("weight", &[width, 3, patch, patch])?;
        let encoder = weights.at("encoder");
        let blocks = (0..config.blocks)
            .map(|block| TransformerBlock::read(sizes, &encoder.at("layers").at(format!("encoder_layer_{block}"))));
        Ok(Self {
            patches: Conv2d::new(kernel, Some(projection.tensor("bias", &[width])?), patch, 1),
            class_token: weights.tensor("class_token", &[1, 1, width])?,
            positions: encoder.tensor("pos_embedding", &[1, config.patches() + 1, width])?,
            blocks: blocks.collect::<Result<_>>()?,
            last: layer_norm(&encoder.at("ln"), width, NORM_EPS)?,
            config: config.clone(),
        })
    }

    /// Maps frames [N, 3, H, W] to tokens [N, 1 + patches, C], the class token first.
    fn tokens(&self, frames: &Tensor) -> Result<Tensor> {
        let (count, _, height, width) = frames.dims4()?;
        if height != self.config.image_side || width != self.config.image_side {
            return Err(ZooError::InputShape {
                expected: "frames of the size that its positions were learned for",
                found: frames.dims().to_vec(),
            });
        }
        let patches = self.patches.forward(frames, Padding::symmetric(0))?;
        let patches = patches.flatten_from(2)?.transpose(1, 2)?;
        let class_token = self.class_token.broadcast_as((count, 1, self.config.width))?;
        let mut tokens = Tensor::cat(&[&class_token, &patches], 1)?.broadcast_add(&self.positions)?;
        for block in &self.blocks {
            tokens = block.forward(&tokens)?;
        }
        Ok(self.last.forward(&tokens)?)
    }
}

impl FrameNetwork for VisionTransformer {
    /// The patches' tokens where the patches are.
    fn maps(&self, frames: &Maps) -> Result<Maps> {
        let frames = frames.tensor()?;
        let side = self.config.image_side / self.config.patch;
        let patches = self.tokens(frames)?.narrow(1, 1, self.config.patches())?;
        let maps = patches.transpose(1, 2)?.contiguous()?;
        Ok(maps.reshape((frames.dim(0)?, self.config.width, side, side))?.into())
    }

    fn vectors(&self, frames: &Maps) -> Result<Maps> {
        let class_token = self.tokens(frames.tensor()?)?.narrow(1, 0, 1)?.transpose(1, 2)?;
        Ok(class_token.contiguous()?.unsqueeze(3)?.into())
    }

    fn can_be_noted(&self) -> bool {
        false
    }
}
