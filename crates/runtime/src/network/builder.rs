mod attention;

use super::graph::{Convolution, Kernel, Map, Node, Operation, SqueezeExcite, TemporalConvolution};
use super::run::Network;
use crate::activation::Activation;
use crate::layers::{MapIndex, Pooling};
use crate::shape::{MapShape, Window};
use crate::{InstructionSet, Result, RuntimeError};

/// Builder of a [`Network`], layer by layer. Each method adds one map to the graph and returns its handle; a handle may be
/// used any number of times, for skip connections, shortcuts and dense blocks.
///
/// Neighboring layers are fused where that is faster; the result is the same but for rounding.
pub struct NetworkBuilder {
    pub(super) nodes: Vec<Node>,
}

impl NetworkBuilder {
    /// Starts a network on frames of this shape, and returns the handle of the frames.
    ///
    /// # Errors
    /// [`RuntimeError::Shape`] for an empty shape.
    pub fn new(frame: MapShape) -> Result<(Self, Map)> {
        Self::for_clips(frame, 1)
    }

    /// Starts a network on clips of so many frames of this shape, and returns the handle of the frames. All layers but the
    /// temporal ones treat the frames independently.
    ///
    /// # Errors
    /// [`RuntimeError::Shape`] for an empty shape or a clip without frames.
    pub fn for_clips(frame: MapShape, frames: usize) -> Result<(Self, Map)> {
        if frame.numbers() * frames == 0 {
            return Err(RuntimeError::Shape { layer: "network", problem: format!("{frames} frames of {frame:?}") });
        }
        let input = Node { shape: frame, frames, quantization: None, operation: Some(Operation::Input) };
        Ok((Self { nodes: vec![input] }, Map(0)))
    }

    /// Returns the shape of a map.
    ///
    /// # Errors
    /// [`RuntimeError::Shape`] for a map of another network, as for every method that takes one.
    pub fn shape(&self, map: Map) -> Result<MapShape> {
        self.checked("network", map).map(|(_, shape)| shape)
    }

    /// Returns the number of frames that a clip has in this map.
    ///
    /// # Errors
    /// As for [`Self::shape`].
    pub fn frames(&self, map: Map) -> Result<usize> {
        self.checked("network", map).map(|(index, _)| self.nodes[index].frames)
    }

    /// Returns the multiply-adds of all convolutions so far, for one frame or one clip.
    pub fn multiply_adds(&self) -> u64 {
        let of_node = |node: &Node| match &node.operation {
            Some(
                Operation::Convolution { kernel, .. }
                | Operation::Depthwise { kernel, .. }
                | Operation::TemporalConvolution { kernel, .. },
            ) => {
                // Each weight meets each pixel of its output channel once.
                (kernel.weight.len() * node.frames * node.shape.pixels()) as u64
            }
            _ => 0,
        };
        self.nodes.iter().map(of_node).sum()
    }

    /// Adds a convolution over all channels, 1x1 or larger.
    ///
    /// # Errors
    /// [`RuntimeError::WeightLength`] or [`RuntimeError::Shape`] where weights or window do not fit the input.
    pub fn convolution(&mut self, input: Map, convolution: Convolution<'_>) -> Result<Map> {
        const LAYER: &str = "convolution";
        let Convolution { weight, bias, channels_out, window, activation } = convolution;
        let (input, shape) = self.checked(LAYER, input)?;
        let kernel =
            copied_kernel(LAYER, (weight, bias, channels_out), shape.channels * window.kernel * window.kernel)?;
        let (height, width) = window.output(LAYER, shape)?;
        let operation =
            Operation::Convolution { input, depthwise: None, kernel, window, activation, residual: None, gates: None };
        Ok(self.push(MapShape::new(channels_out, height, width), operation))
    }

