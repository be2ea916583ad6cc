//! Which products become products of bytes, and the ranges of what they read, measured on frames.

use super::builder::NetworkBuilder;
use super::fuse::drop_unused;
use super::graph::{Map, Node, Operation};
use super::run::Network;
use crate::instruction_set::LanesTask;
use crate::layers::{MapIndex, Pooling, Run, View, WIDE_OUTPUT};
use crate::quantization::InputRange;
use crate::shape::MapShape;
use crate::simd::Lanes;
use crate::{InstructionSet, Result, RuntimeError};

/// Products deeper than this could overflow the 32 bits of their sums: 255 x 127 x this is just below 2^31.
const MOST_TERMS: usize = 65_536;

impl NetworkBuilder {
    /// Makes convolutions products of bytes, given the range of what they read: one range for each convolution and each
    /// maximum noted so far, depthwise ones and those of squeeze-and-excite blocks among them, as [`Observer::ranges`] gives
    /// them. Gives the number of convolutions whose products are of bytes now.
    ///
    /// Depthwise convolutions, the first one and those of a single pixel stay in single precision, and so do large windows
    /// whose output is narrow. A map between a product of bytes and a depthwise convolution or a maximum is kept as bytes.
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
                    let is_ready = window.kernel == 1 || made.width >= WIDE_OUTPUT;
                    if !is_frame && read.pixels() > 1 && is_ready && terms <= MOST_TERMS {
                        kernel.input_range = Some(range);
                        quantized += 1;
                    }
                }
                _ => {}
            }
        }
        Ok(quantized)
    }

    /// Packs the network layer by layer, so that the input of every layer can be looked at.
    pub fn observe(self, output: Map, set: InstructionSet) -> Result<Observer> {
        let (output, set) = self.checked_output(output, set)?;
        let readers = readers(&self.nodes);
        let mut nodes = self.nodes;
        drop_unused(&mut nodes, output);
        // Nothing has been seen, so anything is smaller or larger.
        let ranges = vec![InputRange { least: f32::INFINITY, greatest: f32::NEG_INFINITY }; readers.len()];
        Ok(Observer { network: Network::pack(nodes, output, set), readers, ranges })
    }
}

/// The layers whose input has a range, in the order in which they were noted, with that input.
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

/// A network that notes the range of what each of its convolutions and maxima reads.
pub struct Observer {
    network: Network,
    readers: Vec<(usize, MapIndex)>,
    ranges: Vec<InputRange>,
}

impl Observer {
    /// The shape of a frame.
    pub fn frame_shape(&self) -> MapShape {
        self.network.frame_shape()
    }

    /// Runs on frames [N, C, H, W] and widens the ranges to what is seen.
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

    /// The ranges so far, in the order in which the layers were noted; zero for one that was never run.
    pub fn ranges(&self) -> Vec<InputRange> {
        let seen = |range: &InputRange| match range.least <= range.greatest {
            true => *range,
            false => InputRange { least: 0.0, greatest: 0.0 },
        };
        self.ranges.iter().map(seen).collect()
    }
}

struct ObserveTask<'a> {
    observer: &'a mut Observer,
    frame: &'a [f32],
}

impl LanesTask for ObserveTask<'_> {
    type Output = ();

    fn run<L: Lanes>(self, lanes: L) {
        let Observer { network, readers, ranges } = self.observer;
        let look = |index: usize, run: &Run<'_, L>| {
            if let Ok(place) = readers.binary_search_by_key(&index, |(index, _)| *index) {
                // SAFETY: layers before this one have written the map, and none runs now.
                unsafe { widen(&mut ranges[place], run.view(readers[place].1)) };
            }
        };
        network.run_watched(lanes, self.frame, look);
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
        let (least, greatest) = (range.least, range.greatest);
        range.least = channels.iter().copied().fold(least, f32::min);
        range.greatest = channels.iter().copied().fold(greatest, f32::max);
    }
}
