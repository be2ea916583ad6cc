//! Sources of a model's tensors, which layers read by name.

mod deterministic_init;
mod last_layer;
mod safetensors_file;
mod source;

pub use deterministic_init::{DeterministicInit, checksum, fill, fnv1a64, noise, stream_key, stream_word};
pub use last_layer::replace_last_layer;
pub use safetensors_file::SafetensorsFile;
pub(crate) use source::DERIVED;
pub use source::{TensorSource, Weights, outlines};
