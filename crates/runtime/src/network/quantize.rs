//! Post-training quantization: the choice of products that run in int8, and the ranges of their inputs, measured on frames.

use super::builder::NetworkBuilder;
use super::fuse::drop_unused;
use super::graph::{Map, Node, Operation};
use super::run::Network;
use crate::gemm::Tiles;
use crate::instruction_set::LanesTask;
use crate::layers::{MIN_TILED_WIDTH, MapIndex, Pooling, Run, View};
use crate::quantization::InputRange;
use crate::shape::MapShape;
use crate::{InstructionSet, Result, RuntimeError};

/// Deepest int8 product whose sums fit into 32 bits: 255 x 127 x this is just below 2^31.
const MAX_TERMS: usize = 65_536;

impl NetworkBuilder {
    /// Quantizes convolutions to int8, given the ranges of their inputs: one range for each convolution and each maximum
    /// added so far, depthwise ones and those of squeeze-and-excite blocks among them, as [`Observer::ranges`] returns them.
    /// Returns the number of quantized convolutions.
    ///
    /// Depthwise convolutions, the first one and those of a single pixel stay in single precision, and so do large windows
    /// whose output is narrow: quantizing their input would take longer than the product saves. A map between a quantized
    /// product and a depthwise convolution or a maximum is stored in 8 bits.
    ///
    /// # Errors
    /// [`RuntimeError::InputRanges`] for another count of ranges, [`RuntimeError::InputRange`] for one that is not finite.
    pub fn quantize(&mut self, ranges: &[InputRange]) -> Result<usize> {
        let readers = readers(&self.nodes);
        if readers.len() != ranges.len() {
            return Err(RuntimeError::InputRanges { expected: readers.len(), found: ranges.len() });
        }
        let mut quantized = 0;
        for ((index, input), range) in readers.into_iter().zip(ranges) {
            let range = range.checked()?;
            let is_frame = matches!(self.nodes[input].operation, Some(Operation::Input));
            let (read, made) = (self.nodes[input].shape, self.nodes[index].shape);
            match &mut self.nodes[index].operation {
                Some(Operation::Depthwise { kernel, .. }) => kernel.input_range = Some(range),
                Some(Operation::Pool { input_range, .. }) => *input_range = Some(range),
                Some(Operation::Convolution { kernel, window, .. }) => {
                    let terms = window.kernel * window.kernel * read.padded_channels();
                    let is_faster = window.kernel == 1 || made.width >= MIN_TILED_WIDTH;
                    if !is_frame && read.pixels() > 1 && is_faster && terms <= MAX_TERMS {
                        kernel.input_range = Some(range);
                        quantized += 1;
                    }
                }
                _ => {}
            }
        }
        Ok(quantized)
    }

    /// Packs the network without fusion, so that the input of every layer can be observed.
    ///
    /// # Errors
    /// As for [`Self::finish`].
    pub fn observe(self, output: Map, set: InstructionSet) -> Result<Observer> {
        let (output, set) = self.checked_output(output, set)?;
        let readers = readers(&self.nodes);
        let mut nodes = self.nodes;
        drop_unused(&mut nodes, output);
        // The empty range, which any number widens.
        let ranges = vec![InputRange { min: f32::INFINITY, max: f32::NEG_INFINITY }; readers.len()];
        Ok(Observer { network: Network::pack(nodes, output, set), readers, ranges })
    }
}

/// Returns the layers whose input has a range, in the order in which they were added, with that input.
fn readers(nodes: &[Node]) -> Vec<(usize, MapIndex)> {
    let reader = |(index, node): (usize, &Node)| match node.operation {
        Some(
            Operation::Convolution { input, .. }
            | Operation::Depthwise { input, .. }
            | Operation::Pool { input, pooling: Pooling::Maximum, .. },
        ) => Some((index, input)),
        _ => None,
    };
    nodes.iter().enumerate().filter_map(reader).collect()
}

/// Network that records the range of each convolution's and each maximum's input.
pub struct Observer {
    network: Network,
    readers: Vec<(usize, MapIndex)>,
    ranges: Vec<InputRange>,
}

impl Observer {
    /// Returns the shape of a frame.
    pub fn frame_shape(&self) -> MapShape {
        self.network.frame_shape()
    }

    /// Runs on frames [N, C, H, W] and widens the ranges to the inputs of the layers.
    ///
    /// # Errors
    /// [`RuntimeError::BufferLength`] for a part of a frame.
    pub fn run(&mut self, frames: &[f32]) -> Result<()> {
        let (length, _) = self.network.clip_numbers();
        if !frames.len().is_multiple_of(length) {
            return Err(RuntimeError::BufferLength { name: "frames", expected: length, found: frames.len() });
        }
        let set = self.network.instruction_set();
        for frame in frames.chunks_exact(length) {
            set.with_lanes(ObserveTask { observer: self, frame });
        }
        Ok(())
    }

    /// Returns the ranges so far, in the order in which the layers were added; zero for a layer that never ran.
    pub fn ranges(&self) -> Vec<InputRange> {
        let recorded = |range: &InputRange| match range.min <= range.max {
            true => *range,
            false => InputRange { min: 0.0, max: 0.0 },
        };
        self.ranges.iter().map(recorded).collect()
    }
}

struct ObserveTask<'a> {
    observer: &'a mut Observer,
    frame: &'a [f32],
}

impl LanesTask for ObserveTask<'_> {
    type Output = ();

    fn run<L: Tiles>(self, lanes: L) {
        let Observer { network, readers, ranges } = self.observer;
        let before_layer = |index: usize, run: &Run<'_, L>| {
            if let Ok(reader) = readers.binary_search_by_key(&index, |(index, _)| *index) {
                // SAFETY: layers before this one have written the map, and none runs now.
                unsafe { widen(&mut ranges[reader], run.view(readers[reader].1)) };
            }
        };
        network.run_observed(lanes, self.frame, before_layer);
    }
}

/// Widens the range to the numbers of the view's first frame.
///
/// # Safety
/// The frame must have been written and not be in use.
unsafe fn widen(range: &mut InputRange, view: View) {
    for pixel in 0..view.shape.pixels() {
        // SAFETY: a pixel holds its channels side by side; the rest is the caller's promise.
        let channels = unsafe { std::slice::from_raw_parts(view.pixel(pixel), view.shape.channels) };
        let (min, max) = (range.min, range.max);
        range.min = channels.iter().copied().fold(min, f32::min);
        range.max = channels.iter().copied().fold(max, f32::max);
    }
}
