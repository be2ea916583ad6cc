use std::ops::Range;

use super::PackedDepthwise;
use crate::activation::Activation;
use crate::quantisation::{ByteScale, ScaleVectors};
use crate::shape::MapShape;
use crate::simd::{Kernel, Lanes};

/// Output pixels whose sums are kept in registers together.
const PIXELS: usize = 8;

/// Some rows of some channels of a depthwise convolution.
pub(crate) struct DepthwiseRows<'a> {
    pub(crate) packed: &'a PackedDepthwise,
    /// A multiple of the channel group on either side.
    pub(crate) channels: Range<usize>,
    /// The first of the channels at the first pixel of the input, or of the ring that holds some of its rows.
    pub(crate) input: *const f32,
    /// The scale of the input, if it is bytes.
    pub(crate) input_bytes: Option<ByteScale>,
    pub(crate) input_shape: MapShape,
    pub(crate) input_stride: usize,
    /// Row `y` of the input is row `y % ring_rows` of the ring; all rows under `rows` must be there.
    pub(crate) ring_rows: usize,
    /// The first of the channels at the first pixel of the output.
    pub(crate) output: *mut f32,
    pub(crate) output_shape: MapShape,
    pub(crate) output_stride: usize,
    /// Where the output goes as bytes, in the place of numbers.
    pub(crate) bytes: Option<DepthwiseBytes>,
    /// Rows of the output to compute.
    pub(crate) rows: Range<usize>,
    pub(crate) relu_first: bool,
    pub(crate) activation: Activation,
    /// Where the mean of each of the channels is built up, from row 0 to the last; or null.
    pub(crate) means: *mut f32,
    /// As long as [`PackedDepthwise::scratch`] says.
    pub(crate) scratch: *mut f32,
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
        let mut next_row = rows.rows.start * stride;
        let mut total = lanes.zero();
        // SAFETY: rows, columns and channels are inside the maps and the scratch that the caller vouched for.
        unsafe {
            let weights = packed.weights.as_ptr().add(rows.channels.start + offset);
            let bias = lanes.load(packed.bias.as_ptr().add(rows.channels.start + offset));
            for y in rows.rows.clone() {
                next_row = next_row.max(y * stride);
                while next_row < y * stride + kernel {
                    self.copy_row(lanes, offset, next_row, rows.scratch.add(next_row % kernel * row_length));
                    next_row += 1;
                }
                let output = rows.output.wrapping_add(y * rows.output_shape.width * rows.output_stride + offset);
                let row = Row { offset: y * stride, row_length, weights, bias, to: output, stride: rows.output_stride };
                if let Some(bytes) = rows.bytes {
                    let between = rows.scratch.add(kernel * row_length);
                    self.compute_row(lanes, &Row { to: between, stride: L::COUNT, ..row });
                    let to = bytes.to.wrapping_add(y * rows.output_shape.width * rows.output_stride + offset);
                    self.finish_bytes(lanes, between, ScaleVectors::new(lanes, bytes.scale), to);
                    continue;
                }
                if rows.means.is_null() && !rows.activation.is_curved() {
                    self.compute_row(lanes, &row);
                    continue;
                }
                let between = rows.scratch.add(kernel * row_length);
                self.compute_row(lanes, &Row { to: between, stride: L::COUNT, ..row });
                let finish = FinishRow {
                    activation: rows.activation,
                    from: between,
                    to: output,
                    count: rows.output_shape.width,
                    stride: rows.output_stride,
                };
                total = lanes.add(total, finish.run(lanes));
            }
            if !rows.means.is_null() {
                let mean = rows.means.add(offset);
                let before = if rows.rows.start == 0 { lanes.zero() } else { lanes.load(mean) };
                let share = lanes.splat(1.0 / rows.output_shape.pixels() as f32);
                lanes.store(mean, lanes.multiply_add(total, share, before));
            }
        }
    }

    /// Turns a row of vectors, which lie side by side, into bytes with the activation applied.
    ///
    /// # Safety
    /// As for [`depthwise_rows`].
    #[inline(always)]
    unsafe fn finish_bytes<L: Lanes>(&self, lanes: L, from: *mut f32, scale: ScaleVectors<L>, to: *mut u8) {
        let (rows, count) = (self.0, self.0.output_shape.width);
        // SAFETY: the row was written just before, and the pixels are inside the output.
        unsafe {
            if rows.activation.is_curved() {
                let activation = rows.activation;
                FinishRow { activation, from, to: from, count, stride: L::COUNT }.run(lanes);
            }
            for x in 0..count {
                scale.store(lanes, to.add(x * rows.output_stride), lanes.load(from.add(x * L::COUNT)));
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
        let floor = lanes.splat(if rows.relu_first { 0.0 } else { f32::NEG_INFINITY });
        // SAFETY: as for the function; `left + inside` is at most the row's width, as padding is below the kernel.
        unsafe {
            for column in 0..left {
                lanes.store(to.add(column * L::COUNT), lanes.zero());
            }
            let row = y % rows.ring_rows * width * rows.input_stride;
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
                lanes.store(to.add((left + column) * L::COUNT), lanes.maximum(floor, number));
            }
            for column in left + inside..row_width {
                lanes.store(to.add(column * L::COUNT), lanes.zero());
            }
        }
    }

    /// # Safety
    /// As for [`depthwise_rows`].
    #[inline(always)]
    unsafe fn compute_row<L: Lanes>(&self, lanes: L, row: &Row<L>) {
        let width = self.0.output_shape.width;
        let mut x = 0;
        // SAFETY: as for the function; every block ends at or before the row's last pixel.
        unsafe {
            while x + PIXELS <= width {
                self.compute_pixels::<L, PIXELS>(lanes, row, x);
                x += PIXELS;
            }
            // What is left over is computed together with pixels before it, again, rather than alone.
            while x < width {
                let rest = width - x;
                if rest > 4 && width >= PIXELS {
                    self.compute_pixels::<L, PIXELS>(lanes, row, width - PIXELS);
                    x = width;
                } else if width >= 4 {
                    self.compute_pixels::<L, 4>(lanes, row, x.min(width - 4));
                    x += 4;
                } else {
                    self.compute_pixels::<L, 1>(lanes, row, x);
                    x += 1;
                }
            }
        }
    }

    /// # Safety
    /// As for [`depthwise_rows`]; `x + COUNT` must not be beyond the row.
    #[inline(always)]
    unsafe fn compute_pixels<L: Lanes, const COUNT: usize>(&self, lanes: L, row: &Row<L>, x: usize) {
        let rows = self.0;
        let (kernel, stride) = (self.kernel(), self.stride());
        let mut sums = [row.bias; COUNT];
        // SAFETY: the scratch holds all input columns of the output columns, for every row of the window.
        unsafe {
            for ky in 0..kernel {
                let input = rows.scratch.add((row.offset + ky) % kernel * row.row_length + x * stride * L::COUNT);
                for kx in 0..kernel {
                    let weight = lanes.load(row.weights.add((ky * kernel + kx) * rows.packed.channels));
                    for (pixel, sum) in sums.iter_mut().enumerate() {
                        let number = lanes.load(input.add((pixel * stride + kx) * L::COUNT));
                        *sum = lanes.multiply_add(number, weight, *sum);
                    }
                }
            }
            let floor = lanes.splat(rows.activation.floor());
            for (pixel, sum) in sums.into_iter().enumerate() {
                lanes.store(row.to.add((x + pixel) * row.stride), lanes.maximum(floor, sum));
            }
        }
    }
}

/// One output row of one vector of channels.
struct Row<L: Lanes> {
    /// The first padded input row under it.
    offset: usize,
    row_length: usize,
    weights: *const f32,
    bias: L::Vector,
    /// Where the row's vectors go, and how far they are from each other.
    to: *mut f32,
    stride: usize,
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
