use std::ops::Range;

use super::packed::PackedDepthwise;
use super::row::{Floored, Quantized, Row, Silu};
use crate::activation::Activation;
use crate::quantization::{AffineQuantization, QuantizationVectors};
use crate::shape::MapShape;
use crate::simd::{Kernel, Lanes, math};

/// Rows and channels of a depthwise convolution that are computed in one call.
pub(crate) struct DepthwiseRows<'a> {
    pub(crate) packed: &'a PackedDepthwise,
    /// A multiple of the channel group on either side.
    pub(crate) channels: Range<usize>,
    /// First of the channels at the first pixel of the input; all rows under `rows` must be in memory.
    pub(crate) input: *const f32,
    /// Quantization of the input, if it is stored in 8 bits.
    pub(crate) input_quantization: Option<AffineQuantization>,
    pub(crate) input_shape: MapShape,
    pub(crate) input_stride: usize,
    /// First of the channels at the first pixel of the output.
    pub(crate) output: *mut f32,
    pub(crate) output_shape: MapShape,
    pub(crate) output_stride: usize,
    /// Destination of a quantized output, instead of `output`.
    pub(crate) quantized_output: Option<QuantizedOutput>,
    /// Rows of the output to compute.
    pub(crate) rows: Range<usize>,
    /// Activation applied while the input is read: SiLU, ReLU or none.
    pub(crate) input_activation: Activation,
    pub(crate) activation: Activation,
    /// Means of the channels, accumulated from row 0 to the last; or null.
    pub(crate) means: *mut f32,
    /// Scratch memory as long as [`PackedDepthwise::scratch`] says.
    pub(crate) scratch: *mut f32,
    /// Input rows that the scratch memory keeps, if the same channels are computed over several calls.
    pub(crate) kept: Option<KeptRows>,
}

/// Input rows that are read once though outputs of several calls need them. They are counted from the first row of padding.
#[derive(Clone, Copy)]
pub(crate) struct KeptRows {
    /// Rows before this one are in the scratch memory, or not needed any more.
    pub(crate) before: usize,
    /// Rows before this one are in the scratch memory when the call ends, as far as they may still be needed.
    pub(crate) after: usize,
}

/// Quantized output.
#[derive(Clone, Copy)]
pub(crate) struct QuantizedOutput {
    /// First of the channels at the first pixel of the output.
    pub(crate) to: *mut u8,
    pub(crate) quantization: AffineQuantization,
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

/// Window of known size, for which the compiler unrolls the loops over taps; zeros stand for any size.
struct Rows<'a, const KERNEL: usize, const STRIDE: usize>(&'a DepthwiseRows<'a>);

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
    fn kernel(&self) -> usize {
        if KERNEL > 0 { KERNEL } else { self.0.packed.window.kernel }
    }

    #[inline(always)]
    fn stride(&self) -> usize {
        if STRIDE > 0 { STRIDE } else { self.0.packed.window.stride }
    }

