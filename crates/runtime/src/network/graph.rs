use super::attention::OwnedAttention;
use crate::activation::Activation;
use crate::layers::{MapIndex, Pooling};
use crate::quantization::{ByteScale, InputRange};
use crate::shape::{MapShape, TimeWindow, Window};

/// A feature map of the network that is being built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Map(pub(crate) MapIndex);

/// A convolution with its activation. A batch norm is folded into weights and bias by the caller.
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

/// A convolution over neighboring frames with its activation, as [`Convolution`] is one over neighboring pixels.
#[derive(Debug, Clone, Copy)]
pub struct TimeConvolution<'a> {
    /// `[out, kernel, in]`, last index fastest.
    pub weight: &'a [f32],
    /// `[out]`; zeros if empty.
    pub bias: &'a [f32],
    /// Channels of the output.
    pub channels_out: usize,
    /// The window over frames.
    pub window: TimeWindow,
    /// Applied to the result.
    pub activation: Activation,
}

/// The weights of a squeeze-and-excite block (Hu et al., "Squeeze-and-Excitation Networks", CVPR 2018).
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

/// A map and how it is made.
pub(crate) struct Node {
    pub(crate) shape: MapShape,
    /// Frames of a clip; one where frames are seen each for itself.
    pub(crate) frames: usize,
    /// The scale, if the map is kept as bytes.
    pub(crate) bytes: Option<ByteScale>,
    /// Nothing once another node makes this map too, or makes it unneeded.
    pub(crate) operation: Option<Operation>,
}

/// Owned weights of a convolution.
#[derive(Default)]
pub(crate) struct Kernel {
    /// `[out, in or 1, kernel, kernel]`, or `[out, kernel, in]` over frames.
    pub(crate) weight: Vec<f32>,
    /// `[out]`.
    pub(crate) bias: Vec<f32>,
    /// What is read, if the product is to be one of bytes.
    pub(crate) input_range: Option<InputRange>,
}

/// A depthwise convolution that is computed a few rows at a time by the 1x1 convolution after it.
pub(crate) struct DepthwiseBefore {
    pub(crate) kernel: Kernel,
    pub(crate) window: Window,
    pub(crate) relu_first: bool,
    pub(crate) activation: Activation,
}

/// How a map is made of those before it.
pub(crate) enum Operation {
    Input,
    Convolution {
        input: MapIndex,
        /// The depthwise convolution before it, if it was made one with this.
        depthwise: Option<DepthwiseBefore>,
        kernel: Kernel,
        window: Window,
        activation: Activation,
        residual: Option<MapIndex>,
        gates: Option<MapIndex>,
    },
    OverTime {
        input: MapIndex,
        kernel: Kernel,
        window: TimeWindow,
        activation: Activation,
        residual: Option<MapIndex>,
    },
    Depthwise {
        input: MapIndex,
        /// The 1x1 convolution before it, if it was made one with this.
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
        /// What is read, if the input may be kept as bytes.
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
        heads: OwnedAttention,
    },
}

impl Operation {
    /// The maps that are read.
    pub(crate) fn inputs(&self) -> Vec<MapIndex> {
        match self {
            Self::Input => Vec::new(),
            Self::Convolution { input, residual, gates, .. } => {
                [Some(*input), *residual, *gates].into_iter().flatten().collect()
            }
            Self::Combine { input, gates, other, .. } => [Some(*input), *gates, *other].into_iter().flatten().collect(),
            Self::OverTime { input, residual, .. } | Self::Pool { input, residual, .. } => {
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