    /// Adds a convolution over neighboring frames of a clip, pixel by pixel.
    ///
    /// # Errors
    /// As for [`Self::convolution`].
    pub fn temporal_convolution(&mut self, input: Map, convolution: TemporalConvolution<'_>) -> Result<Map> {
        const LAYER: &str = "temporal convolution";
        let TemporalConvolution { weight, bias, channels_out, window, activation } = convolution;
        let (input, shape) = self.checked(LAYER, input)?;
        let kernel = copied_kernel(LAYER, (weight, bias, channels_out), shape.channels * window.kernel)?;
        let (frames, (height, width)) = window.output(LAYER, self.nodes[input].frames, shape)?;
        let operation = Operation::TemporalConvolution { input, kernel, window, activation, residual: None };
        let map = self.push(MapShape::new(channels_out, height, width), operation);
        self.nodes[map.0].frames = frames;
        Ok(map)
    }

    /// Adds a convolution of each channel with a filter of its own; `channels_out` must be the input's channels.
    ///
    /// # Errors
    /// As for [`Self::convolution`].
    pub fn depthwise(&mut self, input: Map, convolution: Convolution<'_>) -> Result<Map> {
        const LAYER: &str = "depthwise convolution";
        let Convolution { weight, bias, channels_out, window, activation } = convolution;
        let (input, shape) = self.checked(LAYER, input)?;
        if channels_out != shape.channels {
            return Err(mismatch(LAYER, format!("{channels_out} channels out of {}", shape.channels)));
        }
        let kernel = copied_kernel(LAYER, (weight, bias, channels_out), window.kernel * window.kernel)?;
        let (height, width) = window.output(LAYER, shape)?;
        let operation =
            Operation::Depthwise { input, expand: None, kernel, window, relu_first: false, activation, means: None };
        Ok(self.push(MapShape::new(channels_out, height, width), operation))
    }

    /// Adds a squeeze-and-excite block: each channel is multiplied by a factor between 0 and 1 that is computed from the
    /// means of all channels.
    ///
    /// # Errors
    /// As for [`Self::convolution`].
    pub fn squeeze_excite(&mut self, input: Map, block: SqueezeExcite<'_>) -> Result<Map> {
        let channels = self.shape(input)?.channels;
        let squeezed = block.reduce_bias.len();
        let means = self.global_average(input)?;
        let layer = |weight, bias, channels_out, activation| Convolution {
            weight,
            bias,
            channels_out,
            window: Window::pointwise(),
            activation,
        };
        let reduce = layer(block.reduce_weight, block.reduce_bias, squeezed, block.activation);
        let reduced = self.convolution(means, reduce)?;
        let expand = layer(block.expand_weight, block.expand_bias, channels, Activation::Sigmoid);
        let gates = self.convolution(reduced, expand)?;
        self.scale(input, gates)
    }

    /// Multiplies each channel of a map by the number that a map of one pixel has for it.
    ///
    /// # Errors
    /// [`RuntimeError::Shape`] where channels or frames differ, or the gates have more than one pixel.
    pub fn scale(&mut self, input: Map, gates: Map) -> Result<Map> {
        const LAYER: &str = "scale";
        let (input, shape) = self.checked(LAYER, input)?;
        let (gates, gates_shape) = self.checked(LAYER, gates)?;
        if gates_shape != MapShape::new(shape.channels, 1, 1) {
            return Err(mismatch(LAYER, format!("gates {gates_shape:?} for {shape:?}")));
        }
        self.same_frames(LAYER, input, gates)?;
        Ok(self.combine(input, shape, Some(gates), None, None, Activation::Identity))
    }

    /// Adds the maximum of each window; padding never wins.
    ///
    /// # Errors
    /// [`RuntimeError::Shape`] where the window does not fit the map.
    pub fn max_pool(&mut self, input: Map, window: Window) -> Result<Map> {
        const LAYER: &str = "max pool";
        let (input, shape) = self.checked(LAYER, input)?;
        let (height, width) = window.output(LAYER, shape)?;
        let operation = Operation::Pool { input, pooling: Pooling::Maximum, window, residual: None, input_range: None };
        Ok(self.push(MapShape::new(shape.channels, height, width), operation))
    }

