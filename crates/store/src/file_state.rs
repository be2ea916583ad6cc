//! States of files: every file of a study has one, and the counts add up to the files.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use domain::{JobId, SopUid, StudyUid};
use jiff::Timestamp;
use serde::Serialize;

/// State of a file that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileState {
    /// Its loop shows a view.
    Labelled,
    /// The model was asked and named no view.
    Unsure,
    /// Its image shows no view: another mode, no heart, or a person says so.
    WithoutView,
    /// An object without an image: a report, key objects, a presentation state, a document, a waveform.
    NoImage,
    /// It could not be read or labelled.
    Failed,
    /// It ends before what its header announces.
    Incomplete,
    /// It has the UID of a loop but other pixels.
    Conflict,
    /// Another copy of a loop or object.
    Duplicate,
    /// It waits for a worker.
    Waiting,
    /// It is no DICOM file.
    NotDicom,
}

impl FileState {
    /// Every state, in the order of reports.
    pub const ALL: [Self; 10] = [
        Self::Labelled,
        Self::Unsure,
        Self::WithoutView,
        Self::NoImage,
        Self::Failed,
        Self::Incomplete,
        Self::Conflict,
        Self::Duplicate,
        Self::Waiting,
        Self::NotDicom,
    ];

    /// Returns the name in the database and in exports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Labelled => "labelled",
            Self::Unsure => "unsure",
            Self::WithoutView => "without_view",
            Self::NoImage => "no_image",
            Self::Failed => "failed",
            Self::Incomplete => "incomplete",
            Self::Conflict => "conflict",
            Self::Duplicate => "duplicate",
            Self::Waiting => "waiting",
            Self::NotDicom => "not_dicom",
        }
    }

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

    /// Returns the state of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

impl fmt::Display for FileState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Number of files in each state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct StateCounts(BTreeMap<FileState, u64>);

impl StateCounts {
    /// Returns the counts of a study, whose files are all DICOM; every state is there, at 0.
    pub fn for_study() -> Self {
        Self(FileState::ALL.into_iter().filter(|state| *state != FileState::NotDicom).map(|state| (state, 0)).collect())
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
