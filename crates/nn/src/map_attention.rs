use candle_core::{D, Device, Tensor};
use runtime::{OTHER_REGION, TokenWindow};

use crate::half::in_single;
use crate::windows::Windows;
use crate::{FeatureMaps, NnError, Result};

/// Self-attention between the pixels of maps: from 3 C channels, the queries, keys and values with the heads of each
/// one after the other, to C channels.
#[derive(Debug, Clone)]
pub struct MapAttention {
    scale: Scale,
    windows: Windows,
    unit_length: bool,
    /// [heads, tokens, tokens].
    bias: Option<Tensor>,
    /// [3 C].
    beyond: Option<Tensor>,
}

/// Factor of the scores of each head.
#[derive(Debug, Clone)]
enum Scale {
    /// The same for all heads.
    Same { factor: f32, heads: usize },
    /// One a head, [heads].
    OfHead(Tensor),
}

impl Scale {
    fn heads(&self) -> usize {
        match self {
            Self::Same { heads, .. } => *heads,
            Self::OfHead(scales) => scales.elem_count(),
        }
    }

    fn numbers(&self) -> Result<Vec<f32>> {
        Ok(match self {
            Self::Same { factor, heads } => vec![*factor; *heads],
            Self::OfHead(scales) => scales.to_vec1()?,
        })
    }

    /// Multiplies the queries [N, heads, tokens, width], which scores are linear in.
    fn of_queries(&self, queries: &Tensor) -> candle_core::Result<Tensor> {
        match self {
            Self::Same { factor, .. } => queries * f64::from(*factor),
            Self::OfHead(scales) => queries.broadcast_mul(&scales.reshape((scales.elem_count(), 1, 1))?),
        }
    }
}

/// Lengths below this count as this one.
const MIN_NORM: f64 = 1e-12;

impl MapAttention {
    /// Every pixel looks at every other; scores are divided by the square root of a head's width (Vaswani et al.,
    /// "Attention Is All You Need", NeurIPS 2017).
    pub fn whole(width: usize, heads: usize) -> Self {
        let factor = 1.0 / (width as f32 / heads as f32).sqrt();
        let scale = Scale::Same { factor, heads };
        Self { scale, windows: Windows::Whole, unit_length: false, bias: None, beyond: None }
    }

    /// Pixels look at those of their window. Scores are cosines times the head's `scale` [heads], plus a `bias`
    /// [heads, tokens, tokens] for each pair of places; tokens beyond the map's edge have the queries, keys and values
    /// `beyond` [3 C] (Liu et al., "Swin Transformer V2", CVPR 2022).
    ///
    /// # Errors
    /// The shapes do not fit, or the device fails.
    pub fn cosine(windows: Windows, scale: &Tensor, bias: Tensor, beyond: Tensor) -> Result<Self> {
        let scale = Scale::OfHead(scale.flatten_all()?);
        Ok(Self { scale, windows, unit_length: true, bias: Some(bias), beyond: Some(beyond) })
    }

    /// Maps of 3 C channels to maps of C.
    ///
    /// # Errors
    /// The shapes do not fit, or the device fails.
    pub fn over(&self, maps: &FeatureMaps) -> Result<FeatureMaps> {
        let (channels, height, width) = maps.size()?;
        let heads = self.scale.heads();
        if heads == 0 || !channels.is_multiple_of(3 * heads) {
            let problem = format!("{channels} channels for queries, keys and values of {heads} heads");
            return Err(NnError::Shape { layer: "attention", problem });
        }
        let windows = self.windows.over(height, width);
        match maps {
            FeatureMaps::Eager(x) => Ok(FeatureMaps::Eager(in_single(x, |x| self.forward(x, &windows))?)),
            FeatureMaps::Training(training) => {
                Ok(FeatureMaps::Training(training.through_channels_first(|x| self.forward(x, &windows))?))
            }
            FeatureMaps::Traced(traced) => {
                let numbers = |tensor: &Option<Tensor>| match tensor {
                    Some(tensor) => tensor.flatten_all()?.to_vec1(),
                    None => Ok(Vec::new()),
                };
                let (bias, beyond) = (numbers(&self.bias)?, numbers(&self.beyond)?);
                Ok(FeatureMaps::Traced(traced.attention(runtime::Attention {
                    windows: &windows,
                    scales: &self.scale.numbers()?,
                    normalize_queries_and_keys: self.unit_length,
                    bias: &bias,
                    beyond: &beyond,
                })?))
            }
        }
    }

