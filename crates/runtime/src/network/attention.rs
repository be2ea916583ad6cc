//! Layers of transformers, whose tokens are the pixels of a map.

use super::builder::{check_length, mismatch};
use super::graph::{Map, Operation};
use super::lower::padded_rows;
use crate::buffer::Buffer;
use crate::gemm::PackedMatrix;
use crate::layers::{self, AttentionWindow, MapIndex};
use crate::shape::MapShape;
use crate::simd::CHANNEL_GROUP;
use crate::{InstructionSet, NetworkBuilder, Result};

/// Tokens that see each other, row by row if they are a part of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenWindow {
    /// The pixel of each token; none for one beyond the map's edge.
    pub pixels: Vec<Option<usize>>,
    /// The region of each token, or nothing where all are of one: tokens of different regions hardly see each other, as
    /// [`OTHER_REGION`] is added to their scores.
    pub regions: Vec<u8>,
}

/// What is added to the score of a token in another region (Swin Transformer's mask).
pub const OTHER_REGION: f32 = -100.0;

/// Self-attention of several heads within windows of a map that has the queries, keys and values of every pixel in its
/// channels, in this order; each with the heads one after the other.
///
/// Scores are `scale * query . key`, with a term for each pair of places in the window; their softmax mixes the values.
#[derive(Debug, Clone, Copy)]
pub struct Attention<'a> {
    /// Every pixel is in one window, and all windows have as many tokens.
    pub windows: &'a [TokenWindow],
    /// A factor of the scores for each head. Heads have a multiple of 16 channels.
    pub scales: &'a [f32],
    /// Whether queries and keys are brought to length 1 first.
    pub unit_length: bool,
    /// `[heads, tokens, tokens]`: terms of the scores of each token (rows) for each other (columns); none if empty.
    pub bias: &'a [f32],
    /// Queries, keys and values of tokens beyond the map's edge, `[channels]`; zeros if empty.
    pub beyond: &'a [f32],
}

/// An attention layer's own copy of what it is made of.
pub(crate) struct OwnedAttention {
    windows: Vec<TokenWindow>,
    scales: Vec<f32>,
    unit_length: bool,
    bias: Vec<f32>,
    beyond: Vec<f32>,
    head_width: usize,
}

impl NetworkBuilder {
    /// The map's pixels in one row behind one more, with a term for each number of each: a class token and positions.
    /// `terms` are `[1 + pixels, channels]`.
    pub fn prepend_token(&mut self, input: Map, terms: &[f32]) -> Result<Map> {
        const LAYER: &str = "token";
        let (input, shape) = self.checked(LAYER, input)?;
        let tokens = MapShape::new(shape.channels, 1, shape.pixels() + 1);
        check_length(LAYER, "terms", tokens.numbers(), terms)?;
        Ok(self.push(tokens, Operation::PrependToken { input, terms: terms.to_vec() }))
    }

    /// Pixels that follow each other from `first` on, as a map of `height` rows and `width` columns.
    pub fn pixels(&mut self, input: Map, first: usize, (height, width): (usize, usize)) -> Result<Map> {
        const LAYER: &str = "pixels";
        let (input, shape) = self.checked(LAYER, input)?;
        let pixels = MapShape::new(shape.channels, height, width);
        if pixels.numbers() == 0 || first + pixels.pixels() > shape.pixels() {
            return Err(mismatch(LAYER, format!("{height} x {width} from {first} on, of {shape:?}")));
        }
        Ok(self.push(pixels, Operation::Pixels { input, first }))
    }

