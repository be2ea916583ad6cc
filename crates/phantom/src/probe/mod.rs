//! Position of the probe and the plane that it cuts.

mod plane;
mod sway;
mod views;

pub use plane::{Handling, ImagePlane};
pub use sway::Sway;
pub use views::View;
