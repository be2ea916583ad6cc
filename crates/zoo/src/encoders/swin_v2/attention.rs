use candle_core::{D, Tensor};
use nn::{Activation, Linear};

use super::window::Windows;
use crate::Result;
use crate::transformer::linear;
use crate::weights::Weights;

/// Width inside the small network that makes the position bias.
const BIAS_WIDTH: usize = 512;

/// Attention within windows: cosine of queries and keys, a learned temperature, and a bias from the relative position.
pub(super) struct WindowAttention {
    queries_keys_values: Linear,
    output: Linear,
    /// [heads, 1, 1]: what the cosines are multiplied by.
    scale: Tensor,
    /// [heads, window², window²]: what is added to the scores.
    position_bias: Tensor,
    heads: usize,
    window: usize,
    shift: usize,
}

impl WindowAttention {
    pub(super) fn read(
        weights: &Weights<'_>,
        (width, heads): (usize, usize),
        (window, shift): (usize, usize),
    ) -> Result<Self> {
        let projection = weights.at("qkv");
        let weight = projection.tensor("weight", &[3 * width, width])?;
        let bias = projection.tensor("bias", &[3 * width])?;
        // The keys' bias is stored but not used: torchvision sets it to zero at run time.
        let zeros = bias.narrow(0, width, width)?.zeros_like()?;
        let bias = Tensor::cat(&[&bias.narrow(0, 0, width)?, &zeros, &bias.narrow(0, 2 * width, width)?], 0)?;
        let logit_scale = weights.tensor("logit_scale", &[heads, 1, 1])?;
        Ok(Self {
            queries_keys_values: Linear::new(&weight, Some(bias))?,
            output: linear(&weights.at("proj"), (width, width))?,
            scale: logit_scale.minimum(100f64.ln())?.exp()?,
            position_bias: position_bias(&weights.at("cpb_mlp"), heads, window)?,
            heads,
            window,
            shift,
        })
    }

    /// Maps [N, H, W, C] to the same shape.
    pub(super) fn forward(&self, map: &Tensor) -> Result<Tensor> {
        let windows = Windows::over(map, self.window, self.shift)?;
        let tokens = windows.cut(map)?;
        let (count, length, width) = tokens.dims3()?;
        let projected = self.queries_keys_values.forward(&tokens)?;
        let by_head =
            projected.reshape((count, length, 3, self.heads, width / self.heads))?.permute((2, 0, 3, 1, 4))?;
        let queries = unit_length(&by_head.get(0)?.contiguous()?)?;
        let keys = unit_length(&by_head.get(1)?.contiguous()?)?;
        let cosines = queries.matmul(&keys.transpose(2, 3)?.contiguous()?)?;
        let mut scores = cosines.broadcast_mul(&self.scale)?.broadcast_add(&self.position_bias)?;
        if let Some(mask) = windows.mask(map.device())? {
            let by_frame = scores.reshape((count / windows.count(), windows.count(), self.heads, length, length))?;
            scores = by_frame.broadcast_add(&mask)?.reshape((count, self.heads, length, length))?;
        }
        let weights = candle_nn::ops::softmax_last_dim(&scores)?;
        let mixed = weights.matmul(&by_head.get(2)?.contiguous()?)?;
        let mixed = mixed.transpose(1, 2)?.contiguous()?.reshape((count, length, width))?;
        windows.join(&self.output.forward(&mixed)?)
    }
}

/// Scales the last axis to length 1.
fn unit_length(x: &Tensor) -> Result<Tensor> {
    let length = x.sqr()?.sum_keepdim(D::Minus1)?.sqrt()?;
    Ok(x.broadcast_div(&length.maximum(1e-12)?)?)
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
    let bias = (Activation::Sigmoid.forward(&bias)? * 16.0)?;
    Ok(bias.t()?.contiguous()?.reshape((heads, tokens, tokens))?)
}