    /// Adds the mean of each window, without padding, because frameworks disagree on whether it counts.
    ///
    /// # Errors
    /// As for [`Self::max_pool`].
    pub fn average_pool(&mut self, input: Map, kernel: usize, stride: usize) -> Result<Map> {
        const LAYER: &str = "average pool";
        let (input, shape) = self.checked(LAYER, input)?;
        let window = Window::symmetric(kernel, stride, 0);
        let (height, width) = window.output(LAYER, shape)?;
        let operation = Operation::Pool { input, pooling: Pooling::Average, window, residual: None, input_range: None };
        Ok(self.push(MapShape::new(shape.channels, height, width), operation))
    }

    /// Adds the mean of each channel: a map of one pixel.
    ///
    /// # Errors
    /// As for [`Self::shape`].
    pub fn global_average(&mut self, input: Map) -> Result<Map> {
        let (input, shape) = self.checked("global average", input)?;
        Ok(self.push(MapShape::new(shape.channels, 1, 1), Operation::GlobalAverage { input }))
    }

    /// Adds two maps of one shape, then applies an activation.
    ///
    /// # Errors
    /// [`RuntimeError::Shape`] where shapes or frames differ.
    pub fn add(&mut self, a: Map, b: Map, activation: Activation) -> Result<Map> {
        const LAYER: &str = "add";
        let (a, shape) = self.checked(LAYER, a)?;
        let (b, other) = self.checked(LAYER, b)?;
        if shape != other {
            return Err(mismatch(LAYER, format!("{shape:?} and {other:?}")));
        }
        self.same_frames(LAYER, a, b)?;
        Ok(self.combine(a, shape, None, None, Some(b), activation))
    }

    /// Multiplies each channel by a factor, adds a term and applies an activation: a batch norm that cannot be folded into a
    /// convolution.
    ///
    /// # Errors
    /// [`RuntimeError::WeightLength`] where there is not one factor and one term a channel.
    pub fn affine(&mut self, input: Map, scale: &[f32], shift: &[f32], activation: Activation) -> Result<Map> {
        const LAYER: &str = "affine";
        let (input, shape) = self.checked(LAYER, input)?;
        check_length(LAYER, "scale", shape.channels, scale)?;
        check_length(LAYER, "shift", shape.channels, shift)?;
        let affine = Some((scale.to_vec(), shift.to_vec()));
        Ok(self.combine(input, shape, None, affine, None, activation))
    }

    /// Applies an activation.
    ///
    /// # Errors
    /// As for [`Self::shape`].
    pub fn activation(&mut self, input: Map, activation: Activation) -> Result<Map> {
        let (input, shape) = self.checked("activation", input)?;
        Ok(self.combine(input, shape, None, None, None, activation))
    }

    /// Concatenates several maps of one size along the channels.
    ///
    /// # Errors
    /// [`RuntimeError::Shape`] where sizes or frames differ, or there is no map.
    pub fn concatenate(&mut self, inputs: &[Map]) -> Result<Map> {
        const LAYER: &str = "concatenate";
        let mut channels = 0;
        let mut indexes = Vec::new();
        let mut size = None;
        for &input in inputs {
            let (index, shape) = self.checked(LAYER, input)?;
            if *size.get_or_insert((shape.height, shape.width)) != (shape.height, shape.width) {
                return Err(mismatch(LAYER, format!("{shape:?} beside maps of size {size:?}")));
            }
            indexes.push(index);
            self.same_frames(LAYER, indexes[0], index)?;
            channels += shape.channels;
        }
        let Some((height, width)) = size else { return Err(mismatch(LAYER, "no maps".to_owned())) };
        Ok(self.push(MapShape::new(channels, height, width), Operation::Concatenate { inputs: indexes }))
    }

