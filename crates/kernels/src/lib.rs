//! CPU kernels for convolutional encoders in single precision, chosen at run time: AVX-512, AVX2 with FMA, portable.
//!
//! A [`Network`] is built layer by layer from plain weights ([`NetworkBuilder`]), packed for one [`InstructionSet`], and run
//! on frames. Inside, maps are kept channels last with channels padded to a multiple of 16, in one arena that is reused from
//! run to run.
//!
//! This is the only crate of the house with `unsafe` code. There are no NEON kernels: none of the machines that build this
//! could compile or run them, so ARM uses the portable ones.

mod activation;
mod buffer;
mod error;
mod gemm;
mod instruction_set;
mod layers;
mod network;
mod shape;
mod simd;
mod team;

pub use activation::Activation;
pub use error::KernelsError;
pub use instruction_set::{InstructionSet, KERNELS_VARIABLE};
pub use network::{Convolution, Map, Network, NetworkBuilder, SqueezeExcite};
pub use shape::{MapShape, Padding, Window};

/// The result of building or running a network.
pub type Result<T> = std::result::Result<T, KernelsError>;