    /// Computes all rows of one vector of channels. The last input rows are kept side by side in the scratch with their padding, so
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
        // SAFETY: rows, columns and channels are inside the maps and the scratch that the caller guarantees.
        unsafe {
            let weights = packed.weights.as_ptr().add(rows.channels.start + offset);
            let bias = lanes.load(packed.bias.as_ptr().add(rows.channels.start + offset));
            for y in rows.rows.clone() {
                next_row = next_row.max(y * stride);
                while next_row < y * stride + kernel {
                    self.copy_row(lanes, offset, next_row, kept.add(next_row % kernel * row_length));
                    next_row += 1;
                }
                let row = Row {
                    input: kept,
                    row_length,
                    first: y * stride,
                    weights,
                    weights_stride: packed.channels,
                    bias,
                    window: packed.window,
                    width: rows.output_shape.width,
                };
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

    /// Computes row `y` of one vector of channels, stores it in the output's format and returns its sum.
    ///
    /// # Safety
    /// As for [`depthwise_rows`].
    #[inline(always)]
    unsafe fn finished_row<L: Lanes>(
        &self,
        lanes: L,
        row: &Row<L, KERNEL, STRIDE>,
        (y, offset): (usize, usize),
        between: *mut f32,
    ) -> L::Vector {
        let rows = self.0;
        let stride = rows.output_stride;
        let offset = y * rows.output_shape.width * stride + offset;
        let floor = lanes.splat(rows.activation.floor());
        // SAFETY: passed on to the caller.
        unsafe {
            match (rows.quantized_output, rows.activation.is_curved()) {
                (Some(QuantizedOutput { to, quantization }), false) => {
                    let quantization = QuantizationVectors::new(lanes, quantization);
                    row.compute(lanes, Quantized { to: to.wrapping_add(offset), stride, floor, quantization })
                }
                (None, false) => row.compute(lanes, Floored { to: rows.output.wrapping_add(offset), stride, floor }),
                (None, true) if rows.activation == Activation::Silu => {
                    row.compute(lanes, Silu { to: rows.output.wrapping_add(offset), stride })
                }
                (quantized, true) => {
                    row.compute(lanes, Floored { to: between, stride: L::COUNT, floor });
                    let (to, stride) = match quantized {
                        Some(_) => (between, L::COUNT),
                        None => (rows.output.wrapping_add(offset), stride),
                    };
                    let (activation, count) = (rows.activation, rows.output_shape.width);
                    let total = FinishRow { activation, from: between, to, count, stride }.run(lanes);
                    if let Some(QuantizedOutput { to, quantization }) = quantized {
                        self.finish_quantized(
                            lanes,
                            between,
                            QuantizationVectors::new(lanes, quantization),
                            to.wrapping_add(offset),
                        );
                    }
                    total
                }
            }
        }
    }

    /// Quantizes a row of vectors that lie side by side.
    ///
    /// # Safety
    /// As for [`depthwise_rows`].
    #[inline(always)]
    unsafe fn finish_quantized<L: Lanes>(
        &self,
        lanes: L,
        from: *const f32,
        quantization: QuantizationVectors<L>,
        to: *mut u8,
    ) {
        // SAFETY: the row was written just before, and the pixels are inside the output.
        unsafe {
            for x in 0..self.0.output_shape.width {
                quantization.store(lanes, to.add(x * self.0.output_stride), lanes.load(from.add(x * L::COUNT)));
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
            if let Some(quantization) = rows.input_quantization {
                let (zero_point, scale) =
                    (lanes.splat(f32::from(quantization.zero_point)), lanes.splat(quantization.scale));
                let from = rows.input.wrapping_add(row).cast::<u8>().wrapping_add(offset);
                for column in 0..inside {
                    let quantized = lanes.load_u8(from.add(column * rows.input_stride * size_of::<f32>()));
                    let number = lanes.multiply(lanes.subtract(quantized, zero_point), scale);
                    lanes.store(to.add((left + column) * L::COUNT), lanes.maximum(floor, number));
                }
            }
            let from = rows.input.wrapping_add(row + offset);
            let float_columns = if rows.input_quantization.is_none() { inside } else { 0 };
            for column in 0..float_columns {
                let from = from.add(column * rows.input_stride);
                let number = lanes.load(from);
                // Fetches the row below: its pixels are too far apart for the hardware prefetcher.
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

/// Activation of `count` vectors that lie side by side, stored `stride` numbers apart.
struct FinishRow {
    activation: Activation,
    from: *const f32,
    to: *mut f32,
    count: usize,
    stride: usize,
}

impl FinishRow {
    /// Applies the activation and returns the sum of the results.
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
                Activation::Relu6 => self.all::<L, { Activation::Relu6 as u8 }>(lanes),
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
            // SAFETY: the index is below the count that the caller guarantees.
            unsafe {
                let number = activation.apply(lanes, lanes.load(self.from.add(index * L::COUNT)));
                lanes.store(self.to.add(index * self.stride), number);
                total = lanes.add(total, number);
            }
        }
        total
    }
}
