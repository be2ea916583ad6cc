//! What is drawn around and over the image: texts, scales, grey bar, ECG trace, strips.

mod canvas;
mod colours;
mod font;
mod layout;
mod strip;
mod trace;
mod vendor;

pub use canvas::RgbImage;
pub use colours::{flow_colour, grey_ramp};
pub use layout::{Layout, PixelRect};
pub use strip::{SpectralSite, draw_axes, draw_spectrum};
pub use trace::{TraceSpec, TraceStyle, draw_trace};
pub use vendor::{ScreenTexts, Vendor, draw_furniture};
