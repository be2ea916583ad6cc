//! The block that vision transformers and the transformer head are made of.

use candle_core::Tensor;
use nn::{Activation, LayerNorm, Linear, MultiHeadAttention};

use crate::Result;
use crate::weights::Weights;

/// The sizes of a transformer block.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BlockSizes {
    pub width: usize,
    pub heads: usize,
    /// Width inside the two fully connected layers.
    pub inside: usize,
}

/// Self-attention and two fully connected layers, each after a norm and added to its input (torchvision's names).
pub(crate) struct TransformerBlock {
    attention_norm: LayerNorm,
    attention: MultiHeadAttention,
    mlp_norm: LayerNorm,
    mlp: Mlp,
}

impl TransformerBlock {
    const NORM_EPS: f64 = 1e-6;

    pub(crate) fn read(sizes: BlockSizes, weights: &Weights<'_>) -> Result<Self> {
        let BlockSizes { width, heads, inside } = sizes;
        Ok(Self {
            attention_norm: layer_norm(&weights.at("ln_1"), width, Self::NORM_EPS)?,
            attention: attention(&weights.at("self_attention"), width, heads)?,
            mlp_norm: layer_norm(&weights.at("ln_2"), width, Self::NORM_EPS)?,
            mlp: Mlp::read(&weights.at("mlp"), width, inside)?,
        })
    }

    /// Maps tokens [B, T, C] to [B, T, C].
    pub(crate) fn forward(&self, tokens: &Tensor) -> Result<Tensor> {
        let attended = self.attention.forward(&self.attention_norm.forward(tokens)?)?;
        let tokens = (tokens + attended.values)?;
        Ok((&tokens + self.mlp.forward(&self.mlp_norm.forward(&tokens)?)?)?)
    }
}

/// Two fully connected layers with a GELU between them, at `0` and `3`.
pub(crate) struct Mlp {
    expand: Linear,
    project: Linear,
}

impl Mlp {
    pub(crate) fn read(weights: &Weights<'_>, width: usize, inside: usize) -> Result<Self> {
        Ok(Self { expand: linear(&weights.at(0), (width, inside))?, project: linear(&weights.at(3), (inside, width))? })
    }

    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        Ok(self.project.forward(&Activation::Gelu.forward(&self.expand.forward(x)?)?)?)
    }
}

/// Torch's `MultiheadAttention` at `weights`.
pub(crate) fn attention(weights: &Weights<'_>, width: usize, heads: usize) -> Result<MultiHeadAttention> {
    let weight = weights.tensor("in_proj_weight", &[3 * width, width])?;
    let project = Linear::new(&weight, Some(weights.tensor("in_proj_bias", &[3 * width])?))?;
    Ok(MultiHeadAttention::new(project, linear(&weights.at("out_proj"), (width, width))?, heads))
}

/// A fully connected layer in torch's layout.
pub(crate) fn linear(weights: &Weights<'_>, (width_in, width_out): (usize, usize)) -> Result<Linear> {
    let weight = weights.tensor("weight", &[width_out, width_in])?;
    Ok(Linear::new(&weight, Some(weights.tensor("bias", &[width_out])?))?)
}

/// A layer norm with torch's names.
pub(crate) fn layer_norm(weights: &Weights<'_>, width: usize, eps: f64) -> Result<LayerNorm> {
    Ok(LayerNorm::new(weights.tensor("weight", &[width])?, weights.tensor("bias", &[width])?, eps))
}
