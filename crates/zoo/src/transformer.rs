//! The block that vision transformers and the transformer head are made of.

use nn::{Activation, Conv2d, FeatureMaps, LayerNorm, Linear, MapAttention, MultiHeadAttention, Padding};

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

/// Self-attention and two fully connected layers, each after a norm and added to its input (torchvision's names). Tokens
/// are the pixels of maps.
pub(crate) struct TransformerBlock {
    attention_norm: LayerNorm,
    queries_keys_values: Conv2d,
    attention: MapAttention,
    output: Conv2d,
    mlp_norm: LayerNorm,
    mlp: Mlp,
}

impl TransformerBlock {
    const NORM_EPS: f64 = 1e-6;

    pub(crate) fn read(sizes: BlockSizes, weights: &Weights<'_>) -> Result<Self> {
        let BlockSizes { width, heads, inside } = sizes;
        let attention_norm = layer_norm(&weights.at("ln_1"), width, Self::NORM_EPS)?;
        let (queries_keys_values, output) = projections(&weights.at("self_attention"), width)?;
        Ok(Self {
            attention_norm,
            queries_keys_values: queries_keys_values.into_pointwise()?,
            attention: MapAttention::whole(width, heads),
            output: output.into_pointwise()?,
            mlp_norm: layer_norm(&weights.at("ln_2"), width, Self::NORM_EPS)?,
            mlp: Mlp::read(&weights.at("mlp"), width, inside)?,
        })
    }

    /// FeatureMaps [N, C, H, W] to [N, C, H, W].
    pub(crate) fn over(&self, tokens: &FeatureMaps) -> Result<FeatureMaps> {
        let none = Padding::symmetric(0);
        let projected = self.queries_keys_values.over(&self.attention_norm.over(tokens)?, none)?;
        let attended = self.output.over(&self.attention.over(&projected)?, none)?;
        let tokens = tokens.add(&attended, Activation::Identity)?;
        Ok(tokens.add(&self.mlp.over(&self.mlp_norm.over(&tokens)?)?, Activation::Identity)?)
    }
}

/// Two fully connected layers with a GELU between them, at `0` and `3`.
pub(crate) struct Mlp {
    expand: Conv2d,
    project: Conv2d,
}

impl Mlp {
    pub(crate) fn read(weights: &Weights<'_>, width: usize, inside: usize) -> Result<Self> {
        let expand = linear(&weights.at(0), (width, inside))?.into_pointwise()?;
        let project = linear(&weights.at(3), (inside, width))?.into_pointwise()?;
        Ok(Self { expand: expand.with_activation(Activation::Gelu), project })
    }

    pub(crate) fn over(&self, tokens: &FeatureMaps) -> Result<FeatureMaps> {
        let none = Padding::symmetric(0);
        Ok(self.project.over(&self.expand.over(tokens, none)?, none)?)
    }
}

/// Torch's `MultiheadAttention` at `weights`.
pub(crate) fn attention(weights: &Weights<'_>, width: usize, heads: usize) -> Result<MultiHeadAttention> {
    let (project, output) = projections(weights, width)?;
    Ok(MultiHeadAttention::new(project, output, heads))
}

/// The layers before and after torch's `MultiheadAttention`: to queries, keys and values, and from what was mixed.
fn projections(weights: &Weights<'_>, width: usize) -> Result<(Linear, Linear)> {
    let weight = weights.tensor("in_proj_weight", &[3 * width, width])?;
    let project = Linear::new(&weight, Some(weights.tensor("in_proj_bias", &[3 * width])?))?;
    Ok((project, linear(&weights.at("out_proj"), (width, width))?))
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
