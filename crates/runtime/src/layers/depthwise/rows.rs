use std::ops::Range;

use super::PackedDepthwise;
use super::row::{Bytes, Floored, Row, Silu};
use crate::activation::Activation;
use crate::quantization::{ByteScale, ScaleVectors};
use crate::shape::MapShape;
use crate::simd::{Kernel, Lanes, math};

/// Some rows of some channels of a depthwise convolution.
pub(crate) struct DepthwiseRows<'a> {
    pub(crate) packed: &'a PackedDepthwise,
    /// A multiple of the channel group on either side.
    pub(crate) channels: Range<usize>,
    /// The first of the channels at the first pixel of the input; all rows under `rows` must be there.
    pub(crate) input: *const f32,
    /// The scale of the input, if it is bytes.
    pub(crate) input_bytes: Option<ByteScale>,
    pub(crate) input_shape: MapShape,
    pub(crate) input_stride: usize,
    /// The first of the channels at the first pixel of the output.
    pub(crate) output: *mut f32,
    pub(crate) output_shape: MapShape,
    pub(crate) output_stride: usize,
    /// Where the output goes as bytes, in the place of numbers.
    pub(crate) bytes: Option<DepthwiseBytes>,
    /// Rows of the output to compute.
    pub(crate) rows: Range<usize>,
    /// Applied while the input is read: a SiLU or what is no curve.
    pub(crate) input_activation: Activation,
    pub(crate) activation: Activation,
    /// Where the mean of each of the channels is built up, from row 0 to the last; or null.
    pub(crate) means: *mut f32,
    /// As long as [`PackedDepthwise::scratch`] says.
    pub(crate) scratch: *mut f32,
    /// Which input rows the scratch keeps, if other rows of the same channels are computed one call after another.
    pub(crate) kept: Option<KeptRows>,
}

/// Input rows that are read once though outputs of several calls need them. They count from the first row of padding.
#[derive(Clone, Copy)]
pub(crate) struct KeptRows {
    /// Those before this are in the scratch, or not needed any more.
    pub(crate) before: usize,
    /// Those before this are there when the call ends, as far as they may still be needed.
    pub(crate) after: usize,
}

/// An output of bytes.
#[derive(Clone, Copy)]
pub(crate) struct DepthwiseBytes {
    /// The first of the channels at the first pixel of the output.
    pub(crate) to: *mut u8,
    pub(crate) scale: ByteScale,
}

/// Computes rows of a depthwise convolution.
///
/// # Safety
/// The pointers must be valid as the fields ask for, and no other thread use what is written.
pub(crate) unsafe fn depthwise_rows<L: Lanes>(lanes: L, rows: &DepthwiseRows<'_>) {
    // SAFETY: passed on to the caller.
    unsafe {
        match (rows.packed.window.kernel, rows.packed.window.stride) {
            (3, 1) => lanes.call(Rows::<3, 1>(rows)),
            (3, 2) => lanes.call(Rows::<3, 2>(rows)),
            (5, 1) => lanes.call(Rows::<5, 1>(rows)),
            (5, 2) => lanes.call(Rows::<5, 2>(rows)),
            (7, 1) => lanes.call(Rows::<7, 1>(rows)),
            _ => lanes.call(Rows::<0, 0>(rows)),
        }
    }
}

/// A window of known size; zeros stand for any.
pub(super) struct Rows<'a, const KERNEL: usize, const STRIDE: usize>(pub(super) &'a DepthwiseRows<'a>);

impl<const KERNEL: usize, const STRIDE: usize> Kernel for Rows<'_, KERNEL, STRIDE> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self, lanes: L) {
        for offset in (0..self.0.channels.len()).step_by(L::COUNT) {
            // SAFETY: passed on to the caller; the offset is inside the channels.
            unsafe { self.vector(lanes, offset) };
        }
    }
}

