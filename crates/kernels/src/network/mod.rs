//! A convolutional network: built layer by layer, packed once, run on frames.

mod builder;
mod fuse;
mod graph;
mod lower;
mod plan;
mod quantise;
mod run;

pub use builder::NetworkBuilder;
pub use graph::{Convolution, Map, SqueezeExcite};
pub use quantise::Observer;
pub use run::Network;
