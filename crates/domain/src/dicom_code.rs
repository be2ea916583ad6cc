//! A coded concept of DICOM.

use serde::{Deserialize, Serialize};

/// A coded concept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DicomCode {
    /// Code Value (0008,0100).
    pub value: String,
    /// Coding Scheme Designator (0008,0102): `SCT`, `DCM` or `UCUM`.
    pub scheme: String,
    /// Code Meaning (0008,0104).
    pub meaning: String,
}

impl DicomCode {
    /// Returns the concept of a value, scheme and meaning.
    pub fn new(value: &str, scheme: &str, meaning: &str) -> Self {
        Self { value: value.to_owned(), scheme: scheme.to_owned(), meaning: meaning.to_owned() }
    }
}