    /// Maps [N, 3 C, H, W] to [N, C, H, W].
    fn forward(&self, x: &Tensor, windows: &[TokenWindow]) -> Result<Tensor> {
        let (batch, channels, height, width) = x.dims4()?;
        let (heads, count, tokens) = (self.scale.heads(), windows.len(), windows[0].pixels.len());
        let by_head = self
            .cut(x, windows)?
            .reshape((batch * count, tokens, 3, heads, channels / 3 / heads))?
            .permute((2, 0, 3, 1, 4))?;
        let part = |index: usize| by_head.get(index)?.contiguous();
        let (mut queries, mut keys, values) = (part(0)?, part(1)?, part(2)?);
        if self.unit_length {
            (queries, keys) = (unit_length(&queries)?, unit_length(&keys)?);
        }
        let mut scores = self.scale.of_queries(&queries)?.matmul(&keys.transpose(2, 3)?.contiguous()?)?;
        if let Some(bias) = &self.bias {
            scores = scores.broadcast_add(bias)?;
        }
        if let Some(mask) = mask(windows, x.device())? {
            let by_frame = scores.reshape((batch, count, heads, tokens, tokens))?;
            scores =
                by_frame.broadcast_add(&mask.to_dtype(x.dtype())?)?.reshape((batch * count, heads, tokens, tokens))?;
        }
        // The faster function has no gradient.
        let weights = match scores.track_op() {
            true => candle_nn::ops::softmax(&scores, D::Minus1)?,
            false => candle_nn::ops::softmax_last_dim(&scores)?,
        };
        let mixed = weights.matmul(&values)?;
        let mixed = mixed.transpose(1, 2)?.contiguous()?.reshape((batch, count * tokens, channels / 3))?;
        let joined = mixed.index_select(&places(windows, height * width, x.device())?, 1)?;
        Ok(joined.transpose(1, 2)?.contiguous()?.reshape((batch, channels / 3, height, width))?)
    }

    /// Cuts [N, C, H, W] into windows [N, count * tokens, C].
    fn cut(&self, x: &Tensor, windows: &[TokenWindow]) -> Result<Tensor> {
        let (batch, channels, height, width) = x.dims4()?;
        let pixels = x.flatten_from(2)?.transpose(1, 2)?.contiguous()?;
        let beyond = match &self.beyond {
            Some(beyond) => beyond.reshape((1, 1, channels))?,
            None => Tensor::zeros((1, 1, channels), x.dtype(), x.device())?,
        };
        // One pixel more, which stands for what is beyond the edge.
        let pixels = Tensor::cat(&[&pixels, &beyond.broadcast_as((batch, 1, channels))?.contiguous()?], 1)?;
        let order = windows.iter().flat_map(|window| &window.pixels);
        let order: Vec<u32> = order.map(|pixel| pixel.unwrap_or(height * width) as u32).collect();
        Ok(pixels.index_select(&Tensor::new(order, x.device())?, 1)?)
    }
}

/// Index of each pixel among the windows' tokens.
fn places(windows: &[TokenWindow], pixels: usize, device: &Device) -> Result<Tensor> {
    let mut places = vec![0u32; pixels];
    for (place, pixel) in windows.iter().flat_map(|window| &window.pixels).enumerate() {
        if let Some(pixel) = pixel {
            places[*pixel] = place as u32;
        }
    }
    Ok(Tensor::new(places, device)?)
}

/// Term added to the scores of one frame's windows, [count, 1, tokens, tokens]; nothing where no window has regions.
fn mask(windows: &[TokenWindow], device: &Device) -> Result<Option<Tensor>> {
    if windows.iter().any(|window| window.regions.is_empty()) {
        return Ok(None);
    }
    let tokens = windows[0].regions.len();
    let mut mask = Vec::with_capacity(windows.len() * tokens * tokens);
    for regions in windows.iter().map(|window| &window.regions) {
        for own in regions {
            mask.extend(regions.iter().map(|other| if own == other { 0f32 } else { OTHER_REGION }));
        }
    }
    Ok(Some(Tensor::from_vec(mask, (windows.len(), 1, tokens, tokens), device)?))
}

