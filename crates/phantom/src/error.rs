//! Errors of writing a study.

use std::path::PathBuf;

/// A failure while simulating or writing; simulation itself cannot fail, only encoding and the disk can.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PhantomError {
    /// A folder could not be created.
    #[error("could not create the folder {path}")]
    CreateFolder {
        /// The folder.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A file could not be written.
    #[error("could not write {path}")]
    WriteFile {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The DICOM header could not be encoded.
    #[error("could not encode the DICOM header of {path}")]
    EncodeHeader {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A frame could not be compressed.
    #[error("could not encode frame {frame} as JPEG")]
    EncodeFrame {
        /// The frame's index from 0.
        frame: u32,
        /// The cause.
        source: jpeg_encoder::EncodingError,
    },
    /// The truth file could not be put into JSON.
    #[error("could not write the truth as JSON")]
    EncodeTruth {
        /// The cause.
        source: serde_json::Error,
    },
    /// An option has a value that cannot be simulated.
    #[error("{option} cannot be {value}: {reason}")]
    BadOption {
        /// The option's name.
        option: &'static str,
        /// Its value.
        value: String,
        /// The reason.
        reason: &'static str,
    },
}

impl PhantomError {
    /// Returns whether the same call may succeed later (a full disk, a busy file).
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::CreateFolder { .. } | Self::WriteFile { .. })
    }
}
