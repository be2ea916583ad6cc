//! What the daemon asks of whoever labels loops.

use std::path::Path;

use store::{DicomIdentity, LoopFacts, ModelKey, Prediction};

/// Turns one complete file into a label. Called from several worker threads at once; may panic, which fails that job only.
pub trait Labeller: Send + Sync {
    /// Which model speaks: loops it has spoken about are not shown to it again.
    fn model(&self) -> ModelKey;

    /// Labels one file.
    ///
    /// # Errors
    /// A [`LabelFailure`], temporary where another try may go better.
    fn label(&self, path: &Path) -> Result<Outcome, LabelFailure>;
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// A model spoke (it may have abstained).
    Labelled(Box<LabelledLoop>),
    /// No model was asked: Doppler, M-mode, a report, ...
    Skipped {
        /// The header, where the object is an image of a study; it then appears in the inventory.
        facts: Option<Box<LoopFacts>>,
        /// Why, in words.
        reason: String,
    },
}

/// A loop with what the model said.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelledLoop {
    /// What the header says.
    pub facts: LoopFacts,
    /// What the model says.
    pub prediction: Prediction,
}

/// A file could not be labelled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {message}")]
pub struct LabelFailure {
    /// A short stable name, e.g. `decode`.
    pub kind: String,
    /// One sentence for people, without path or patient identity.
    pub message: String,
    /// Another try may go better.
    pub temporary: bool,
    /// The study and loop, where the header could be read: the inventory then tells of the failure.
    pub identity: Option<DicomIdentity>,
}
