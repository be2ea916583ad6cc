//! Layers and device choice on top of Candle.
//!
//! All but [`training`] is inference: batch norms are folded into the convolution before them. Layers over [`Maps`] are
//! written once and run two ways: one by one as Candle's operations, or noted down and run as one network by the CPU
//! kernels. The few operations that Candle runs slowly on a CPU (depthwise convolution, bias plus activation) are threaded
//! custom operations. On other devices the same layers fall back to Candle's own operations.
//!
//! Invariants: no file, no model name and no view is known here; shapes stand in every doc comment.

mod activation;
mod affine;
mod attention;
mod conv;
mod conv3d;
mod depthwise;
mod device;
mod epilogue;
mod error;
mod layer_norm;
mod lstm;
mod maps;
mod norm;
mod pool;
mod temporal;
mod threads;
pub mod training;

pub use activation::Activation;
pub use affine::ChannelAffine;
pub use attention::{Attended, MultiHeadAttention};
pub use conv::{Conv2d, Padding};
pub use conv3d::{Conv3d, Geometry3d};
pub use device::DeviceChoice;
pub use error::NnError;
pub use kernels::{InputRange, InstructionSet};
pub use layer_norm::LayerNorm;
pub use lstm::{Lstm, LstmLayer};
pub use maps::{CompiledNetwork, KernelChoice, Maps, ObservedNetwork};
pub use norm::BatchNorm;
pub use pool::{average_pool_2x2, global_average, max_pool, max_pool_2x2x2};
pub use temporal::{Linear, TemporalConv};
pub use threads::limit_threads;

/// Result of this crate's operations.
pub type Result<T> = std::result::Result<T, NnError>;