impl<const KERNEL: usize, const STRIDE: usize> Rows<'_, KERNEL, STRIDE> {
    #[inline(always)]
    pub(super) fn kernel(&self) -> usize {
        if KERNEL > 0 { KERNEL } else { self.0.packed.window.kernel }
    }

    #[inline(always)]
    pub(super) fn stride(&self) -> usize {
        if STRIDE > 0 { STRIDE } else { self.0.packed.window.stride }
    }

    /// All rows of one vector of channels. The last input rows are kept side by side in the scratch with their padding, so
    /// that no output pixel is a special case and the taps' loads hit the first-level cache.
    ///
    /// # Safety
    /// As for [`depthwise_rows`].
    #[inline(always)]
    unsafe fn vector<L: Lanes>(&self, lanes: L, offset: usize) {
        let rows = self.0;
        let (kernel, stride, packed) = (self.kernel(), self.stride(), rows.packed);
        let row_length = packed.row_width(rows.output_shape.width) * L::COUNT;
        let mut total = lanes.zero();
        let (kept, between) = match rows.kept {
            Some(_) => (offset / L::COUNT * kernel * row_length, rows.channels.len() / L::COUNT * kernel * row_length),
            None => (0, kernel * row_length),
        };
        let (kept, between) = (rows.scratch.wrapping_add(kept), rows.scratch.wrapping_add(between));
        let mut next_row = rows.kept.map_or(0, |kept| kept.before);
        // SAFETY: rows, columns and channels are inside the maps and the scratch that the caller vouched for.
        unsafe {
            let weights = packed.weights.as_ptr().add(rows.channels.start + offset);
            let bias = lanes.load(packed.bias.as_ptr().add(rows.channels.start + offset));
            for y in rows.rows.clone() {
                next_row = next_row.max(y * stride);
                while next_row < y * stride + kernel {
                    self.copy_row(lanes, offset, next_row, kept.add(next_row % kernel * row_length));
                    next_row += 1;
                }
                let row = Row { input: kept, row_length, first: y * stride, weights, bias };
                total = lanes.add(total, self.finished_row(lanes, &row, (y, offset), between));
            }
            while next_row < rows.kept.map_or(0, |kept| kept.after) {
                self.copy_row(lanes, offset, next_row, kept.add(next_row % kernel * row_length));
                next_row += 1;
            }
            if !rows.means.is_null() {
                let mean = rows.means.add(offset);
                let before = if rows.rows.start == 0 { lanes.zero() } else { lanes.load(mean) };
                let share = lanes.splat(1.0 / rows.output_shape.pixels() as f32);
                lanes.store(mean, lanes.multiply_add(total, share, before));
            }
        }
    }

    /// Row `y` of one vector of channels to where it belongs, as what it becomes; gives its sum.
    ///
    /// # Safety
    /// As for [`depthwise_rows`].
    #[inline(always)]
    unsafe fn finished_row<L: Lanes>(
        &self,
        lanes: L,
        row: &Row<L>,
        (y, offset): (usize, usize),
        between: *mut f32,
    ) -> L::Vector {
        let rows = self.0;
        let stride = rows.output_stride;
        let place = y * rows.output_shape.width * stride + offset;
        let floor = lanes.splat(rows.activation.floor());
        // SAFETY: passed on to the caller.
        unsafe {
            match (rows.bytes, rows.activation.is_curved()) {
                (Some(DepthwiseBytes { to, scale }), false) => {
                    let scale = ScaleVectors::new(lanes, scale);
                    self.compute_row(lanes, row, Bytes { to: to.wrapping_add(place), stride, floor, scale })
                }
                (None, false) => {
                    self.compute_row(lanes, row, Floored { to: rows.output.wrapping_add(place), stride, floor })
                }
                (None, true) if rows.activation == Activation::Silu => {
                    self.compute_row(lanes, row, Silu { to: rows.output.wrapping_add(place), stride })
                }
                (bytes, true) => {
                    self.compute_row(lanes, row, Floored { to: between, stride: L::COUNT, floor });
                    let (to, stride) = match bytes {
                        Some(_) => (between, L::COUNT),
                        None => (rows.output.wrapping_add(place), stride),
                    };
                    let (activation, count) = (rows.activation, rows.output_shape.width);
                    let total = FinishRow { activation, from: between, to, count, stride }.run(lanes);
                    if let Some(DepthwiseBytes { to, scale }) = bytes {
                        self.finish_bytes(lanes, between, ScaleVectors::new(lanes, scale), to.wrapping_add(place));
                    }
                    total
                }
            }
        }
    }

    /// Turns a row of vectors, which lie side by side, into bytes.
    ///
    /// # Safety
    /// As for [`depthwise_rows`].
    #[inline(always)]
    unsafe fn finish_bytes<L: Lanes>(&self, lanes: L, from: *const f32, scale: ScaleVectors<L>, to: *mut u8) {
        // SAFETY: the row was written just before, and the pixels are inside the output.
        unsafe {
            for x in 0..self.0.output_shape.width {
                scale.store(lanes, to.add(x * self.0.output_stride), lanes.load(from.add(x * L::COUNT)));
            }
        }
    }

    /// Copies row `padded_row` (counted from the first row of padding) of one vector of channels.
    ///
    /// # Safety
    /// As for [`depthwise_rows`].
    #[inline(always)]
    unsafe fn copy_row<L: Lanes>(&self, lanes: L, offset: usize, padded_row: usize, to: *mut f32) {
        let rows = self.0;
        let MapShape { height, width, .. } = rows.input_shape;
        let padding = rows.packed.window.padding;
        let row_width = rows.packed.row_width(rows.output_shape.width);
        let y = padded_row.wrapping_sub(padding.top);
        let inside = if y < height { width.min(row_width.saturating_sub(padding.left)) } else { 0 };
        let left = padding.left;
        let floor = lanes.splat(rows.input_activation.floor());
        // SAFETY: as for the function; `left + inside` is at most the row's width, as padding is below the kernel.
        unsafe {
            for column in 0..left {
                lanes.store(to.add(column * L::COUNT), lanes.zero());
            }
            let row = if inside > 0 { y * width * rows.input_stride } else { 0 };
            if let Some(scale) = rows.input_bytes {
                let (zero, step) = (lanes.splat(f32::from(scale.zero)), lanes.splat(scale.step));
                let from = rows.input.wrapping_add(row).cast::<u8>().wrapping_add(offset);
                for column in 0..inside {
                    let bytes = lanes.load_bytes(from.add(column * rows.input_stride * size_of::<f32>()));
                    let number = lanes.multiply(lanes.subtract(bytes, zero), step);
                    lanes.store(to.add((left + column) * L::COUNT), lanes.maximum(floor, number));
                }
            }
            let from = rows.input.wrapping_add(row + offset);
            let of_numbers = if rows.input_bytes.is_none() { inside } else { 0 };
            for column in 0..of_numbers {
                let from = from.add(column * rows.input_stride);
                let number = lanes.load(from);
                // The row after it, whose pixels are too far apart for the processor to foresee.
                lanes.prefetch(from.wrapping_add(width * rows.input_stride));
                let number = match rows.input_activation {
                    Activation::Silu => math::silu(lanes, number),
                    _ => lanes.maximum(floor, number),
                };
                lanes.store(to.add((left + column) * L::COUNT), number);
            }
            for column in left + inside..row_width {
                lanes.store(to.add(column * L::COUNT), lanes.zero());
            }
        }
    }
}

