//! Lowering: from operations of the graph to layers with packed weights.

mod attention;

use self::attention::packed_attention;
use super::graph::{Kernel, Node, Operation};
use crate::InstructionSet;
use crate::buffer::Buffer;
use crate::gemm::quantized::QuantizedMatrix;
use crate::gemm::{PackedMatrix, Segment, Tiles};
use crate::layers::{
    Attention, Combine, Concatenate, Depthwise, ExpandDepthwise, GlobalAverage, InputAccess, LayerNorm, MapBuffer,
    MapIndex, PackedDepthwise, Pixels, Pointwise, Pool, PrependToken, QuantizedConvolution, QuantizedSeparable, Run,
    ScratchLength, Separable, StandardConvolution, TemporalConvolution,
};
use crate::quantization::{AffineQuantization, InputRange};
use crate::shape::{MapShape, Window};
use crate::simd::int8::Int8InstructionSet;

/// Layer of a packed network.
pub(crate) enum Layer {
    Pointwise(Pointwise),
    StandardConvolution(StandardConvolution),
    TemporalConvolution(TemporalConvolution),
    Depthwise(Depthwise),
    ExpandDepthwise(ExpandDepthwise),
    Separable(Separable),
    QuantizedConvolution(QuantizedConvolution),
    QuantizedSeparable(QuantizedSeparable),
    Pool(Pool),
    Combine(Combine),
    Concatenate(Concatenate),
    LayerNorm(LayerNorm),
    GlobalAverage(GlobalAverage),
    PrependToken(PrependToken),
    Pixels(Pixels),
    Attention(Attention),
}

impl Layer {
    /// Packs the operation that computes map `output`; none where there is nothing to compute.
    pub(crate) fn new(node: Node, output: MapIndex, buffers: &[MapBuffer], set: InstructionSet) -> Option<Self> {
        let shape = |map: MapIndex| buffers[map].shape;
        Some(match node.operation? {
            Operation::Input => return None,
            Operation::Convolution { input, depthwise: Some(before), kernel, activation, residual, .. } => {
                let channels = shape(input).channels;
                let packed = PackedDepthwise::new(before.window, channels, &before.kernel.weight, &before.kernel.bias);
                let (relu_first, inner_activation) = (before.relu_first, before.activation);
                if let Some(range) = kernel.input_range {
                    let matrix = quantized_matrix(set, &kernel, range, (channels, channels));
                    let layer = QuantizedSeparable {
                        input,
                        output,
                        packed,
                        relu_first,
                        inner_activation,
                        matrix,
                        residual,
                        activation,
                    };
                    return Some(Self::QuantizedSeparable(layer));
                }
                let matrix = matrix(set, kernel, channels, 1);
                Self::Separable(Separable {
                    input,
                    output,
                    packed,
                    relu_first,
                    inner_activation,
                    segment: Segment { offset: 0, length: matrix.depth },
                    matrix,
                    residual,
                    activation,
                })
            }
            Operation::Convolution { input, depthwise: None, kernel, window, activation, residual, gates } => {
                if let Some(range) = kernel.input_range {
                    let channels = (shape(input).channels, QuantizedConvolution::row_channels(window, shape(input)));
                    let matrix = quantized_matrix(set, &kernel, range, channels);
                    let layer = QuantizedConvolution { input, output, matrix, window, residual, gates, activation };
                    return Some(Self::QuantizedConvolution(layer));
                }
                let matrix = matrix(set, kernel, shape(input).channels, window.kernel);
                if window == Window::pointwise() && buffers[input].pixel_stride >= shape(input).padded_channels() {
                    let segment = Segment { offset: 0, length: matrix.depth };
                    Self::Pointwise(Pointwise { input, output, matrix, segment, residual, gates, activation })
                } else {
                    let access = InputAccess::new(window, shape(input), buffers[input].pixel_stride, node.shape);
                    Self::StandardConvolution(StandardConvolution {
                        input,
                        output,
                        matrix,
                        window,
                        residual,
                        activation,
                        access,
                    })
                }
            }
            Operation::TemporalConvolution { input, kernel, window, activation, residual } => {
                let depth = window.kernel * shape(input).channels;
                let matrix = PackedMatrix::new(set, (depth, kernel.bias.len()), &kernel.bias, |row, column| {
                    kernel.weight[column * depth + row]
                });
                Self::TemporalConvolution(TemporalConvolution { input, output, matrix, window, residual, activation })
            }
            Operation::Depthwise { input, expand, kernel, window, relu_first, activation, means } => {
                let packed = PackedDepthwise::new(window, node.shape.channels, &kernel.weight, &kernel.bias);
                match expand {
                    None => Self::Depthwise(Depthwise { input, output, means, packed, relu_first, activation }),
                    Some((kernel, inner_activation)) => {
                        let matrix = matrix(set, kernel, shape(input).channels, 1);
                        let segment = Segment { offset: 0, length: matrix.depth };
                        let layer = ExpandDepthwise {
                            input,
                            output,
                            means,
                            matrix,
                            segment,
                            inner_activation,
                            packed,
                            activation,
                        };
                        Self::ExpandDepthwise(layer)
                    }
                }
            }
            Operation::Pool { input, pooling, window, residual, .. } => {
                Self::Pool(Pool { input, output, pooling, window, residual })
            }
            Operation::Combine { input, gates, affine, other, activation } => {
                let affine = affine.map(|(scale, shift)| (padded(&scale), padded(&shift)));
                Self::Combine(Combine { input, output, gates, affine, other, activation })
            }
            Operation::Concatenate { inputs } => Self::Concatenate(Concatenate { inputs, output }),
            Operation::LayerNorm { input, scale, shift, epsilon, residual } => {
                let (scale, shift) = (padded(&scale), padded(&shift));
                Self::LayerNorm(LayerNorm { input, output, scale, shift, epsilon, residual })
            }
            Operation::GlobalAverage { input } => Self::GlobalAverage(GlobalAverage { input, output }),
            Operation::PrependToken { input, terms } => {
                let terms = Buffer::from_rows(&terms, node.shape.channels, node.shape.padded_channels());
                Self::PrependToken(PrependToken { input, output, terms })
            }
            Operation::Pixels { input, first } => Self::Pixels(Pixels { input, output, first }),
            Operation::Attention { input, weights } => Self::Attention(packed_attention(weights, set, (input, output))),
        })
    }

