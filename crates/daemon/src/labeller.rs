//! The trait of whatever labels loops.

use std::io;
use std::path::Path;

use domain::{ModelKey, Prediction, Sha256};
use serde::{Deserialize, Serialize};
use store::{DicomIdentity, FileIdentity, LoopFacts};

use crate::inbox::stat;

/// Turns one complete file into a label. Called from several worker threads at once; may panic, which fails that job only.
pub trait Labeller: Send + Sync {
    /// Returns the key under which its predictions are kept; a loop is labelled once by a key.
    fn model(&self) -> ModelKey;

    /// Returns the views that a complete study has, in the order of the label set.
    fn views(&self) -> Vec<String>;

    /// Labels one file.
    ///
    /// # Errors
    /// A [`LabelFailure`], temporary where another try may go better.
    fn label(&self, path: &Path) -> Result<Labelling, LabelFailure>;

    /// Returns the version of a file that is there now; `None` where nothing is.
    ///
    /// # Errors
    /// It cannot be told.
    fn file_identity(&self, path: &Path) -> io::Result<Option<FileIdentity>> {
        Ok(stat(path)?.map(|found| found.identity))
    }

    /// Returns the digest of a file.
    ///
    /// # Errors
    /// The file cannot be read.
    fn content_sha256(&self, path: &Path) -> io::Result<Sha256> {
        files::sha256(path)
    }

    /// Labels one file in a process of its own, so that the file can end that process and no more.
    ///
    /// # Errors
    /// As for [`Self::label`], and where the process dies or takes too long.
    fn label_isolated(&self, path: &Path) -> Result<Labelling, LabelFailure>;
}

/// Result of labelling one file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Labelling {
    /// A model was asked; it may have abstained.
    Labelled {
        /// Header values.
        facts: Box<LoopFacts>,
        /// The model's answer.
        prediction: Box<Prediction>,
    },
    /// No model was asked: Doppler, M-mode, a report, ...
    Skipped {
        /// Header values, where the object is an image of a study; it then appears in the inventory.
        facts: Option<Box<LoopFacts>>,
        /// The reason, in words.
        reason: String,
    },
}

/// Reason why a file could not be labelled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{kind}: {message}")]
pub struct LabelFailure {
    /// A short stable name, e.g. `decode`.
    pub kind: String,
    /// One sentence for people, without path or patient identity.
    pub message: String,
    /// True where another try may succeed.
    pub temporary: bool,
    /// Study and loop, where the header could be read: the inventory then shows the failure.
    pub identity: Option<DicomIdentity>,
}
