use crate::InstructionSet;
use crate::buffer::Buffer;
use crate::gemm::PackedMatrix;
use crate::layers::{Attention, AttentionWindow, MapIndex};
use crate::network::attention::{AttentionWeights, OTHER_REGION, TokenWindow};

/// Packs an attention layer for an instruction set.
pub(super) fn packed_attention(
    weights: AttentionWeights,
    set: InstructionSet,
    (input, output): (MapIndex, MapIndex),
) -> Attention {
    let tokens = weights.windows.first().map_or(0, |window| window.pixels.len());
    let packing = |depth, columns| PackedMatrix::new(set, (depth, columns), &[], |_, _| 0.0);
    let keys = packing(weights.head_width, tokens);
    let bias = (!weights.bias.is_empty()).then(|| Buffer::from_rows(&weights.bias, tokens, keys.columns));
    let mut patterns: Vec<Vec<u8>> = Vec::new();
    let mut windows = Vec::new();
    for TokenWindow { pixels, regions } in weights.windows {
        let is_divided = regions.windows(2).any(|pair| pair[0] != pair[1]);
        let known = patterns.iter().position(|pattern| *pattern == regions);
        let mask = is_divided.then(|| known.unwrap_or(patterns.len()));
        if mask == Some(patterns.len()) {
            patterns.push(regions);
        }
        windows.push(AttentionWindow { pixels, mask });
    }
    Attention {
        input,
        output,
        windows,
        scales: weights.scales,
        normalize_queries_and_keys: weights.normalize_queries_and_keys,
        bias,
        masks: patterns.iter().map(|regions| mask(regions, keys.columns)).collect(),
        beyond: Buffer::from_rows(&weights.beyond, weights.beyond.len(), weights.beyond.len()),
        keys,
        values: packing(tokens, weights.head_width),
    }
}

/// Returns the terms of the score of each token (rows) for each other (columns, padded).
fn mask(regions: &[u8], padded: usize) -> Buffer {
    let term = |own: u8, other: u8| if own == other { 0.0 } else { OTHER_REGION };
    let terms: Vec<f32> = regions.iter().flat_map(|&own| regions.iter().map(move |&other| term(own, other))).collect();
    Buffer::from_rows(&terms, regions.len(), padded)
}
