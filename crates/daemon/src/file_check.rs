//! Interface to a reader of DICOM headers.

use std::path::Path;

use store::DicomIdentity;

/// Says whether the bytes of a file are all there. Called on the intake thread: it should read headers, not pixels.
pub trait FileCheck: Send + Sync {
    /// Looks at one file that has stopped changing.
    fn check(&self, path: &Path) -> Completeness;
}

impl<F: Fn(&Path) -> Completeness + Send + Sync> FileCheck for F {
    fn check(&self, path: &Path) -> Completeness {
        self(path)
    }
}

/// Completeness of a file, by its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Completeness {
    /// Nothing is missing. With an identity the study counts as active from now on, not only once the loop is labelled.
    Complete {
        /// Study and SOP Instance UID, where the header was read anyway.
        identity: Option<DicomIdentity>,
    },
    /// DICOM, but not all of it, or it cannot be read just now; the daemon looks again later.
    Incomplete {
        /// Description of what is missing.
        reason: String,
        /// Study and SOP Instance UID, where the header that is there has them.
        identity: Option<DicomIdentity>,
    },
    /// An archive, which is not opened: never looked at again unless it changes.
    Archive {
        /// Description of the content.
        reason: String,
    },
    /// Not DICOM: never looked at again unless it changes.
    NotDicom {
        /// Description of the content.
        reason: String,
    },
}
