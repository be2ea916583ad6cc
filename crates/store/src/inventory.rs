//! The inventory of a study: its views with their loops, and the views that it lacks.

use domain::{JobId, Mode, ModelKey, SopUid, StudyUid, WeightStatus};
use jiff::Timestamp;
use serde::Serialize;

use crate::{FileState, StateCounts, StoredPrediction};

/// The inventory of a study, as plain data. The newest prediction of a loop counts; a review goes before it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inventory {
    /// Study Instance UID.
    pub study_instance_uid: StudyUid,
    /// Number of the study in the database: a short name.
    pub number: i64,
    /// Acquisition date and time of its first loop as in the header.
    pub acquired: Option<String>,
    /// Arrival of its last file, or time of its last label.
    pub last_activity: Timestamp,
    /// Time of closing; `None` while it is open.
    pub closed_at: Option<Timestamp>,
    /// Files of the study that were taken, copies included.
    pub files: u64,
    /// Number of them in each state: the sum is `files`.
    pub states: StateCounts,
    /// Files of the study that wait for a worker.
    pub unfinished_jobs: u64,
    /// The models whose predictions count.
    pub models: Vec<ModelUsed>,
    /// The views that were found: those of the label set in its order, then any other by name.
    pub views: Vec<ViewInventory>,
    /// Views of the label set without a loop, in its order.
    pub missing: Vec<String>,
    /// Reason why no view is listed as missing, where none can be.
    pub missing_withheld: Option<String>,
    /// Files without a view of their own: every file of the study that is not the one of a labelled loop.
    pub not_labelled: Vec<NotLabelled>,
}

/// A model and the note about its weights.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ModelUsed {
    /// Pipeline, weights and precision.
    #[serde(flatten)]
    pub model: ModelKey,
    /// E.g. "untrained weights".
    pub weights_note: Option<String>,
}

/// One view of a study.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ViewInventory {
    /// Name of the view.
    pub view: String,
    /// SOP Instance UID of the best loop: highest confidence, then most frames, then earliest acquisition.
    pub best: SopUid,
    /// Its loops, best first.
    pub loops: Vec<InventoryLoop>,
}

/// One loop of a view.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InventoryLoop {
    /// SOP Instance UID.
    pub sop_instance_uid: SopUid,
    /// Short name: number of the study, number of the loop in it.
    pub name: String,
    /// The model's probability of this view, 0..=1.
    pub confidence: f64,
    /// True when a person named the view.
    pub reviewed: bool,
    /// Number of frames.
    pub frames: Option<u32>,
    /// Imaging mode.
    pub mode: Mode,
    /// Trust that the weights of the newest prediction deserve.
    pub standing: Option<WeightStatus>,
    /// Acquisition date and time as in the header.
    pub acquired: Option<String>,
    /// Every model's prediction, oldest first: the last one counts.
    pub predictions: Vec<StoredPrediction>,
}

/// One loop or file without a view of its own.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NotLabelled {
    /// Key of the file's job.
    pub job_id: JobId,
    /// Stands for the file's path in the log.
    pub path_tag: String,
    /// SOP Instance UID, where it is known.
    pub sop_instance_uid: Option<SopUid>,
    /// Short name of its loop, where it is the file of one.
    pub name: Option<String>,
    /// State.
    pub state: FileState,
    /// True where a person says that it shows no view.
    pub reviewed: bool,
    /// Reason in words.
    pub reason: Option<String>,
    /// Imaging mode, where it is known.
    pub mode: Option<Mode>,
    /// Every model's prediction, oldest first.
    pub predictions: Vec<StoredPrediction>,
}
