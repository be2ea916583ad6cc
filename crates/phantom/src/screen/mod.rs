//! Drawings around and over the image: texts, scales, gray bar, ECG trace, strips.

mod canvas;
mod colors;
mod font;
mod furniture;
mod layout;
mod strip;
mod trace;
mod vendor;

pub use canvas::Canvas;
pub use colors::{flow_color, gray_ramp};
pub use furniture::{ScreenTexts, draw_furniture};
pub use layout::Layout;
pub use strip::{SpectralSite, draw_axes, draw_spectrum};
pub use trace::{TraceSpec, TraceStyle, draw_trace};
pub use vendor::Vendor;
