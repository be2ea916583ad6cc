//! Says what a study has and lacks against a protocol: a list of the items that a complete examination holds.
//!
//! Pure: a protocol's text and what was seen in a study go in, a verdict comes out. An item that the model cannot see is "not
//! judged", never "missing".

mod file;
mod judge;
mod shipped;

pub use file::{Item, Protocol, ProtocolError};
pub use judge::{Completeness, ItemResult, ItemState, SeenLoop, Verdict};
