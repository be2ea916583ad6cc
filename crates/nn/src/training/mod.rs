//! Layers for training convolutional encoders, each with its gradient: fast ones for a CPU, portable ones for other
//! devices.
//!
//! Maps are channels last here, [N, H, W, C], where the layers for inference keep Candle's [N, C, H, W]: a pointwise
//! convolution is then one matrix product, a depthwise one and a batch norm read whole vectors of channels at any
//! stride, and no image needs transposing between layers. [`channels_last`] and [`channels_first`] convert between the
//! two layouts. Weights keep the shape that checkpoints have, [out, in / groups, kh, kw].
//!
//! Every layer is an operation of Candle's own graph, so `Tensor::backward` and its optimizers work as usual, in `f32`
//! or `f64`. Sums over pixels are taken in an order that does not depend on the number of threads (matrix products are
//! Candle's). Maps of another device, or in half precision, go through `portable`, which is composed of Candle's own
//! operations.
//!
//! Candle's own layers do not serve: its grouped convolutions run channel by channel, its pooling has no padding and
//! no gradient where windows overlap, the gradient of its strided convolution fails on images that are not square, and
//! its batch norm and activations are several passes of one thread.

mod activation;
mod axis;
mod batch_norm;
mod channel_scale;
mod convolution;
mod depthwise;
mod dropout;
mod float;
mod gate;
mod norm;
mod norm_kernels;
mod plan;
mod pooling;
mod portable;
mod settings;
mod step;
mod unfold;

#[cfg(test)]
pub(crate) mod finite_differences;

use candle_core::Tensor;

pub use activation::activate;
pub use channel_scale::scale_channels;
pub use convolution::{conv2d, conv2d_norm};
pub use dropout::DropGenerator;
pub use gate::gate_channels;
pub use norm::TrainableNorm;
pub use pooling::{average_pool, global_average, max_pool};
pub use settings::{AverageOver, Convolution, NormSettings, RunningVariance, TrainingMode};

use crate::Result;

/// Turns maps [N, C, H, W] into [N, H, W, C].
///
/// # Errors
/// The shapes do not fit, or the device fails.
pub fn channels_last(x: &Tensor) -> Result<Tensor> {
    Ok(x.permute((0, 2, 3, 1))?.contiguous()?)
}

/// Turns maps [N, H, W, C] into [N, C, H, W].
///
/// # Errors
/// The shapes do not fit, or the device fails.
pub fn channels_first(x: &Tensor) -> Result<Tensor> {
    Ok(x.permute((0, 3, 1, 2))?.contiguous()?)
}