/// Scales the last axis to length 1.
fn unit_length(x: &Tensor) -> Result<Tensor> {
    const MIN_SQUARE: f64 = MIN_NORM * MIN_NORM;
    let square = x.sqr()?.sum_keepdim(D::Minus1)?;
    // The root of what is large enough: that of zero has no slope.
    let length = square.maximum(MIN_SQUARE)?.sqrt()?;
    if !x.track_op() {
        return Ok(x.broadcast_div(&length)?);
    }
    // What has no length has no direction to learn either; divided by the least length, a gradient would be 10^12 times
    // itself, and where a screen is black, tokens are zero.
    let has_length = square.detach().gt(MIN_SQUARE)?.broadcast_as(x.shape())?;
    Ok(has_length.where_cond(x, &x.detach())?.broadcast_div(&length)?)
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Var};

    use super::*;
    use crate::seeded;
    use crate::training::channels_first;
    use crate::training::finite_differences::{assert_gradients, largest_difference};
    use crate::{Linear, MultiHeadAttention, TrainingContext, TrainingMaps};

    #[test]
    fn over_the_whole_map_it_is_torchs_attention() {
        let (width, heads) = (8, 2);
        let weight = seeded::normal(1, (3 * width, width), DType::F32);
        let identity = Linear::new(&Tensor::eye(width, candle_core::DType::F32, &Device::Cpu).unwrap(), None).unwrap();
        let project = Linear::new(&weight, None).unwrap();
        let tokens = seeded::normal(2, (2, 6, width), DType::F32);
        let theirs = MultiHeadAttention::new(project.clone(), identity, heads).forward(&tokens).unwrap().values;
        let maps = project.forward(&tokens).unwrap().transpose(1, 2).unwrap().reshape((2, 3 * width, 2, 3)).unwrap();
        let ours = MapAttention::whole(width, heads).over(&maps.into()).unwrap();
        let ours = ours.tensor().unwrap().flatten_from(2).unwrap().transpose(1, 2).unwrap();
        let difference = (ours - theirs).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
        assert!(difference < 1e-5, "{difference}");
    }

    /// Cosine attention in shifted windows of 2 x 2 over maps [N, 3 C, H, W], from the maps, the heads' scales, the
    /// bias for each pair of places and what is beyond the edge.
    fn cosine_attention(inputs: &[Tensor]) -> Result<Tensor> {
        let windows = Windows::Shifted { side: 2, shift: 1 };
        let attention = MapAttention::cosine(windows, &inputs[1], inputs[2].clone(), inputs[3].clone())?;
        let maps = TrainingMaps::frames(&inputs[0], &TrainingContext::training(0))?;
        match attention.over(&FeatureMaps::Training(maps))? {
            FeatureMaps::Training(maps) => channels_first(maps.channels_last()),
            _ => Err(NnError::NotTraceable),
        }
    }

    #[test]
    fn cosine_attention_that_learns_gives_the_same_and_gradients_are_those_of_finite_differences() {
        let random = |seed, shape: &[usize]| seeded::normal(seed, shape, DType::F64);
        // Five columns, so that windows of two hold what is beyond the edge.
        let inputs = [random(1, &[2, 12, 3, 5]), random(2, &[2]), random(3, &[2, 4, 4]), random(4, &[12])];
        let windows = Windows::Shifted { side: 2, shift: 1 };
        let plain = MapAttention::cosine(windows, &inputs[1], inputs[2].clone(), inputs[3].clone()).unwrap();
        let plain = plain.over(&inputs[0].clone().into()).unwrap().tensor().unwrap().clone();
        assert!(largest_difference(&cosine_attention(&inputs).unwrap(), &plain) < 1e-12);
        assert_gradients(&inputs.each_ref(), cosine_attention);
    }

    #[test]
    fn tokens_of_zeros_are_mixed_as_they_are_and_teach_nothing_infinite() {
        let random = |seed, shape: &[usize]| seeded::normal(seed, shape, DType::F64);
        // As a black screen is: one half of the maps has neither queries nor keys.
        let black = random(1, &[1, 12, 2, 5]).affine(0.0, 0.0).unwrap();
        let maps = Var::from_tensor(&Tensor::cat(&[&random(1, &[1, 12, 2, 5]), &black], 2).unwrap()).unwrap();
        let rest = [random(2, &[2]), random(3, &[2, 4, 4]), random(4, &[12]).zeros_like().unwrap()];
        let mixed = cosine_attention(&[&[maps.as_tensor().clone()], rest.as_slice()].concat()).unwrap();
        let gradients = mixed.sqr().unwrap().sum_all().unwrap().backward().unwrap();
        let largest = gradients.get(&maps).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f64>().unwrap();
        assert!(largest > 0.0 && largest < 1e3, "{largest}");
    }

    #[test]
    fn channels_that_heads_do_not_divide_are_refused() {
        let maps = Tensor::zeros((1, 9, 2, 2), candle_core::DType::F32, &Device::Cpu).unwrap();
        assert!(MapAttention::whole(3, 2).over(&maps.into()).is_err());
    }
}
