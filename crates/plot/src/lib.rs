//! Draws shapes, images and text on a canvas and encodes it as PNG.
//!
//! The font is part of the crate, so a computer without fonts draws the same pixels.

mod canvas;
mod color;
mod error;
mod font;
mod text;

pub use canvas::{Canvas, LineStyle, Point};
pub use color::Color;
pub use error::{PlotError, Result};
pub use font::text_width;
pub use text::{Anchor, TextStyle};
