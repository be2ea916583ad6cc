use std::ops::Range;

use super::depthwise::{DepthwiseRows, KeptRows, depthwise_rows, means_at};
use super::{MapIndex, PackedDepthwise, Run, ScratchLength, View};
use crate::activation::Activation;
use crate::gemm::{Columns, PackedMatrix, Product, Segment, Tiles, multiply, part};
use crate::shape::MapShape;
use crate::simd::CHANNEL_GROUP;

/// Numbers of expanded rows that exist at a time, before the depthwise pass reads them: what stays in a second-level cache
/// beside the rows they come from and those that the pass keeps.
const STAGE_NUMBERS: usize = (192 << 10) / size_of::<f32>();
/// Channel groups that are expanded together.
const GROUPS_AT_A_TIME: usize = 4;
const CHANNELS_AT_A_TIME: usize = GROUPS_AT_A_TIME * CHANNEL_GROUP;

/// 1x1 convolution fused with the depthwise one after it; of the map between them only a few rows of a few channels exist.
pub(crate) struct ExpandDepthwise {
    pub(crate) input: MapIndex,
    pub(crate) output: MapIndex,
    /// Map of one pixel that receives the mean of each channel of the output.
    pub(crate) means: Option<MapIndex>,
    pub(crate) matrix: PackedMatrix,
    pub(crate) segment: Segment,
    pub(crate) inner_activation: Activation,
    pub(crate) packed: PackedDepthwise,
    pub(crate) activation: Activation,
}

impl ExpandDepthwise {
    pub(crate) fn scratch(&self, input: MapShape, output: MapShape) -> ScratchLength {
        let stage = self.staged_rows(input) * input.width * CHANNELS_AT_A_TIME;
        let kept = self.packed.scratch_with_kept(output.width, CHANNELS_AT_A_TIME);
        ScratchLength { shared: 0, own: stage + kept }
    }

    /// Returns how many input rows are expanded at a time.
    fn staged_rows(&self, input: MapShape) -> usize {
        (STAGE_NUMBERS / (input.width * CHANNELS_AT_A_TIME)).max(4).min(input.height)
    }

    /// # Safety
    /// The network must have been checked, and the arena be its own.
    pub(crate) unsafe fn run<L: Tiles>(&self, run: &Run<'_, L>) {
        let (input, output) = (run.view(self.input), run.view(self.output));
        let means = self.means.map(|means| run.view(means));
        let chunks = self.chunks();
        let parts = run.parts_of_units(chunks.len(), output.groups() * self.matrix.depth);
        let lanes = run.lanes;
        for frame in 0..output.frames {
            run.split(parts, |index, own| {
                // Where runs differ, the last are wide more often, and the widest should not be left for the end.
                let index = parts - 1 - index;
                for panels in &chunks[part(chunks.len(), parts, index)] {
                    // SAFETY: parts are disjoint channels of checked maps, and the scratch is the worker's own.
                    unsafe { self.channels(lanes, panels.clone(), (input, output, means), frame, own) };
                }
            });
        }
    }

    /// Returns the panels in runs that are expanded together; an even number of runs, as two threads often share them.
    fn chunks(&self) -> Vec<Range<usize>> {
        let panels = &self.matrix.panels;
        let widest = panels.iter().map(|panel| panel.groups).max().unwrap_or(1);
        let together = (GROUPS_AT_A_TIME / widest).max(1);
        let chunks = panels.len().div_ceil(together).next_multiple_of(2).min(panels.len());
        (0..chunks).map(|chunk| part(panels.len(), chunks, chunk)).collect()
    }

    /// Computes all rows of the channels of some panels.
    ///
    /// # Safety
    /// As for `run`; the scratch must be as long as asked for.
    unsafe fn channels<L: Tiles>(
        &self,
        lanes: L,
        panels: Range<usize>,
        (input, output, means): (View, View, Option<View>),
        frame: usize,
        scratch: *mut f32,
    ) {
        let MapShape { height, width, .. } = input.shape;
        let window = self.packed.window;
        let staged_rows = self.staged_rows(input.shape);
        let first_channel = self.matrix.panels[panels.start].column;
        let channels: usize = self.matrix.panels[panels.clone()].iter().map(|panel| panel.groups * CHANNEL_GROUP).sum();
        let columns = Columns { first_column: first_channel, ..Columns::new(&self.matrix, panels) };
        let row_length = width * channels;
        // SiLU is left to the depthwise pass, which loads every number once before it needs it and so saves a pass over memory.
        let (product_activation, input_activation) = match self.inner_activation {
            Activation::Silu => (Activation::Identity, Activation::Silu),
            other => (other, Activation::Identity),
        };
        let (mut expanded, mut done) = (0, 0);
        while done < output.shape.height {
            let rows = staged_rows.min(height - expanded);
            let product = Product {
                rows: rows * width,
                input: input.frame(frame).wrapping_add(expanded * width * input.pixel_stride),
                input_stride: input.pixel_stride,
                segments: std::slice::from_ref(&self.segment),
                output: scratch,
                output_stride: channels,
                residual: std::ptr::null(),
                residual_stride: 0,
                activation: product_activation,
            };
            let with_padding = expanded + rows + window.padding.top;
            // Output row y needs input rows up to y * stride + kernel - 1 - top; when all are there, the rest is padding.
            let ready = match expanded + rows == height {
                true => output.shape.height,
                false => {
                    let full = (with_padding + window.stride).saturating_sub(window.kernel) / window.stride;
                    full.min(output.shape.height)
                }
            };
            let depthwise = DepthwiseRows {
                packed: &self.packed,
                channels: first_channel..first_channel + channels,
                // Rows are counted from the map's first one, which is that far before those in memory.
                input: scratch.wrapping_sub(expanded * row_length),
                input_quantization: None,
                input_shape: input.shape,
                input_stride: channels,
                output: output.frame(frame).wrapping_add(first_channel),
                output_shape: output.shape,
                output_stride: output.pixel_stride,
                quantized_output: None,
                rows: done..ready,
                input_activation,
                activation: self.activation,
                means: means_at(means, frame, first_channel),
                scratch: scratch.wrapping_add(staged_rows * width * CHANNELS_AT_A_TIME),
                kept: Some(KeptRows {
                    before: if expanded == 0 { 0 } else { expanded + window.padding.top },
                    after: with_padding,
                }),
            };
            // SAFETY: the rows are inside the input and the scratch; every input row under these output rows is there or
            // was kept.
            unsafe {
                multiply(lanes, &columns, &product);
                depthwise_rows(lanes, &depthwise);
            }
            expanded += rows;
            done = ready;
        }
    }
}
