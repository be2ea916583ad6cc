//! CPU kernels for convolutional encoders in single precision, chosen at run time: AVX-512, AVX2 with FMA, NEON,
//! portable.
//!
//! A [`Network`] is built layer by layer from plain weights ([`NetworkBuilder`]), packed for one [`InstructionSet`], and run
//! on frames. Inside, maps are kept channels last with channels padded to a multiple of 16, in one arena that is reused from
//! run to run.
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
//! # How it is fast
//! - Layers are made one where a map between them would only be written to be read again (`network/fuse.rs`).
//! - 1x1 convolutions are matrix products on packed weights (`gemm`); larger windows read rows of the map, or a padded or
//!   gathered copy of a few of them, never an unfolded image (`layers/dense.rs`).
//! - Layers with large maps run frame by frame and stay in the cache; those with small maps run on up to four frames at
//!   once and read their weights once for all (`network/plan.rs`).
//! - Frames are shared out among threads; a single frame is cut layer by layer among threads that wait for the next layer
//!   awake, for a quarter of a millisecond (`team.rs`).
//!
//! `cargo run --release -p runtime --example encoders` times it, and `tools/peers/peers.py` times others beside it.
//!
//! # How it is safe
//! Builders check every shape and length, and lay out every map and all scratch memory, before anything runs; the kernels
//! rest on that plan. Debug builds fill the memory with what is not a number before each run and watch its end, so that
//! tests show a kernel that reads or writes where it should not.
//!
//! Only this crate of the house and `cuda_kernels` have `unsafe` code. The NEON kernels have been tested under emulation only
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
mod team;

pub use activation::Activation;
pub use error::RuntimeError;
pub use instruction_set::{InstructionSet, KERNELS_VARIABLE};
pub use network::{
    Attention, Convolution, LayerTime, Map, Network, NetworkBuilder, OTHER_REGION, Observer, SqueezeExcite,
    TimeConvolution, TokenWindow,
};
pub use quantization::InputRange;
pub use shape::{MapShape, Padding, TimeWindow, Window};

/// The result of building or running a network.
pub type Result<T> = std::result::Result<T, RuntimeError>;
