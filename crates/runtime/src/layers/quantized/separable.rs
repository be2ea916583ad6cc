use std::ops::Range;

use super::numbers;
use crate::activation::Activation;
use crate::gemm::quantized::{ByteColumns, ByteMatrix, ByteProduct, multiply_bytes};
use crate::gemm::{Segment, part};
use crate::layers::depthwise::{DepthwiseBytes, DepthwiseRows, depthwise_rows};
use crate::layers::{MapIndex, PackedDepthwise, Run, ScratchLength, View};
use crate::shape::MapShape;
use crate::simd::Lanes;

/// How much of the bytes between the two convolutions exists at a time: what stays in a second-level cache beside a panel
/// of weights.
const BAND_BYTES: usize = 192 << 10;
/// Pixels of a band, even if they are larger than that: all weights are read again for each band.
const LEAST_BAND_PIXELS: usize = 64;

/// A depthwise convolution in single precision and the 1x1 convolution of bytes after it; the map between them exists only
/// as bytes of a band of rows.
pub(crate) struct QuantizedSeparable {
    pub(crate) input: MapIndex,
    pub(crate) output: MapIndex,
    pub(crate) packed: PackedDepthwise,
    pub(crate) relu_first: bool,
    pub(crate) inner_activation: Activation,
    pub(crate) matrix: ByteMatrix,
    pub(crate) residual: Option<MapIndex>,
    pub(crate) activation: Activation,
}

impl QuantizedSeparable {
    pub(crate) fn scratch(&self, output: MapShape) -> ScratchLength {
        let band = numbers(self.band_rows(output) * output.width * self.packed.channels);
        ScratchLength { shared: 0, own: band + self.packed.scratch(output.width) }
    }

    fn band_rows(&self, output: MapShape) -> usize {
        let pixels = (BAND_BYTES / self.packed.channels).max(LEAST_BAND_PIXELS);
        (pixels / output.width).clamp(1, output.height)
    }

    /// # Safety
    /// The network must have been checked, and the arena be its own.
    pub(crate) unsafe fn run<L: Lanes>(&self, run: &Run<'_, L>) {
        let (input, output) = (run.view(self.input), run.view(self.output));
        let residual = self.residual.map(|residual| run.view(residual));
        let height = output.shape.height;
        let bands = height.div_ceil(self.band_rows(output.shape));
        let parts = run.parts(height, output.groups() * self.matrix.depth).min(bands.next_multiple_of(run.workers()));
        let lanes = run.lanes;
        for frame in 0..output.frames {
            run.split(parts, |index, own| {
                let rows = part(height, parts, index);
                let bands = rows.len().div_ceil(self.band_rows(output.shape));
                for band in 0..bands {
                    let band = part(rows.len(), bands, band);
                    let rows = rows.start + band.start..rows.start + band.end;
                    // SAFETY: parts are disjoint rows of checked maps, and the scratch is the worker's own.
                    unsafe { self.band(lanes, (input, output, residual), frame, rows, own) };
                }
            });
        }
    }

    /// # Safety
    /// As for `run`; the scratch must be as long as asked for.
    unsafe fn band<L: Lanes>(
        &self,
        lanes: L,
        (input, output, residual): (View, View, Option<View>),
        frame: usize,
        rows: Range<usize>,
        scratch: *mut f32,
    ) {
        let width = output.shape.width;
        let channels = self.packed.channels;
        let bytes = scratch.cast::<u8>();
        let (pixels, first) = (rows.len() * width, rows.start * width);
        let depthwise = DepthwiseRows {
            packed: &self.packed,
            channels: 0..channels,
            input: input.frame(frame),
            input_bytes: input.bytes,
            input_shape: input.shape,
            input_stride: input.pixel_stride,
            output: std::ptr::null_mut(),
            output_shape: output.shape,
            output_stride: channels,
            // Rows count from the map's first, which is that far before the band.
            bytes: Some(DepthwiseBytes { to: bytes.wrapping_sub(first * channels), scale: self.matrix.input }),
            rows,
            input_activation: if self.relu_first { Activation::Relu } else { Activation::Identity },
            activation: self.inner_activation,
            means: std::ptr::null_mut(),
            scratch: scratch.wrapping_add(numbers(self.band_rows(output.shape) * width * channels)),
            kept: None,
        };
        let at = |view: View| view.frame(frame).wrapping_add(first * view.pixel_stride);
        let product = ByteProduct {
            rows: pixels,
            input: bytes,
            input_stride: channels,
            segments: &[Segment { offset: 0, length: self.matrix.depth }],
            output: at(output),
            output_stride: output.pixel_stride,
            output_bytes: output.bytes,
            residual: residual.map_or(std::ptr::null(), |view| at(view).cast_const()),
            residual_stride: residual.map_or(0, |view| view.pixel_stride),
            activation: self.activation,
        };
        // SAFETY: passed on to the caller; the band holds all pixels that the product reads.
        unsafe {
            depthwise_rows(lanes, &depthwise);
            multiply_bytes(&ByteColumns::of(&self.matrix, self.matrix.all()), &product);
        }
    }
}
