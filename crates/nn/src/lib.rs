//! Layers and device choice on top of Candle.
//!
//! Layers over [`FeatureMaps`] are written once and run three ways: one by one as Candle's operations, traced into a graph that the CPU
//! runtime runs as one network, or, where their tensors are variables, on Candle's graph by the layers of [`training`]. For
//! the first two, batch norms are folded into the convolution before them. The few operations that Candle runs slowly
//! (depthwise convolution, bias plus activation) are custom operations: threaded on a CPU, kernels of `cuda_kernels` on CUDA,
//! Candle's own elsewhere. A layer computes in the type of the maps that it is given, f32, f16 or bf16.
//!
//! Invariants: no file, no model name and no view is known here; shapes stand in every doc comment.

mod activation;
mod affine;
mod attention;
mod clips;
mod conv;
mod conv3d;
mod depthwise;
mod device;
mod epilogue;
mod error;
mod half;
mod layer_norm;
mod lstm;
mod map_attention;
mod maps;
mod norm;
mod packed_conv;
mod pool;
mod probe;
#[cfg(test)]
mod seeded;
mod temporal;
mod threads;
pub mod training;
mod windows;

pub use activation::apply_activation;
pub use affine::ChannelAffine;
pub use attention::{Attended, MultiHeadAttention};
pub use candle_core::Device;
pub use clips::Clips;
pub use conv::Conv2d;
pub use conv3d::{Conv3d, Geometry3d};
pub use device::{DeviceChoice, ran_out_of_memory};
pub use error::NnError;
pub use layer_norm::LayerNorm;
pub use lstm::{Lstm, LstmLayer};
pub use map_attention::MapAttention;
pub use maps::{CompiledNetwork, FeatureMaps, KernelChoice, ObservedNetwork, TrainingContext, TrainingMaps};
pub use norm::BatchNorm;
pub use pool::{average_pool_2x2, global_average, max_pool, max_pool_2x2x2};
pub use probe::multiply_adds_per_second;
pub use runtime::{Activation, InputRange, InstructionSet, Padding};
pub use temporal::{Linear, TemporalConv};
pub use threads::limit_threads;
pub use windows::Windows;

/// Result of this crate's operations.
pub type Result<T> = std::result::Result<T, NnError>;
