use super::{MapIndex, Run, ScratchLength, View};
use crate::activation::Activation;
use crate::gemm::{Tiles, part};
use crate::shape::MapShape;
use crate::simd::CHANNEL_GROUP;

mod packed;
mod row;
mod rows;

pub(crate) use packed::PackedDepthwise;
pub(crate) use rows::{DepthwiseRows, KeptRows, QuantizedOutput, depthwise_rows};

/// Depthwise convolution with an activation, and with a ReLU before it if one was fused.
pub(crate) struct Depthwise {
    pub(crate) input: MapIndex,
    pub(crate) output: MapIndex,
    /// Map of one pixel that receives the mean of each channel of the output.
    pub(crate) means: Option<MapIndex>,
    pub(crate) packed: PackedDepthwise,
    pub(crate) relu_first: bool,
    pub(crate) activation: Activation,
}

impl Depthwise {
    pub(crate) fn scratch(&self, output: MapShape) -> ScratchLength {
        ScratchLength { shared: 0, own: self.packed.scratch(output.width) }
    }

    /// # Safety
    /// The network must have been checked, and the arena be its own.
    pub(crate) unsafe fn run<L: Tiles>(&self, run: &Run<'_, L>) {
        let (input, output) = (run.view(self.input), run.view(self.output));
        let means = self.means.map(|means| run.view(means));
        let groups = self.packed.channels / CHANNEL_GROUP;
        let parts = run.parts(groups, output.groups() * self.packed.window.kernel * self.packed.window.kernel);
        let lanes = run.lanes;
        for frame in 0..output.frames {
            run.split(parts, |index, own| {
                let groups = part(groups, parts, index);
                let rows = DepthwiseRows {
                    packed: &self.packed,
                    channels: groups.start * CHANNEL_GROUP..groups.end * CHANNEL_GROUP,
                    input: input.channel(frame, groups.start * CHANNEL_GROUP),
                    input_quantization: input.quantization,
                    input_shape: input.shape,
                    input_stride: input.pixel_stride,
                    output: output.frame(frame).wrapping_add(groups.start * CHANNEL_GROUP),
                    output_shape: output.shape,
                    output_stride: output.pixel_stride,
                    quantized_output: None,
                    rows: 0..output.shape.height,
                    input_activation: if self.relu_first { Activation::Relu } else { Activation::Identity },
                    activation: self.activation,
                    means: means_at(means, frame, groups.start * CHANNEL_GROUP),
                    scratch: own,
                    kept: None,
                };
                // SAFETY: parts are disjoint channels of checked maps, and the scratch is the worker's own.
                unsafe { depthwise_rows(lanes, &rows) };
            });
        }
    }
}

/// Returns the address of the mean of a frame's channel, or null.
pub(crate) fn means_at(means: Option<View>, frame: usize, channel: usize) -> *mut f32 {
    means.map_or(std::ptr::null_mut(), |means| means.frame(frame).wrapping_add(channel))
}
