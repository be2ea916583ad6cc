use super::attention::AttentionWeights;
use crate::activation::Activation;
use crate::layers::{MapIndex, Pooling};
use crate::quantization::{AffineQuantization, InputRange};
use crate::shape::{MapShape, TemporalWindow, Window};

/// Handle of a feature map of the network that is being built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Map(pub(crate) MapIndex);

/// Weights of a convolution, with its activation. The caller folds a batch norm into weights and bias.
#[derive(Debug, Clone, Copy)]
pub struct Convolution<'a> {
    /// `[out, in, kernel, kernel]`, or `[channels, 1, kernel, kernel]` for a depthwise one, last index fastest.
    pub weight: &'a [f32],
    /// `[out]`; zeros if empty.
    pub bias: &'a [f32],
    /// Channels of the output.
    pub channels_out: usize,
    /// The window with its stride and padding.
    pub window: Window,
    /// Applied to the result.
    pub activation: Activation,
}

/// Weights of a convolution over neighboring frames, with its activation, as [`Convolution`] is one over neighboring pixels.
#[derive(Debug, Clone, Copy)]
pub struct TemporalConvolution<'a> {
    /// `[out, kernel, in]`, last index fastest.
    pub weight: &'a [f32],
    /// `[out]`; zeros if empty.
    pub bias: &'a [f32],
    /// Channels of the output.
    pub channels_out: usize,
    /// The window over frames.
    pub window: TemporalWindow,
    /// Applied to the result.
    pub activation: Activation,
}

/// Weights of a squeeze-and-excite block (Hu et al., "Squeeze-and-Excitation Networks", CVPR 2018).
#[derive(Debug, Clone, Copy)]
pub struct SqueezeExcite<'a> {
    /// `[squeezed, channels]`.
    pub reduce_weight: &'a [f32],
    /// `[squeezed]`.
    pub reduce_bias: &'a [f32],
    /// Applied between the two layers; a sigmoid follows the second.
    pub activation: Activation,
    /// `[channels, squeezed]`.
    pub expand_weight: &'a [f32],
    /// `[channels]`.
    pub expand_bias: &'a [f32],
}

/// Node of the graph: a map and the operation that computes it.
pub(crate) struct Node {
    pub(crate) shape: MapShape,
    /// Frames of a clip; one where frames are independent.
    pub(crate) frames: usize,
    /// Quantization of the map, if it is stored in 8 bits.
    pub(crate) quantization: Option<AffineQuantization>,
    /// None once another node computes this map as well, or makes it unneeded.
    pub(crate) operation: Option<Operation>,
}

/// Owned weights of a convolution.
#[derive(Default)]
pub(crate) struct Kernel {
    /// `[out, in or 1, kernel, kernel]`, or `[out, kernel, in]` over frames.
    pub(crate) weight: Vec<f32>,
    /// `[out]`.
    pub(crate) bias: Vec<f32>,
    /// Range of the input, if the product is to be quantized.
    pub(crate) input_range: Option<InputRange>,
}

/// Depthwise convolution that is fused into the 1x1 convolution after it.
pub(crate) struct DepthwiseBefore {
    pub(crate) kernel: Kernel,
    pub(crate) window: Window,
    pub(crate) relu_first: bool,
    pub(crate) activation: Activation,
}

/// Operation that computes a map from those before it.
pub(crate) enum Operation {
    Input,
    Convolution {
        input: MapIndex,
        /// The depthwise convolution before it, if it was fused into this one.
        depthwise: Option<DepthwiseBefore>,
        kernel: Kernel,
        window: Window,
        activation: Activation,
        residual: Option<MapIndex>,
        gates: Option<MapIndex>,
    },
    TemporalConvolution {
        input: MapIndex,
        kernel: Kernel,
        window: TemporalWindow,
        activation: Activation,
        residual: Option<MapIndex>,
    },
    Depthwise {
        input: MapIndex,
        /// The 1x1 convolution before it, if it was fused into this one.
        expand: Option<(Kernel, Activation)>,
        kernel: Kernel,
        window: Window,
        relu_first: bool,
        activation: Activation,
        means: Option<MapIndex>,
    },
    Pool {
        input: MapIndex,
        pooling: Pooling,
        window: Window,
        residual: Option<MapIndex>,
        /// Range of the input, if it may be stored in 8 bits.
        input_range: Option<InputRange>,
    },
    Combine {
        input: MapIndex,
        gates: Option<MapIndex>,
        affine: Option<(Vec<f32>, Vec<f32>)>,
        other: Option<MapIndex>,
        activation: Activation,
    },
    Concatenate {
        inputs: Vec<MapIndex>,
    },
    LayerNorm {
        input: MapIndex,
        scale: Vec<f32>,
        shift: Vec<f32>,
        epsilon: f32,
        residual: Option<MapIndex>,
    },
    GlobalAverage {
        input: MapIndex,
    },
    PrependToken {
        input: MapIndex,
        /// `[tokens, channels]`.
        terms: Vec<f32>,
    },
    Pixels {
        input: MapIndex,
        first: usize,
    },
    Attention {
        input: MapIndex,
        weights: AttentionWeights,
    },
}

impl Operation {
    /// Returns the maps that are read.
    pub(crate) fn inputs(&self) -> Vec<MapIndex> {
        match self {
            Self::Input => Vec::new(),
            Self::Convolution { input, residual, gates, .. } => {
                [Some(*input), *residual, *gates].into_iter().flatten().collect()
            }
            Self::Combine { input, gates, other, .. } => [Some(*input), *gates, *other].into_iter().flatten().collect(),
            Self::TemporalConvolution { input, residual, .. } | Self::Pool { input, residual, .. } => {
                [Some(*input), *residual].into_iter().flatten().collect()
            }
            Self::Concatenate { inputs } => inputs.clone(),
            Self::LayerNorm { input, residual, .. } => [Some(*input), *residual].into_iter().flatten().collect(),
            Self::Depthwise { input, .. }
            | Self::GlobalAverage { input }
            | Self::PrependToken { input, .. }
            | Self::Pixels { input, .. }
            | Self::Attention { input, .. } => {
                vec![*input]
            }
        }
    }
}
