use std::ops::Range;

use super::depthwise::{DepthwiseRows, depthwise_rows};
use super::{MapIndex, PackedDepthwise, Run, ScratchLength, View};
use crate::activation::Activation;
use crate::gemm::{Columns, PackedMatrix, Product, Segment, Tiles, multiply, part};
use crate::shape::MapShape;

/// Numbers of the map between the two convolutions that exist at a time: what stays in a second-level cache beside a panel
/// of weights.
const BAND_NUMBERS: usize = (384 << 10) / size_of::<f32>();
/// Fewest pixels of a band, however large they are, because each band reads all weights again.
const MIN_BAND_PIXELS: usize = 64;

/// Depthwise convolution fused with the 1x1 convolution after it; of the map between them only a band of rows exists.
pub(crate) struct Separable {
    pub(crate) input: MapIndex,
    pub(crate) output: MapIndex,
    pub(crate) packed: PackedDepthwise,
    pub(crate) relu_first: bool,
    pub(crate) inner_activation: Activation,
    pub(crate) matrix: PackedMatrix,
    pub(crate) segment: Segment,
    pub(crate) residual: Option<MapIndex>,
    pub(crate) activation: Activation,
}

impl Separable {
    pub(crate) fn scratch(&self, output: MapShape) -> ScratchLength {
        let band = self.band_rows(output) * output.width * self.packed.channels;
        ScratchLength { shared: 0, own: band + self.packed.scratch(output.width) }
    }

    fn band_rows(&self, output: MapShape) -> usize {
        let pixels = (BAND_NUMBERS / self.packed.channels).max(MIN_BAND_PIXELS);
        (pixels / output.width).clamp(1, output.height)
    }

    /// # Safety
    /// The network must have been checked, and the arena be its own.
    pub(crate) unsafe fn run<L: Tiles>(&self, run: &Run<'_, L>) {
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
    unsafe fn band<L: Tiles>(
        &self,
        lanes: L,
        (input, output, residual): (View, View, Option<View>),
        frame: usize,
        rows: Range<usize>,
        scratch: *mut f32,
    ) {
        let width = output.shape.width;
        let channels = self.packed.channels;
        let depthwise_scratch = scratch.wrapping_add(self.band_rows(output.shape) * width * channels);
        let pixels = rows.len() * width;
        let first = rows.start * width;
        let depthwise = DepthwiseRows {
            packed: &self.packed,
            channels: 0..channels,
            input: input.frame(frame),
            input_quantization: None,
            input_shape: input.shape,
            input_stride: input.pixel_stride,
            // Rows are counted from the map's first one, which is that far before the band.
            output: scratch.wrapping_sub(first * channels),
            output_shape: output.shape,
            output_stride: channels,
            quantized_output: None,
            rows,
            input_activation: if self.relu_first { Activation::Relu } else { Activation::Identity },
            activation: self.inner_activation,
            means: std::ptr::null_mut(),
            scratch: depthwise_scratch,
            kept: None,
        };
        let at = |view: View| view.frame(frame).wrapping_add(first * view.pixel_stride);
        let product = Product {
            rows: pixels,
            input: scratch,
            input_stride: channels,
            segments: std::slice::from_ref(&self.segment),
            output: at(output),
            output_stride: output.pixel_stride,
            residual: residual.map_or(std::ptr::null(), |view| at(view).cast_const()),
            residual_stride: residual.map_or(0, |view| view.pixel_stride),
            activation: self.activation,
        };
        // SAFETY: passed on to the caller; the band holds all pixels that the product reads.
        unsafe {
            depthwise_rows(lanes, &depthwise);
            multiply(lanes, &Columns::new(&self.matrix, self.matrix.all_panels()), &product);
        }
    }
}
