//! An archive by DICOMweb: which studies it has (QIDO-RS), and their objects (WADO-RS).

mod client;
mod error;
mod part;

pub use client::{Archive, ArchivedObject, StudyQuery};
pub use error::ArchiveError;
