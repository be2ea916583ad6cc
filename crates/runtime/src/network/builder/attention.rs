//! Layers of transformers, whose tokens are the pixels of a map.

use super::{NetworkBuilder, check_length, mismatch};
use crate::Result;
use crate::network::attention::{Attention, AttentionWeights, TokenWindow};
use crate::network::graph::{Map, Operation};
use crate::shape::MapShape;
use crate::simd::CHANNEL_GROUP;

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
