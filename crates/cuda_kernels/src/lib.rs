//! CUDA kernels for the layers that Candle runs badly on a GPU: depthwise convolutions, which it splits into a few launches
//! a channel, and bias plus activation, for which it passes over memory twice.
//!
//! The kernels are one text (`layers.cu`), compiled by nvrtc at first use on the machine that runs them: for the layer's
//! kernel size, stride, type and activation, so that their loops are unrolled. Nothing here needs nvcc.
//!
//! Without the feature `cuda` only the text and its definitions are left; a test compiles them as C++ and compares what they
//! compute with Candle's layers, since no machine that builds this has a GPU.

#[cfg(feature = "cuda")]
mod launch;
mod source;

#[cfg(feature = "cuda")]
pub use launch::{Operand, bias_activation, depthwise};
pub use source::{Definitions, LAYERS, Number, Window};
