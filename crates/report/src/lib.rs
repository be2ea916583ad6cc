//! Writes what the models and people said of a study as two DICOM objects of that study.
//!
//! The Comprehensive SR (PS3.16 TID 1500) has one measurement group (TID 1501) an observation of a loop. The Key Object
//! Selection (TID 2010) names the best loop of each view. Both are functions of a [`StudyReport`]: nothing here reads a
//! clock, a file or a random number, so that what is sent twice is the same object.

mod algorithm;
mod codes;
mod content;
mod document_uids;
mod elements;
mod error;
mod evidence;
mod header;
mod identity;
mod key_objects;
mod structured_report;
mod study_report;
mod text;

pub use algorithm::Algorithm;
pub use document_uids::DocumentUids;
pub use error::ReportError;
pub use key_objects::KEY_OBJECT_CLASS;
pub use structured_report::REPORT_CLASS;
pub use study_report::{
    CodedView, ImageReference, KeyLoop, LoopFinding, Observation, Observer, ReportedObject, Revision, StudyReport,
};