    /// Returns the scratch memory that the layer needs while it runs.
    pub(crate) fn scratch(&self, buffers: &[MapBuffer]) -> ScratchLength {
        let shape = |map: MapIndex| -> MapShape { buffers[map].shape };
        match self {
            Self::Pointwise(layer) => layer.scratch(),
            Self::StandardConvolution(layer) => layer.scratch(shape(layer.input).channels),
            Self::Depthwise(layer) => layer.scratch(shape(layer.output)),
            Self::ExpandDepthwise(layer) => layer.scratch(shape(layer.input), shape(layer.output)),
            Self::Separable(layer) => layer.scratch(shape(layer.output)),
            Self::Attention(layer) => layer.scratch(),
            Self::QuantizedConvolution(layer) => layer.scratch(shape(layer.input), shape(layer.output)),
            Self::QuantizedSeparable(layer) => layer.scratch(shape(layer.output)),
            _ => ScratchLength::default(),
        }
    }

    /// Returns the multiply-adds of its products and windows for one frame or clip, padding channels included.
    pub(crate) fn multiply_adds(&self, buffers: &[MapBuffer]) -> u64 {
        let pixels = |map: MapIndex| buffers[map].frames * buffers[map].shape.pixels();
        let product = |matrix: &PackedMatrix, pixels: usize| matrix.depth * matrix.columns * pixels;
        let windows = |packed: &PackedDepthwise, output: MapIndex| packed.weights.len() * pixels(output);
        let count = match self {
            Self::Pointwise(layer) => product(&layer.matrix, pixels(layer.output)),
            Self::StandardConvolution(layer) => product(&layer.matrix, pixels(layer.output)),
            Self::TemporalConvolution(layer) => product(&layer.matrix, pixels(layer.output)),
            Self::Depthwise(layer) => windows(&layer.packed, layer.output),
            Self::ExpandDepthwise(layer) => {
                product(&layer.matrix, pixels(layer.input)) + windows(&layer.packed, layer.output)
            }
            Self::Separable(layer) => {
                product(&layer.matrix, pixels(layer.output)) + windows(&layer.packed, layer.output)
            }
            Self::QuantizedConvolution(layer) => layer.matrix.depth * layer.matrix.columns * pixels(layer.output),
            Self::QuantizedSeparable(layer) => {
                layer.matrix.depth * layer.matrix.columns * pixels(layer.output) + windows(&layer.packed, layer.output)
            }
            _ => 0,
        };
        count as u64
    }

