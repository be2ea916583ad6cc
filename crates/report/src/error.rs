//! Errors of writing a report.

use dicom_object::WriteError;

/// Errors of writing a report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The report refers to no loop, which an object of these classes must.
    #[error("no loop of the study can be referred to")]
    NoLoop,
    /// The object could not be encoded.
    #[error("the object cannot be encoded: {0}")]
    Encode(#[from] Box<WriteError>),
    /// The file meta group could not be built.
    #[error("the file meta group cannot be built: {0}")]
    Meta(#[from] dicom_object::meta::Error),
}
