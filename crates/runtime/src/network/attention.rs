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

/// Tokens that attend to each other, row by row if they are a part of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenWindow {
    /// Pixel of each token; none for a token beyond the map's edge.
    pub pixels: Vec<Option<usize>>,
    /// Region of each token, or empty where all are of one: [`OTHER_REGION`] is added to the scores between tokens of
    /// different regions, which all but removes their attention.
    pub regions: Vec<u8>,
}

/// Term of the score between tokens of different regions (Swin Transformer's mask).
pub const OTHER_REGION: f32 = -100.0;

/// Self-attention of several heads within windows of a map that has the queries, keys and values of every pixel in its
/// channels, in this order; each with the heads one after the other.
///
/// Scores are `scale * query . key`, with a term for each pair of positions in the window; their softmax mixes the values.
#[derive(Debug, Clone, Copy)]
pub struct Attention<'a> {
    /// Every pixel is in one window, and all windows have as many tokens.
    pub windows: &'a [TokenWindow],
    /// A factor of the scores for each head. Heads have a multiple of 16 channels.
    pub scales: &'a [f32],
    /// True for cosine attention: queries and keys are scaled to norm 1 first.
    pub normalize_queries_and_keys: bool,
    /// `[heads, tokens, tokens]`: terms of the scores of each token (rows) for each other (columns); none if empty.
    pub bias: &'a [f32],
    /// Queries, keys and values of tokens beyond the map's edge, `[channels]`; zeros if empty.
    pub beyond: &'a [f32],
}

/// Owned copy of an attention layer's parts.
pub(crate) struct AttentionWeights {
    windows: Vec<TokenWindow>,
    scales: Vec<f32>,
    normalize_queries_and_keys: bool,
    bias: Vec<f32>,
    beyond: Vec<f32>,
    head_width: usize,
}

impl NetworkBuilder {
    /// Prepends a class token to the map's pixels, all in one row, and adds positional terms. `terms` are
    /// `[1 + pixels, channels]`; the first row is the token itself.
    ///
    /// # Errors
    /// [`crate::RuntimeError::WeightLength`] for another count of terms.
    pub fn prepend_token(&mut self, input: Map, terms: &[f32]) -> Result<Map> {
        const LAYER: &str = "token";
        let (input, shape) = self.checked(LAYER, input)?;
        let tokens = MapShape::new(shape.channels, 1, shape.pixels() + 1);
        check_length(LAYER, "terms", tokens.numbers(), terms)?;
        Ok(self.push(tokens, Operation::PrependToken { input, terms: terms.to_vec() }))
    }

    /// Takes consecutive pixels from `first` on, as a map of `height` rows and `width` columns.
    ///
    /// # Errors
    /// [`crate::RuntimeError::Shape`] for pixels beyond the map.
    pub fn pixels(&mut self, input: Map, first: usize, (height, width): (usize, usize)) -> Result<Map> {
        const LAYER: &str = "pixels";
        let (input, shape) = self.checked(LAYER, input)?;
        let pixels = MapShape::new(shape.channels, height, width);
        if pixels.numbers() == 0 || first + pixels.pixels() > shape.pixels() {
            return Err(mismatch(LAYER, format!("{height} x {width} from {first} on, of {shape:?}")));
        }
        Ok(self.push(pixels, Operation::Pixels { input, first }))
    }

    /// Adds attention within windows over queries, keys and values: a map of a third of the channels.
    ///
    /// # Errors
    /// [`crate::RuntimeError::Shape`] or [`crate::RuntimeError::WeightLength`] where heads, windows or terms do not fit.
    pub fn attention(&mut self, input: Map, attention: Attention<'_>) -> Result<Map> {
        const LAYER: &str = "attention";
        let (input, shape) = self.checked(LAYER, input)?;
        let Attention { windows, scales, normalize_queries_and_keys, bias, beyond } = attention;
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
        let weights = AttentionWeights { windows, scales, normalize_queries_and_keys, bias, beyond, head_width };
        Ok(self.push(MapShape { channels, ..shape }, Operation::Attention { input, weights }))
    }
}

/// Returns the tokens of each window, if all have as many, with regions for all or none, and every pixel is in one of them.
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

impl AttentionWeights {
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
            normalize_queries_and_keys: self.normalize_queries_and_keys,
            bias,
            masks: patterns.iter().map(|regions| mask(regions, keys.columns)).collect(),
            beyond: padded_rows(&self.beyond, self.beyond.len(), self.beyond.len()),
            keys,
            values: packing(tokens, self.head_width),
        }
    }
}

/// Returns the terms of the score of each token (rows) for each other (columns, padded).
fn mask(regions: &[u8], padded: usize) -> Buffer {
    let term = |own: u8, other: u8| if own == other { 0.0 } else { OTHER_REGION };
    let terms: Vec<f32> = regions.iter().flat_map(|&own| regions.iter().map(move |&other| term(own, other))).collect();
    padded_rows(&terms, regions.len(), padded)
}
