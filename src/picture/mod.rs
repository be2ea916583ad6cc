//! Pictures for people: a loop with what was found in it.

mod layout;
mod loop_picture;

pub use loop_picture::{BurnedInText, loop_picture};
