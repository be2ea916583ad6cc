//! Settings of the training layers.

use crate::Padding;

/// Behavior of layers that differ between training and evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrainingMode {
    /// Norms measure the batch and update their running statistics.
    Train,
    /// Norms use their running statistics and leave them alone.
    Evaluate,
}

/// Estimator of the batch's variance that enters the running variance; the batch itself is always normalized by the biased one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunningVariance {
    /// Divided by the count less one.
    Unbiased,
    /// Divided by the count.
    Biased,
}

/// Constants of a batch norm beside its weights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NormSettings {
    /// Added to the variance.
    pub eps: f64,
    /// Weight of the new batch in the running statistics: PyTorch's `momentum`, one less Keras's.
    pub batch_share: f64,
    /// Estimator of the running variance.
    pub running_variance: RunningVariance,
}

impl NormSettings {
    /// PyTorch's defaults: eps 1e-5, momentum 0.1, unbiased.
    pub const TORCH: Self = Self { eps: 1e-5, batch_share: 0.1, running_variance: RunningVariance::Unbiased };
    /// Keras 3's defaults: eps 1e-3, momentum 0.99, biased. (The fused norm of Keras 2 kept the unbiased variance.)
    pub const KERAS: Self = Self { eps: 1e-3, batch_share: 0.01, running_variance: RunningVariance::Biased };
}

/// Stride, padding and groups of a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Convolution {
    /// Pixels from one position to the next, in both directions.
    pub stride: usize,
    /// Zeros around the image.
    pub padding: Padding,
    /// Groups that the channels are split into; as many as channels for a depthwise convolution.
    pub groups: usize,
}

impl Convolution {
    /// Stride 1, no padding, one group: what a pointwise convolution needs.
    pub const PLAIN: Self = Self { stride: 1, padding: Padding::symmetric(0), groups: 1 };
}

/// Divisor of a window's sum where the window reaches over the edge of the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AverageOver {
    /// The whole window, its padding counting as zeros: PyTorch's default.
    Window,
    /// The pixels inside the image: Keras.
    Image,
}