    /// Normalizes each pixel's channels to mean 0 and variance 1, then scales and shifts them; `epsilon` is added to the
    /// variance.
    ///
    /// # Errors
    /// As for [`Self::affine`].
    pub fn layer_norm(&mut self, input: Map, scale: &[f32], shift: &[f32], epsilon: f32) -> Result<Map> {
        const LAYER: &str = "layer norm";
        let (input, shape) = self.checked(LAYER, input)?;
        check_length(LAYER, "scale", shape.channels, scale)?;
        check_length(LAYER, "shift", shape.channels, shift)?;
        let operation =
            Operation::LayerNorm { input, scale: scale.to_vec(), shift: shift.to_vec(), epsilon, residual: None };
        Ok(self.push(shape, operation))
    }

    /// Fuses layers, plans memory and packs the weights for an instruction set. The network's result is `output`.
    ///
    /// # Errors
    /// [`RuntimeError::InstructionSetMissing`] where this processor lacks the set.
    pub fn finish(self, output: Map, set: InstructionSet) -> Result<Network> {
        let (output, set) = self.checked_output(output, set)?;
        Ok(Network::new(self.nodes, output, set))
    }

    pub(super) fn checked_output(&self, output: Map, set: InstructionSet) -> Result<(MapIndex, InstructionSet)> {
        let (output, _) = self.checked("network", output)?;
        Ok((output, set.checked()?))
    }

    /// Adds a node, with as many frames as its first input has.
    fn push(&mut self, shape: MapShape, operation: Operation) -> Map {
        let frames = operation.inputs().first().map_or(1, |&input| self.nodes[input].frames);
        self.nodes.push(Node { shape, frames, quantization: None, operation: Some(operation) });
        Map(self.nodes.len() - 1)
    }

    /// Checks that clips have as many frames in one map as in the other.
    fn same_frames(&self, layer: &'static str, a: MapIndex, b: MapIndex) -> Result<()> {
        let (a, b) = (self.nodes[a].frames, self.nodes[b].frames);
        if a == b { Ok(()) } else { Err(mismatch(layer, format!("{a} frames and {b}"))) }
    }

    fn combine(
        &mut self,
        input: MapIndex,
        shape: MapShape,
        gates: Option<MapIndex>,
        affine: Option<(Vec<f32>, Vec<f32>)>,
        other: Option<MapIndex>,
        activation: Activation,
    ) -> Map {
        self.push(shape, Operation::Combine { input, gates, affine, other, activation })
    }

    /// Returns a handle's index and shape; an error if it came from another builder.
    fn checked(&self, layer: &'static str, map: Map) -> Result<(MapIndex, MapShape)> {
        match self.nodes.get(map.0) {
            Some(node) => Ok((map.0, node.shape)),
            None => Err(mismatch(layer, "a map of another network".to_owned())),
        }
    }
}

/// Checks and copies weights and bias of a convolution whose outputs are sums of so many terms.
fn copied_kernel(layer: &'static str, (weight, bias, out): (&[f32], &[f32], usize), terms: usize) -> Result<Kernel> {
    if out == 0 {
        return Err(mismatch(layer, "no output channels".to_owned()));
    }
    check_length(layer, "weight", out * terms, weight)?;
    if !bias.is_empty() {
        check_length(layer, "bias", out, bias)?;
    }
    let mut bias = bias.to_vec();
    bias.resize(out, 0.0);
    Ok(Kernel { weight: weight.to_vec(), bias, input_range: None })
}

fn check_length(layer: &'static str, name: &'static str, expected: usize, numbers: &[f32]) -> Result<()> {
    match numbers.len() {
        found if found == expected => Ok(()),
        found => Err(RuntimeError::WeightLength { layer, name, expected, found }),
    }
}

fn mismatch(layer: &'static str, problem: String) -> RuntimeError {
    RuntimeError::Shape { layer, problem }
}