    /// Attention within windows of queries, keys and values: a map of a third of the channels.
    pub fn attention(&mut self, input: Map, attention: Attention<'_>) -> Result<Map> {
        const LAYER: &str = "attention";
        let (input, shape) = self.checked(LAYER, input)?;
        let Attention { windows, scales, unit_length, bias, beyond } = attention;
        let channels = shape.channels / 3;
        let head_width = channels / scales.len().max(1);
        if head_width == 0 || 3 * scales.len() * head_width != shape.channels {
            return Err(mismatch(LAYER, format!("{} heads of {} channels", scales.len(), shape.channels)));
        }
        if !head_width.is_multiple_of(CHANNEL_GROUP) {
            return Err(mismatch(LAYER, format!("heads of {head_width} channels, not a multiple of {CHANNEL_GROUP}")));
        }
        let tokens = check_windows(LAYER, windows, shape.pixels())?;
        if !bias.is_empty() {
            check_length(LAYER, "bias", scales.len() * tokens * tokens, bias)?;
        }
        if !beyond.is_empty() {
            check_length(LAYER, "beyond", shape.channels, beyond)?;
        }
        let mut beyond = beyond.to_vec();
        beyond.resize(shape.channels, 0.0);
        let (windows, scales, bias) = (windows.to_vec(), scales.to_vec(), bias.to_vec());
        let heads = OwnedAttention { windows, scales, unit_length, bias, beyond, head_width };
        Ok(self.push(MapShape { channels, ..shape }, Operation::Attention { input, heads }))
    }
}

/// The tokens of each window, if all have as many, with regions for all or none, and every pixel is in one of them.
fn check_windows(layer: &'static str, windows: &[TokenWindow], pixels: usize) -> Result<usize> {
    let tokens = windows.first().map_or(0, |window| window.pixels.len());
    let mut is_covered = vec![false; pixels];
    for window in windows {
        if window.pixels.len() != tokens || !(window.regions.is_empty() || window.regions.len() == tokens) {
            return Err(mismatch(layer, format!("windows of {tokens} tokens and one that is not")));
        }
        for &pixel in window.pixels.iter().flatten() {
            match is_covered.get_mut(pixel) {
                Some(is_covered @ false) => *is_covered = true,
                Some(true) => return Err(mismatch(layer, format!("pixel {pixel} is in two windows"))),
                None => return Err(mismatch(layer, format!("pixel {pixel} of {pixels}"))),
            }
        }
    }
    match is_covered.iter().position(|&is_covered| !is_covered) {
        Some(pixel) => Err(mismatch(layer, format!("pixel {pixel} is in no window"))),
        None => Ok(tokens),
    }
}

impl OwnedAttention {
    /// Packs the layer for an instruction set.
    pub(crate) fn packed(self, set: InstructionSet, input: MapIndex, output: MapIndex) -> layers::Attention {
        let tokens = self.windows.first().map_or(0, |window| window.pixels.len());
        let packing = |depth, columns| PackedMatrix::new(set, (depth, columns), &[], |_, _| 0.0);
        let keys = packing(self.head_width, tokens);
        let bias = (!self.bias.is_empty()).then(|| padded_rows(&self.bias, tokens, keys.columns));
        let mut patterns: Vec<Vec<u8>> = Vec::new();
        let mut windows = Vec::new();
        for TokenWindow { pixels, regions } in self.windows {
            let is_divided = regions.windows(2).any(|pair| pair[0] != pair[1]);
            let known = patterns.iter().position(|pattern| *pattern == regions);
            let mask = is_divided.then(|| known.unwrap_or(patterns.len()));
            if mask == Some(patterns.len()) {
                patterns.push(regions);
            }
            windows.push(AttentionWindow { pixels, mask });
        }
        layers::Attention {
            input,
            output,
            windows,
            scales: self.scales,
            unit_length: self.unit_length,
            bias,
            masks: patterns.iter().map(|regions| mask(regions, keys.columns)).collect(),
            beyond: padded_rows(&self.beyond, self.beyond.len(), self.beyond.len()),
            keys,
            values: packing(tokens, self.head_width),
        }
    }
}

/// What is added to the score of each token (rows) for each other (columns, padded).
fn mask(regions: &[u8], padded: usize) -> Buffer {
    let term = |own: u8, other: u8| if own == other { 0.0 } else { OTHER_REGION };
    let terms: Vec<f32> = regions.iter().flat_map(|&own| regions.iter().map(move |&other| term(own, other))).collect();
    padded_rows(&terms, regions.len(), padded)
}
