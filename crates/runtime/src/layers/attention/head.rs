//! Channels of one head: copied from the map to the products' operands, and back.

use crate::buffer::Buffer;
use crate::gemm::PackedMatrix;
use crate::layers::View;
use crate::simd::{CHANNEL_GROUP, Kernel, Lanes};

/// Smallest norm to divide by: a vector of zeros has no direction.
const MIN_NORM: f32 = 1e-12;

/// Scratch memory of a worker for one head of one window.
pub(super) struct HeadScratch {
    /// [tokens, head width].
    pub(super) queries: *mut f32,
    /// [tokens, head width], before they are packed.
    pub(super) key_rows: *mut f32,
    pub(super) keys: *mut f32,
    pub(super) values: *mut f32,
    /// Scores of a block of tokens, then their exponentials.
    pub(super) scores: *mut f32,
    /// Sums of values weighted by the exponentials.
    pub(super) weighted: *mut f32,
    /// Reciprocal of the sum of each row of exponentials.
    pub(super) inverse_sums: *mut f32,
}

/// Copies a head's queries, keys and values of a window's tokens; queries are scaled, keys and values packed.
pub(super) struct ReadHead<'a> {
    pub(super) input: View,
    pub(super) frame: usize,
    /// First channel of the head among the queries.
    pub(super) channel: usize,
    pub(super) pixels: &'a [Option<usize>],
    /// Queries, keys and values of tokens beyond the edge, padded.
    pub(super) beyond: &'a Buffer,
    pub(super) scale: f32,
    pub(super) normalize_queries_and_keys: bool,
    /// Packing of the keys [head width, tokens].
    pub(super) keys: &'a PackedMatrix,
    /// Packing of the values [tokens, head width].
    pub(super) values: &'a PackedMatrix,
    pub(super) scratch: &'a HeadScratch,
}

impl Kernel for ReadHead<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self, lanes: L) {
        let Self { input, frame, channel, pixels, beyond, scale, normalize_queries_and_keys, keys, values, scratch } =
            self;
        let head_width = keys.depth;
        let channels = input.shape.channels / 3;
        // SAFETY: pixels, channels and tokens are those of the layer that the creator guarantees.
        unsafe {
            for (token, pixel) in pixels.iter().enumerate() {
                let from = match pixel {
                    Some(pixel) => input.frame(frame).cast_const().add(pixel * input.pixel_stride),
                    None => beyond.as_ptr(),
                };
                let from = from.add(channel);
                let (query_scale, key_scale) = match normalize_queries_and_keys {
                    true => {
                        let query = inverse_norm(lanes, from, head_width);
                        (scale * query, inverse_norm(lanes, from.add(channels), head_width))
                    }
                    false => (scale, 1.0),
                };
                let (query_factor, key_factor) = (lanes.splat(query_scale), lanes.splat(key_scale));
                let row = token * head_width;
                for offset in (0..head_width).step_by(L::COUNT) {
                    let query = lanes.multiply(query_factor, lanes.load(from.add(offset)));
                    lanes.store(scratch.queries.add(row + offset), query);
                    let key = lanes.multiply(key_factor, lanes.load(from.add(channels + offset)));
                    lanes.store(scratch.key_rows.add(row + offset), key);
                }
                for panel in &values.panels {
                    let width = panel.groups * CHANNEL_GROUP;
                    let to = scratch.values.add(panel.offset + token * width);
                    for offset in (0..width).step_by(L::COUNT) {
                        let value = lanes.load(from.add(2 * channels + panel.column + offset));
                        lanes.store(to.add(offset), value);
                    }
                }
            }
            for panel in &keys.panels {
                let width = panel.groups * CHANNEL_GROUP;
                let columns = width.min(pixels.len().saturating_sub(panel.column));
                for row in 0..head_width {
                    let from = scratch.key_rows.cast_const().add(panel.column * head_width + row);
                    let to = scratch.keys.add(panel.offset + row * width);
                    for column in 0..columns {
                        *to.add(column) = *from.add(column * head_width);
                    }
                    to.add(columns).write_bytes(0, width - columns);
                }
            }
        }
    }
}

/// # Safety
/// `from` must be valid for reading `count` numbers, a multiple of the vector's length.
#[inline(always)]
unsafe fn inverse_norm<L: Lanes>(lanes: L, from: *const f32, count: usize) -> f32 {
    let mut squares = lanes.zero();
    for offset in (0..count).step_by(L::COUNT) {
        // SAFETY: passed on to the caller.
        let number = unsafe { lanes.load(from.add(offset)) };
        squares = lanes.multiply_add(number, number, squares);
    }
    1.0 / lanes.sum(squares).sqrt().max(MIN_NORM)
}

/// Copies weighted sums of values to the channels of a head, each divided by its row's sum of weights.
pub(super) struct WriteHead<'a> {
    pub(super) head_width: usize,
    pub(super) output: View,
    pub(super) frame: usize,
    pub(super) channel: usize,
    pub(super) pixels: &'a [Option<usize>],
    pub(super) scratch: &'a HeadScratch,
}

impl Kernel for WriteHead<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self, lanes: L) {
        let Self { head_width, output, frame, channel, pixels, scratch } = self;
        for (row, pixel) in pixels.iter().enumerate() {
            let Some(pixel) = pixel else { continue };
            // SAFETY: rows, pixels and channels are those that the creator guarantees.
            unsafe {
                let inverse_sum = lanes.splat(*scratch.inverse_sums.add(row));
                let from = scratch.weighted.add(row * head_width);
                let to = output.frame(frame).add(pixel * output.pixel_stride + channel);
                for offset in (0..head_width).step_by(L::COUNT) {
                    lanes.store(to.add(offset), lanes.multiply(inverse_sum, lanes.load(from.add(offset))));
                }
            }
        }
    }
}
