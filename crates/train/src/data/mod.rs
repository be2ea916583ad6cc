//! What is trained on: examples, who they come from, and on which side of a split they stand.

mod phantom;
mod split;

use serde::{Deserialize, Serialize};

pub use phantom::{PhantomData, phantom_cache};
pub use split::check_patients;

use crate::ClipCache;

/// One labelled clip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// Who it comes from; never on two sides of a split.
    pub patient: String,
    /// The study.
    pub study: String,
    /// The loop: a SOP Instance UID or a file.
    pub source: String,
    /// The view's index in the label set; `None` for what shows none of them.
    pub class: Option<usize>,
    /// Number of frames in the clip.
    #[serde(default)]
    pub frames: usize,
    /// The side of the split.
    pub split: Split,
}

/// The side of a split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// Learned from.
    Train,
    /// Chooses weights and thresholds.
    Validation,
    /// Looked at once, at the end.
    Test,
}

impl Split {
    /// The name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}

/// Examples with their prepared clips.
pub struct DataSet {
    clips: ClipCache,
}

impl DataSet {
    /// The examples of `clips`; an error where a patient stands on two sides.
    pub fn new(clips: ClipCache) -> crate::Result<Self> {
        check_patients(clips.examples())?;
        Ok(Self { clips })
    }

    /// The clips.
    pub fn clips(&self) -> &ClipCache {
        &self.clips
    }

    /// The numbers of the examples on one side.
    pub fn of(&self, split: Split) -> Vec<usize> {
        let examples = self.clips.examples().iter().enumerate();
        examples.filter(|(_, example)| example.split == split).map(|(number, _)| number).collect()
    }
}
