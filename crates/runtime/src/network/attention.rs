//! Attention between the pixels of a map, which are the tokens of transformers.

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
    pub(super) windows: Vec<TokenWindow>,
    pub(super) scales: Vec<f32>,
    pub(super) normalize_queries_and_keys: bool,
    pub(super) bias: Vec<f32>,
    pub(super) beyond: Vec<f32>,
    pub(super) head_width: usize,
}
