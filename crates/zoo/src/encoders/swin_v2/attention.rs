use candle_core::Tensor;
use nn::{Activation, Conv2d, FeatureMaps, Linear, MapAttention, Padding, Windows, apply_activation};

use crate::Result;
use crate::transformer::linear;
use crate::weights::Weights;

/// Width inside the small network that makes the position bias.
const BIAS_WIDTH: usize = 512;

/// Attention within windows: cosine of queries and keys, a learned temperature, and a bias from the relative position.
pub(super) struct WindowAttention {
    queries_keys_values: Conv2d,
    attention: MapAttention,
    output: Conv2d,
}

impl WindowAttention {
    pub(super) fn read(
        weights: &Weights<'_>,
        (width, heads): (usize, usize),
        (side, shift): (usize, usize),
    ) -> Result<Self> {
        let projection = weights.at("qkv");
        let weight = projection.tensor("weight", &[3 * width, width])?;
        let bias = projection.tensor("bias", &[3 * width])?;
        // The keys' bias is stored but not used: torchvision sets it to zero at run time.
        let zeros = bias.narrow(0, width, width)?.zeros_like()?;
        let bias = Tensor::cat(&[&bias.narrow(0, 0, width)?, &zeros, &bias.narrow(0, 2 * width, width)?], 0)?;
        let scale = weights.tensor("logit_scale", &[heads, 1, 1])?.minimum(100f64.ln())?.exp()?;
        let output = linear(&weights.at("proj"), (width, width))?;
        let position_bias = position_bias(&weights.at("cpb_mlp"), heads, side)?;
        // Tokens beyond the edge are zeros before the projection, so its bias is what they are after it.
        let attention = MapAttention::cosine(Windows::Shifted { side, shift }, &scale, position_bias, bias.clone())?;
        Ok(Self {
            queries_keys_values: Linear::new(&weight, Some(bias))?.into_pointwise()?,
            attention,
            output: output.into_pointwise()?,
        })
    }

    /// FeatureMaps [N, C, H, W] to the same shape.
    pub(super) fn over(&self, maps: &FeatureMaps) -> Result<FeatureMaps> {
        let none = Padding::symmetric(0);
        let projected = self.queries_keys_values.over(maps, none)?;
        Ok(self.output.over(&self.attention.over(&projected)?, none)?)
    }
}

/// 16 * sigmoid(mlp(relative position)) for every pair of tokens in a window, [heads, window², window²].
fn position_bias(weights: &Weights<'_>, heads: usize, window: usize) -> Result<Tensor> {
    let span = 2 * window - 1;
    let first = linear(&weights.at(0), (2, BIAS_WIDTH))?;
    let second = Linear::new(&weights.at(2).tensor("weight", &[heads, BIAS_WIDTH])?, None)?;
    let log_distance = |index: usize| {
        let distance = (index as f32 - (window as f32 - 1.0)) / (window as f32 - 1.0) * 8.0;
        distance.signum() * (distance.abs() + 1.0).log2() / 3.0
    };
    let table: Vec<f32> =
        (0..span * span).flat_map(|index| [log_distance(index / span), log_distance(index % span)]).collect();
    let device = weights.device();
    let table = Tensor::from_vec(table, (span * span, 2), device)?;
    let by_distance = second.forward(&first.forward(&table)?.relu()?)?;
    let tokens = window * window;
    let pairs: Vec<u32> = (0..tokens * tokens)
        .map(|pair| {
            let (own, other) = (pair / tokens, pair % tokens);
            let rows = own / window + window - 1 - other / window;
            let columns = own % window + window - 1 - other % window;
            (rows * span + columns) as u32
        })
        .collect();
    let bias = by_distance.index_select(&Tensor::new(pairs, device)?, 0)?;
    let bias = (apply_activation(&bias, Activation::Sigmoid)? * 16.0)?;
    Ok(bias.t()?.contiguous()?.reshape((heads, tokens, tokens))?)
}
