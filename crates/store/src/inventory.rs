//! The inventory of a study: its views with their loops, and the views that it lacks.

use domain::{Mode, ModelKey, SopUid, StudyUid};
use jiff::Timestamp;
use serde::Serialize;

use crate::StoredPrediction;

/// The inventory of a study, as plain data. The newest prediction of a loop counts; a review goes before it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inventory {
    /// Study Instance UID.
    pub study_instance_uid: StudyUid,
    /// Arrival of its last file, or time of its last label.
    pub last_activity: Timestamp,
    /// Time of closing; `None` while it is open.
    pub closed_at: Option<Timestamp>,
    /// Files of the study that were taken, copies included.
    pub files: u64,
    /// Files of the study that wait for a worker.
    pub unfinished_jobs: u64,
    /// The models whose predictions count.
    pub models: Vec<ModelUsed>,
    /// The views that were found: those of the label set in its order, then any other by name.
    pub views: Vec<ViewInventory>,
    /// Views of the label set without a loop, in its order.
    pub missing: Vec<String>,
    /// Files and loops without a view.
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
    /// The model's probability of this view, 0..=1.
    pub confidence: f64,
    /// True when a person named the view.
    pub reviewed: bool,
    /// Number of frames.
    pub frames: Option<u32>,
    /// Imaging mode.
    pub mode: Mode,
    /// Acquisition date and time as in the header.
    pub acquired: Option<String>,
    /// Every model's prediction, oldest first: the last one counts.
    pub predictions: Vec<StoredPrediction>,
}

/// Kind of a loop or file without a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NotLabelledWhy {
    /// The model abstained.
    Abstained,
    /// A person says that it shows no view of the set.
    Reviewed,
    /// No model was asked.
    Skipped,
    /// The file could not be labelled.
    Failed,
    /// Another file with the same SOP Instance UID had other bytes.
    Conflict,
}

/// One loop or file without a view.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NotLabelled {
    /// SOP Instance UID, where it is known.
    pub sop_instance_uid: Option<SopUid>,
    /// Kind.
    pub why: NotLabelledWhy,
    /// Reason in words.
    pub reason: Option<String>,
    /// Imaging mode, where it is known.
    pub mode: Option<Mode>,
    /// Every model's prediction, oldest first.
    pub predictions: Vec<StoredPrediction>,
}
