//! Pictures for people: a loop with what was found in it.

mod canvas;
mod loop_picture;
mod text;

pub use canvas::Canvas;
pub use loop_picture::loop_picture;
