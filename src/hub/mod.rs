//! Model files from a hub: where they lie and how they come here.

mod download;
mod location;

pub use download::{Download, Limits, Progress};
pub use location::{HubFile, Origin, configured_hub, token_for};