/// Copies `count` vectors, which lie side by side, to places `stride` numbers apart, with the activation applied.
struct FinishRow {
    activation: Activation,
    from: *const f32,
    to: *mut f32,
    count: usize,
    stride: usize,
}

impl FinishRow {
    /// Gives the sum of what was written.
    ///
    /// # Safety
    /// Both sides must be valid for as many vectors.
    #[inline(always)]
    unsafe fn run<L: Lanes>(&self, lanes: L) -> L::Vector {
        // SAFETY: passed on to the caller.
        unsafe {
            match self.activation {
                Activation::Identity => self.all::<L, { Activation::Identity as u8 }>(lanes),
                Activation::Relu => self.all::<L, { Activation::Relu as u8 }>(lanes),
                Activation::Silu => self.all::<L, { Activation::Silu as u8 }>(lanes),
                Activation::Gelu => self.all::<L, { Activation::Gelu as u8 }>(lanes),
                Activation::Sigmoid => self.all::<L, { Activation::Sigmoid as u8 }>(lanes),
            }
        }
    }

    #[inline(always)]
    unsafe fn all<L: Lanes, const ACTIVATION: u8>(&self, lanes: L) -> L::Vector {
        let activation = Activation::ALL[ACTIVATION as usize];
        let mut total = lanes.zero();
        for index in 0..self.count {
            // SAFETY: the index is below the count that the caller vouched for.
            unsafe {
                let number = activation.apply(lanes, lanes.load(self.from.add(index * L::COUNT)));
                lanes.store(self.to.add(index * self.stride), number);
                total = lanes.add(total, number);
            }
        }
        total
    }
}
