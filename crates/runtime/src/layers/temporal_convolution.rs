use std::ops::Range;

use super::{MapIndex, Run, View};
use crate::activation::Activation;
use crate::gemm::{Columns, PackedMatrix, Product, Segment, Tiles, multiply, part};
use crate::shape::TemporalWindow;

/// Fewest pixels of a thread's part of a product: fewer would not repay reading the weights.
const MIN_PIXELS: usize = 24;

/// Convolution over the same pixel of neighboring frames of a clip.
///
/// The frames are multiplied where they lie. Those beyond the clip's ends are zero, so their rows of the weights are
/// skipped.
pub(crate) struct TemporalConvolution {
    pub(crate) input: MapIndex,
    pub(crate) output: MapIndex,
    /// Weights with a row for each frame of the window and each of its channels.
    pub(crate) matrix: PackedMatrix,
    pub(crate) window: TemporalWindow,
    pub(crate) residual: Option<MapIndex>,
    pub(crate) activation: Activation,
}

impl TemporalConvolution {
    /// # Safety
    /// The network must have been checked, and the arena be its own.
    pub(crate) unsafe fn run<L: Tiles>(&self, run: &Run<'_, L>) {
        let (input, output) = (run.view(self.input), run.view(self.output));
        let work = Work { layer: self, input, output, residual: self.residual.map(|residual| run.view(residual)) };
        let pixels = output.frames * output.shape.pixels();
        let panels = self.matrix.panels.len();
        // Panels are read by one thread each when there are many, so that no thread reads all weights.
        let by_panels = panels >= 8 && self.matrix.columns > pixels;
        let max_parts = if by_panels { panels } else { pixels.div_ceil(MIN_PIXELS) };
        let parts = run.parts(max_parts, output.frames * output.groups() * self.matrix.depth);
        let lanes = run.lanes;
        run.split(parts, |index, _| {
            let (pixels, panels) = match by_panels {
                true => (0..pixels, part(panels, parts, index)),
                false => (part(pixels, parts, index), self.matrix.all_panels()),
            };
            // SAFETY: the parts' pixels or columns are disjoint, and the views hold all of them.
            unsafe { work.pixels(lanes, pixels, panels) };
        });
    }
}

/// Layer and its maps.
struct Work<'a> {
    layer: &'a TemporalConvolution,
    input: View,
    output: View,
    residual: Option<View>,
}

impl Work<'_> {
    /// Computes output pixels, counted over all frames of the clip, in the columns of some panels.
    ///
    /// # Safety
    /// The pixels must be inside the output, and no other thread write them in these columns.
    unsafe fn pixels<L: Tiles>(&self, lanes: L, mut pixels: Range<usize>, panels: Range<usize>) {
        let Self { layer, input, output, residual } = self;
        let step = layer.window.spatial_stride;
        // Pixels whose inputs are evenly apart.
        let run = if step == 1 { output.shape.pixels() } else { output.shape.width };
        while !pixels.is_empty() {
            let first = pixels.start;
            let count = pixels.len().min(run - first % run);
            let (frame, pixel) = (first / output.shape.pixels(), first % output.shape.pixels());
            let (y, x) = (pixel / output.shape.width * step, pixel % output.shape.width * step);
            let (frames, skipped) = layer.window.under(frame, input.frames);
            let segments: Vec<Segment> = (0..frames.len())
                .map(|tap| Segment { offset: tap * input.frame_stride, length: input.shape.channels })
                .collect();
            let product = Product {
                rows: count,
                input: input.frame(frames.start).wrapping_add((y * input.shape.width + x) * input.pixel_stride),
                input_stride: step * input.pixel_stride,
                segments: &segments,
                output: output.pixel(first),
                output_stride: output.pixel_stride,
                residual: residual.map_or(std::ptr::null(), |view| view.pixel(first).cast_const()),
                residual_stride: residual.map_or(0, |view| view.pixel_stride),
                activation: layer.activation,
            };
            let first_row = skipped * input.shape.channels;
            let columns = Columns { first_row, ..Columns::new(&layer.matrix, panels.clone()) };
            // SAFETY: passed on to the caller; the frames under the window are those of the clip.
            unsafe { multiply(lanes, &columns, &product) };
            pixels.start += count;
        }
    }
}
