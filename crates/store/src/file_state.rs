//! States of files: every file of a study has one, and the counts add up to the files.

use std::collections::BTreeMap;
use std::path::PathBuf;

use domain::{JobId, SopUid, StudyUid, named_enum};
use jiff::Timestamp;
use serde::Serialize;

named_enum! {
    /// State of a file that was taken; in the order of reports.
    #[derive(PartialOrd, Ord)]
    FileState {
        /// Its loop shows a view.
        Labelled = "labelled",
        /// The model was asked and named no view.
        Unsure = "unsure",
        /// Its image shows no view: another mode, no heart, or a person says so.
        WithoutView = "without_view",
        /// An object without an image: a report, key objects, a presentation state, a document, a waveform.
        NoImage = "no_image",
        /// It could not be read or labelled.
        Failed = "failed",
        /// It ends before what its header announces.
        Incomplete = "incomplete",
        /// It has the UID of a loop but other pixels.
        Conflict = "conflict",
        /// Another copy of a loop or object.
        Duplicate = "duplicate",
        /// It waits for a worker.
        Waiting = "waiting",
        /// It is no DICOM file.
        NotDicom = "not_dicom",
    }
}

impl FileState {
    /// Returns the words for people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Labelled => "labelled",
            Self::Unsure => "not sure",
            Self::WithoutView => "no view",
            Self::NoImage => "no image",
            Self::Failed => "failed",
            Self::Incomplete => "incomplete",
            Self::Conflict => "conflict",
            Self::Duplicate => "duplicate",
            Self::Waiting => "waiting",
            Self::NotDicom => "not DICOM",
        }
    }
}

/// Number of files in each state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct StateCounts(BTreeMap<FileState, u64>);

impl StateCounts {
    /// Returns the counts of a study, whose files are all DICOM; every state is there, at 0.
    pub fn for_study() -> Self {
        Self(
            FileState::ALL
                .iter()
                .copied()
                .filter(|state| *state != FileState::NotDicom)
                .map(|state| (state, 0))
                .collect(),
        )
    }

    /// Adds files to a state.
    pub fn add(&mut self, state: FileState, files: u64) {
        *self.0.entry(state).or_default() += files;
    }

    /// Returns the number of files in a state.
    pub fn get(&self, state: FileState) -> u64 {
        self.0.get(&state).copied().unwrap_or_default()
    }

    /// Returns the number of files in all states.
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// Returns the states with their counts, in the order of reports.
    pub fn iter(&self) -> impl Iterator<Item = (FileState, u64)> {
        self.0.iter().map(|(state, files)| (*state, *files))
    }
}

/// A file and its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// Key of its job.
    pub job_id: JobId,
    /// Its path, which may hold a patient's name.
    pub path: PathBuf,
    /// State.
    pub state: FileState,
    /// Short name of the failure, or of the reason for skipping.
    pub kind: Option<String>,
    /// Reason in words.
    pub reason: Option<String>,
    /// Study Instance UID, where it could be read.
    pub study_instance_uid: Option<StudyUid>,
    /// SOP Instance UID, where it could be read.
    pub sop_instance_uid: Option<SopUid>,
    /// Time at which it was taken.
    pub enqueued_at: Timestamp,
    /// Time at which it was done with.
    pub finished_at: Option<Timestamp>,
}
