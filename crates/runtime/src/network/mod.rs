//! A convolutional network: built layer by layer, packed once, run on frames.

mod attention;
mod builder;
mod fuse;
mod graph;
mod lower;
mod plan;
mod quantize;
mod run;

pub use attention::{Attention, OTHER_REGION, TokenWindow};
pub use builder::NetworkBuilder;
pub use graph::{Convolution, Map, SqueezeExcite, TimeConvolution};
pub use quantize::Observer;
pub use run::{LayerTime, Network};
