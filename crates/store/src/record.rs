//! The facts the store keeps about studies, loops, predictions and reviews.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Which model made a prediction: a pipeline with one set of weights.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ModelKey {
    /// Name of the pipeline file.
    pub pipeline: String,
    /// SHA-256 of the weights, lower-case hex.
    pub weights_sha256: String,
}

/// What the header of a loop says. No patient identity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoopFacts {
    /// Study Instance UID (0020,000D).
    pub study_instance_uid: String,
    /// Series Instance UID (0020,000E).
    pub series_instance_uid: String,
    /// SOP Instance UID (0008,0018).
    pub sop_instance_uid: String,
    /// Transfer syntax UID.
    pub transfer_syntax: Option<String>,
    /// Manufacturer (0008,0070).
    pub manufacturer: Option<String>,
    /// Mode name as in `inspect --json`: `2d`, `colour`, `pw`, ...
    pub mode: String,
    /// Rows of a frame; none for an object without an image.
    pub rows: Option<u32>,
    /// Columns of a frame.
    pub columns: Option<u32>,
    /// Number of frames.
    pub frames: Option<u32>,
    /// Time between frames, milliseconds.
    pub frame_time_ms: Option<f64>,
    /// Acquisition date and time as the header gives it (DICOM DT or DA+TM digits): it sorts by time.
    pub acquired: Option<String>,
}

/// What a model said about a loop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// Who said it.
    pub model: ModelKey,
    /// What a reader must know about the weights, e.g. "untrained weights".
    pub weights_note: Option<String>,
    /// The view; none where the model abstained.
    pub view: Option<String>,
    /// Calibrated probability of the most likely view, 0..=1.
    pub confidence: f64,
    /// The model declined to name a view.
    pub abstained: bool,
    /// Why it abstained.
    pub reason: Option<String>,
    /// Probability by view name.
    pub probabilities: BTreeMap<String, f64>,
    /// Number of clips (beats) that were seen.
    pub clips: u32,
    /// Number of frames that were decoded.
    pub frames_used: u32,
    /// Where the phases came from, as in `inspect --json`.
    pub ecg_source: String,
    /// Milliseconds by stage: open, ecg, decode, prepare, encode, head, total.
    pub timings_ms: BTreeMap<String, f64>,
}

/// A study as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Study {
    /// Study Instance UID.
    pub study_instance_uid: String,
    /// When its first file came.
    pub first_seen: Timestamp,
    /// When its last file came or its last loop was labelled.
    pub last_activity: Timestamp,
    /// When it was closed after a quiet time; none while it is open.
    pub closed_at: Option<Timestamp>,
    /// Loops in the store.
    pub loops: u64,
}

/// A loop in the store.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StoredLoop {
    /// Header facts.
    #[serde(flatten)]
    pub facts: LoopFacts,
    /// SHA-256 of the file, lower-case hex.
    pub content_sha256: String,
    /// Why it was not shown to a model; none for a loop with predictions.
    pub skip_reason: Option<String>,
    /// When it entered the store.
    pub created_at: Timestamp,
}

/// A prediction in the store.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StoredPrediction {
    /// Key in the prediction table: a later prediction has a larger one.
    pub prediction_id: i64,
    /// SOP Instance UID of its loop.
    pub sop_instance_uid: String,
    /// What was said.
    #[serde(flatten)]
    pub prediction: Prediction,
    /// When.
    pub created_at: Timestamp,
}

/// A person's word on a loop. Later reviews win; none is ever removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Review {
    /// SOP Instance UID of the loop.
    pub sop_instance_uid: String,
    /// The right view; none for "no view of the set".
    pub view: Option<String>,
    /// Who says so.
    pub reviewer: String,
    /// Free text.
    pub comment: Option<String>,
    /// When.
    pub created_at: Timestamp,
}