    /// Describes the layer: its kind, and the shapes that it reads and writes.
    pub(crate) fn outline(&self, buffers: &[MapBuffer]) -> String {
        let (kind, input, output) = match self {
            Self::Pointwise(layer) => ("pointwise", layer.input, layer.output),
            Self::StandardConvolution(layer) => ("convolution", layer.input, layer.output),
            Self::TemporalConvolution(layer) => ("temporal convolution", layer.input, layer.output),
            Self::Depthwise(layer) => ("depthwise", layer.input, layer.output),
            Self::ExpandDepthwise(layer) => ("expand, depthwise", layer.input, layer.output),
            Self::Separable(layer) => ("separable", layer.input, layer.output),
            Self::QuantizedConvolution(layer) => ("int8 convolution", layer.input, layer.output),
            Self::QuantizedSeparable(layer) => ("int8 separable", layer.input, layer.output),
            Self::Pool(layer) => ("pool", layer.input, layer.output),
            Self::Combine(layer) => ("combine", layer.input, layer.output),
            Self::Concatenate(layer) => ("concatenate", layer.inputs[0], layer.output),
            Self::LayerNorm(layer) => ("layer norm", layer.input, layer.output),
            Self::GlobalAverage(layer) => ("average", layer.input, layer.output),
            Self::PrependToken(layer) => ("token", layer.input, layer.output),
            Self::Pixels(layer) => ("pixels", layer.input, layer.output),
            Self::Attention(layer) => ("attention", layer.input, layer.output),
        };
        let shape = |map: MapIndex| {
            let MapShape { channels, height, width } = buffers[map].shape;
            format!("{channels} x {height} x {width}")
        };
        format!("{kind}, {} to {}", shape(input), shape(output))
    }

    /// # Safety
    /// The run's arena, buffers and scratch must be those planned for the network that the layer is part of.
    pub(crate) unsafe fn run<L: Tiles>(&self, run: &Run<'_, L>) {
        // SAFETY: passed on to the caller.
        unsafe {
            match self {
                Self::Pointwise(layer) => layer.run(run),
                Self::StandardConvolution(layer) => layer.run(run),
                Self::TemporalConvolution(layer) => layer.run(run),
                Self::Depthwise(layer) => layer.run(run),
                Self::ExpandDepthwise(layer) => layer.run(run),
                Self::Separable(layer) => layer.run(run),
                Self::QuantizedConvolution(layer) => layer.run(run),
                Self::QuantizedSeparable(layer) => layer.run(run),
                Self::Pool(layer) => layer.run(run),
                Self::Combine(layer) => layer.run(run),
                Self::Concatenate(layer) => layer.run(run),
                Self::LayerNorm(layer) => layer.run(run),
                Self::GlobalAverage(layer) => layer.run(run),
                Self::PrependToken(layer) => layer.run(run),
                Self::Pixels(layer) => layer.run(run),
                Self::Attention(layer) => layer.run(run),
            }
        }
    }
}

/// Packs weights [out, in, kernel, kernel] as a matrix of rows (ky, kx, in).
fn matrix(set: InstructionSet, kernel: Kernel, channels_in: usize, size: usize) -> PackedMatrix {
    let taps = size * size;
    let depth = taps * channels_in;
    PackedMatrix::new(set, (depth, kernel.bias.len()), &kernel.bias, |row, column| {
        let (tap, channel) = (row / channels_in, row % channels_in);
        kernel.weight[column * depth + channel * taps + tap]
    })
}

/// Quantizes and packs them, each tap's channels followed by as many rows of zeros as make them `row_channels`.
fn quantized_matrix(
    set: InstructionSet,
    kernel: &Kernel,
    range: InputRange,
    (channels_in, row_channels): (usize, usize),
) -> QuantizedMatrix {
    let taps = kernel.weight.len() / (kernel.bias.len() * channels_in);
    let shape = (taps * row_channels, kernel.bias.len());
    QuantizedMatrix::new(
        Int8InstructionSet::for_set(set),
        shape,
        &kernel.bias,
        AffineQuantization::from_range(range),
        |row, column| {
            let (tap, channel) = (row / row_channels, row % row_channels);
            if channel < channels_in { kernel.weight[(column * channels_in + channel) * taps + tap] } else { 0.0 }
        },
    )
}

/// Copies one number a channel, padded with zeros to whole channel groups.
fn padded(numbers: &[f32]) -> Buffer {
    Buffer::from_rows(numbers, numbers.len(), MapShape::new(numbers.len(), 1, 1).padded_channels())
}
