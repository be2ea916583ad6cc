//! A simulated loop as a DICOM file.

mod builder;
mod ecg_carriers;
mod header;
mod pixels;
mod regions;
mod writer;

pub(crate) use builder::Header;
pub use header::LoopIdentity;
pub(crate) use pixels::encode;
pub use writer::{write_loop, write_simulated};
