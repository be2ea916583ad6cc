use std::ops::Range;

use super::depthwise::{DepthwiseRows, depthwise_rows, means_at};
use super::{MapIndex, PackedDepthwise, Run, ScratchLength, View};
use crate::activation::Activation;
use crate::gemm::{Columns, PackedMatrix, Product, Segment, multiply, part};
use crate::shape::MapShape;
use crate::simd::{CHANNEL_GROUP, Lanes};

/// Expanded rows that are kept at a time: what stays in a second-level cache beside the rows they come from.
const RING_NUMBERS: usize = (192 << 10) / size_of::<f32>();
/// Channel groups that are expanded together.
const GROUPS_AT_A_TIME: usize = 4;

/// A 1x1 convolution and the depthwise one after it; the map between them exists only as a ring of a few rows of a few
/// channels.
pub(crate) struct ExpandDepthwise {
    pub(crate) input: MapIndex,
    pub(crate) output: MapIndex,
    /// A map of one pixel that receives the mean of each channel of the output.
    pub(crate) means: Option<MapIndex>,
    pub(crate) matrix: PackedMatrix,
    pub(crate) segment: Segment,
    pub(crate) inner_activation: Activation,
    pub(crate) packed: PackedDepthwise,
    pub(crate) activation: Activation,
}

/// How many input rows are expanded at a time, and how many the ring holds.
struct Ring {
    step: usize,
    rows: usize,
}

impl ExpandDepthwise {
    pub(crate) fn scratch(&self, input: MapShape, output: MapShape) -> ScratchLength {
        let ring = self.ring(input).rows * input.width * GROUPS_AT_A_TIME * CHANNEL_GROUP;
        ScratchLength { shared: 0, own: ring + self.packed.scratch(output.width) }
    }

    fn ring(&self, input: MapShape) -> Ring {
        let window = self.packed.window;
        let row = input.width * GROUPS_AT_A_TIME * CHANNEL_GROUP;
        let step = (RING_NUMBERS / row).max(4);
        // A window may begin in the rows before those just expanded, and a stride leaves some behind.
        let rows = step + window.kernel + window.stride;
        if rows >= input.height { Ring { step: input.height, rows: input.height } } else { Ring { step, rows } }
    }

    /// # Safety
    /// The network must have been checked, and the arena be its own.
    pub(crate) unsafe fn run<L: Lanes>(&self, run: &Run<'_, L>) {
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

    /// Panels, in runs that are expanded together; an even number of runs, as two threads often share them.
    fn chunks(&self) -> Vec<Range<usize>> {
        let panels = &self.matrix.panels;
        let widest = panels.iter().map(|panel| panel.groups).max().unwrap_or(1);
        let together = (GROUPS_AT_A_TIME / widest).max(1);
        let chunks = panels.len().div_ceil(together).next_multiple_of(2).min(panels.len());
        (0..chunks).map(|chunk| part(panels.len(), chunks, chunk)).collect()
    }

    /// All rows of the channels of some panels.
    ///
    /// # Safety
    /// As for `run`; the scratch must be as long as asked for.
    unsafe fn channels<L: Lanes>(
        &self,
        lanes: L,
        panels: Range<usize>,
        (input, output, means): (View, View, Option<View>),
        frame: usize,
        scratch: *mut f32,
    ) {
        let MapShape { height, width, .. } = input.shape;
        let window = self.packed.window;
        let ring = self.ring(input.shape);
        let first_channel = self.matrix.panels[panels.start].column;
        let channels: usize = self.matrix.panels[panels.clone()].iter().map(|panel| panel.groups * CHANNEL_GROUP).sum();
        let columns = Columns { first_column: first_channel, ..Columns::of(&self.matrix, panels) };
        let ring_start = scratch;
        let row_length = width * channels;
        let depthwise_scratch = scratch.wrapping_add(ring.rows * width * GROUPS_AT_A_TIME * CHANNEL_GROUP);
        let (mut expanded, mut done) = (0, 0);
        while done < output.shape.height {
            let target = (expanded + ring.step).min(height);
            while expanded < target {
                let place = expanded % ring.rows;
                let rows = (target - expanded).min(ring.rows - place);
                let product = Product {
                    rows: rows * width,
                    input: input.frame(frame).wrapping_add(expanded * width * input.pixel_stride),
                    input_stride: input.pixel_stride,
                    segments: std::slice::from_ref(&self.segment),
                    output: ring_start.wrapping_add(place * row_length),
                    output_stride: channels,
                    residual: std::ptr::null(),
                    residual_stride: 0,
                    activation: self.inner_activation,
                };
                // SAFETY: the rows are inside the input and the ring.
                unsafe { multiply(lanes, &columns, &product) };
                expanded += rows;
            }
            // Output row y needs input rows up to y * stride + kernel - 1 - top; when all are there, the rest is padding.
            let ready = match expanded == height {
                true => output.shape.height,
                false => {
                    let with_padding = expanded + window.padding.top;
                    let full = (with_padding + window.stride).saturating_sub(window.kernel) / window.stride;
                    full.min(output.shape.height)
                }
            };
            if ready > done {
                let rows = DepthwiseRows {
                    packed: &self.packed,
                    channels: first_channel..first_channel + channels,
                    input: ring_start,
                    input_bytes: None,
                    input_shape: input.shape,
                    input_stride: channels,
                    ring_rows: ring.rows,
                    output: output.frame(frame).wrapping_add(first_channel),
                    output_shape: output.shape,
                    output_stride: output.pixel_stride,
                    bytes: None,
                    rows: done..ready,
                    relu_first: false,
                    activation: self.activation,
                    means: means_at(means, frame, first_channel),
                    scratch: depthwise_scratch,
                };
                // SAFETY: every input row under these output rows is in the ring.
                unsafe { depthwise_rows(lanes, &rows) };
                done = ready;
            }
        }
    }
}
