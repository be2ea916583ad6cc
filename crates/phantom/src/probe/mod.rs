//! Where the probe stands and which plane it cuts.

mod plane;
mod views;

pub use plane::{Handling, ImagePlane};
pub use views::View;
