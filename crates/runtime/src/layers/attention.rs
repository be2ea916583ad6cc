mod head;
mod softmax;

use super::{MapIndex, Run, ScratchLength, View};
use crate::activation::Activation;
use crate::buffer::Buffer;
use crate::gemm::{Columns, PackedMatrix, Product, Segment, Tiles, multiply, part};
use crate::simd::CHANNEL_GROUP;
use head::{HeadScratch, ReadHead, WriteHead};
use softmax::Softmax;

/// Query tokens that are computed from scores to output before the next ones: their scores stay in a first-level cache
/// beside the keys or values.
const BLOCK_TOKENS: usize = 64;

/// Tokens that attend to each other.
pub(crate) struct Window {
    /// Pixel of each token; none beyond the map's edge.
    pub(crate) pixels: Vec<Option<usize>>,
    /// Index of the window's mask, if it has one.
    pub(crate) mask: Option<usize>,
}

/// Attention of every head within every window, from queries, keys and values to the weighted sums of values.
pub(crate) struct Attention {
    pub(crate) input: MapIndex,
    pub(crate) output: MapIndex,
    pub(crate) windows: Vec<Window>,
    /// Factor of the scores of each head.
    pub(crate) scales: Vec<f32>,
    /// True for cosine attention: queries and keys are scaled to norm 1 first.
    pub(crate) normalize_queries_and_keys: bool,
    /// Terms of the scores, [heads, tokens, padded tokens].
    pub(crate) bias: Option<Buffer>,
    /// Further terms of the scores of some windows, [tokens, padded tokens] each.
    pub(crate) masks: Vec<Buffer>,
    /// Queries, keys and values of tokens beyond the edge, padded.
    pub(crate) beyond: Buffer,
    /// Packing of keys [head width, tokens]; its weights are zeros.
    pub(crate) keys: PackedMatrix,
    /// Packing of values [tokens, head width]; its weights are zeros.
    pub(crate) values: PackedMatrix,
}

impl Attention {
    fn heads(&self) -> usize {
        self.scales.len()
    }

    fn tokens(&self) -> usize {
        self.values.depth
    }

    fn head_width(&self) -> usize {
        self.keys.depth
    }

    /// Returns the length of each part of [`HeadScratch`].
    fn lengths(&self) -> [usize; 7] {
        let rows = self.tokens() * self.head_width();
        let block = self.tokens().min(BLOCK_TOKENS);
        let [scores, weighted] = [self.keys.columns, self.head_width()].map(|columns| block * columns);
        let lengths = [rows, rows, self.keys.weights.len(), self.values.weights.len(), scores, weighted, block];
        lengths.map(|length| length.next_multiple_of(CHANNEL_GROUP))
    }

    pub(crate) fn scratch(&self) -> ScratchLength {
        ScratchLength { shared: 0, own: self.lengths().iter().sum() }
    }

    fn head_scratch(&self, own: *mut f32) -> HeadScratch {
        let mut offset = 0;
        let [queries, key_rows, keys, values, scores, weighted, inverse_sums] = self.lengths().map(|length| {
            offset += length;
            own.wrapping_add(offset - length)
        });
        HeadScratch { queries, key_rows, keys, values, scores, weighted, inverse_sums }
    }

    /// # Safety
    /// The network must have been checked, and the arena be its own.
    pub(crate) unsafe fn run<L: Tiles>(&self, run: &Run<'_, L>) {
        let (input, output) = (run.view(self.input), run.view(self.output));
        let (heads, windows) = (self.heads(), self.windows.len());
        let all = output.frames * windows * heads;
        let operations = 2 * self.tokens() * self.keys.columns * self.head_width() / CHANNEL_GROUP;
        let parts = run.parts(all, all * operations);
        let lanes = run.lanes;
        run.split(parts, |index, own| {
            let scratch = self.head_scratch(own);
            for one in part(all, parts, index) {
                let (frame, window, head) = (one / heads / windows, one / heads % windows, one % heads);
                // SAFETY: every pixel of a checked map is in one window, so parts write disjoint pixels or channels of them;
                // the scratch is the worker's own and as long as asked for.
                unsafe { self.attend(lanes, (input, output), (frame, window, head), &scratch) };
            }
        });
    }

    /// # Safety
    /// As for `run`; frame, window and head must exist.
    unsafe fn attend<L: Tiles>(
        &self,
        lanes: L,
        (input, output): (View, View),
        (frame, window, head): (usize, usize, usize),
        scratch: &HeadScratch,
    ) {
        let (tokens, head_width, padded) = (self.tokens(), self.head_width(), self.keys.columns);
        let channel = head * head_width;
        let Window { pixels, mask } = &self.windows[window];
        let mask = mask.map(|mask| self.masks[mask].as_ptr());
        let bias = self.bias.as_ref().map(|bias| bias.as_ptr().wrapping_add(head * tokens * padded));
        // SAFETY: passed on to the caller; every row and column below is inside its part of the scratch or its map.
        unsafe {
            lanes.call(ReadHead {
                input,
                frame,
                channel,
                pixels,
                beyond: &self.beyond,
                scale: self.scales[head],
                normalize_queries_and_keys: self.normalize_queries_and_keys,
                keys: &self.keys,
                values: &self.values,
                scratch,
            });
            let blocks = tokens.div_ceil(BLOCK_TOKENS);
            for block in 0..blocks {
                let rows = part(tokens, blocks, block);
                let (first, rows) = (rows.start, rows.len());
                let at = |terms: Option<*const f32>| terms.map_or(std::ptr::null(), |terms| terms.add(first * padded));
                let queries = scratch.queries.add(first * head_width).cast_const();
                self.multiply(lanes, (&self.keys, scratch.keys), (rows, queries, head_width), at(bias), scratch.scores);
                let (scores, mask, inverse_sums) = (scratch.scores, at(mask), scratch.inverse_sums);
                lanes.call(Softmax { rows, tokens, padded, scores, mask, inverse_sums });
                let weights = scratch.scores.cast_const();
                let no_terms = std::ptr::null();
                self.multiply(
                    lanes,
                    (&self.values, scratch.values),
                    (rows, weights, padded),
                    no_terms,
                    scratch.weighted,
                );
                let pixels = &pixels[first..first + rows];
                lanes.call(WriteHead { head_width, output, frame, channel, pixels, scratch });
            }
        }
    }

    /// Multiplies rows of input with a matrix in its packing, and adds terms in the layout of the output.
    ///
    /// # Safety
    /// The pointers must be valid for so many rows, and for the packed matrix.
    unsafe fn multiply<L: Tiles>(
        &self,
        lanes: L,
        (packing, weights): (&PackedMatrix, *mut f32),
        (rows, input, input_stride): (usize, *const f32, usize),
        terms: *const f32,
        output: *mut f32,
    ) {
        let columns = Columns { weights, ..Columns::new(packing, packing.all_panels()) };
        let product = Product {
            rows,
            input,
            input_stride,
            segments: &[Segment { offset: 0, length: packing.depth }],
            output,
            output_stride: packing.columns,
            residual: terms,
            residual_stride: packing.columns,
            activation: Activation::Identity,
        };
        // SAFETY: passed on to the caller.
        unsafe { multiply(lanes, &columns, &product) }
    }
}
