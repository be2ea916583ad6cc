//! A network: its graph is built node by node, fused, lowered to layers with packed weights, given a memory plan, and run.

mod attention;
mod builder;
mod fuse;
mod graph;
mod lower;
mod memory_plan;
mod quantize;
mod run;

pub use attention::{Attention, OTHER_REGION, TokenWindow};
pub use builder::NetworkBuilder;
pub use graph::{Convolution, Map, SqueezeExcite, TemporalConvolution};
pub use quantize::Observer;
pub use run::{LayerTime, Network};
