//! CPU inference runtime for convolutional networks and vision transformers, in single precision and int8.
//!
//! A [`NetworkBuilder`] records the graph, layer by layer from plain weights. [`NetworkBuilder::finish`] fuses operators,
//! plans the memory of all maps in one arena, lowers each node to a layer and packs its weights for one [`InstructionSet`]
//! (AVX-512, AVX2 with FMA, NEON or portable, chosen at run time). The [`Network`] runs on frames, on threads of its own.
//! Maps are kept channels last, with channels padded to a multiple of 16. [`NetworkBuilder::quantize`] turns convolutions
//! into int8 products.
//!
//! ```
//! use runtime::{Activation, Convolution, InstructionSet, MapShape, NetworkBuilder, Window};
//!
//! # fn main() -> runtime::Result<()> {
//! // Two channels become their sum and their difference, which are averaged over the frame.
//! let (mut builder, frames) = NetworkBuilder::new(MapShape::new(2, 1, 3))?;
//! let mixed = builder.convolution(frames, Convolution {
//!     weight: &[1.0, 1.0, 1.0, -1.0],
//!     bias: &[0.0, 10.0],
//!     channels_out: 2,
//!     window: Window::pointwise(),
//!     activation: Activation::Relu,
//! })?;
//! let means = builder.global_average(mixed)?;
//! let network = builder.finish(means, InstructionSet::detect()?)?;
//!
//! let mut vectors = [0.0; 2];
//! network.run(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 1, &mut vectors, 1)?;
//! assert_eq!(vectors, [7.0, 7.0]);
//! # Ok(())
//! # }
//! ```
//!
//! # Performance
//! - Layers are fused where a map between them would only be written to be read again (`network/fuse.rs`).
//! - 1x1 convolutions are matrix products on packed weights (`gemm`); larger windows read rows of the map, or a padded or
//!   gathered copy of a few of them, never an unfolded image (`layers/standard_convolution.rs`).
//! - Layers with large maps run frame by frame and stay in the cache; those with small maps run on up to four frames at
//!   once and read their weights once for all (`network/memory_plan.rs`).
//! - Frames are distributed among threads; a single frame is split layer by layer among threads that spin until the next
//!   layer, for up to a quarter of a millisecond (`thread_pool.rs`).
//!
//! `cargo run --release -p runtime --example encoders` times it, and `tools/peers/peers.py` times others beside it.
//!
//! # Safety
//! The builder checks every shape and length, and the memory plan gives every map and all scratch memory an offset before
//! anything runs; the kernels rely on that. Debug builds fill the arena with NaN before each run and check the memory behind
//! it after, so that tests show a kernel that reads or writes where it should not.
//!
//! Only this crate of the workspace and `cuda_kernels` have `unsafe` code. The NEON kernels have been tested under emulation only
//! (`make check-arm`), and their speed is unknown.

mod activation;
mod buffer;
mod error;
mod gemm;
mod instruction_set;
mod layers;
mod network;
mod quantization;
mod shape;
mod simd;
mod thread_pool;

pub use activation::Activation;
pub use error::RuntimeError;
pub use instruction_set::{InstructionSet, KERNELS_VARIABLE};
pub use network::{
    Attention, Convolution, LayerTime, Map, Network, NetworkBuilder, OTHER_REGION, Observer, SqueezeExcite,
    TemporalConvolution, TokenWindow,
};
pub use quantization::InputRange;
pub use shape::{MapShape, Padding, TemporalWindow, Window};

/// Result of building or running a network.
pub type Result<T> = std::result::Result<T, RuntimeError>;
