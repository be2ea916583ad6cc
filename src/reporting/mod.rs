//! Reports of studies: what the database has of a study, as the two documents that `report` writes.

mod objects;
mod observations;
mod prepare;
mod revision;

pub use prepare::{ReportFailure, ReportSource};
pub use revision::ReportRevision;
