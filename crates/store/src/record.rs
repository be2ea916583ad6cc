//! Studies, loops, predictions and reviews as the store keeps them.

use domain::{Mode, Prediction, SeriesUid, Sha256, SopUid, StudyUid};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Header values of a loop. No patient identity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoopFacts {
    /// Study Instance UID (0020,000D).
    pub study_instance_uid: StudyUid,
    /// Series Instance UID (0020,000E).
    pub series_instance_uid: SeriesUid,
    /// SOP Instance UID (0008,0018).
    pub sop_instance_uid: SopUid,
    /// Transfer syntax UID.
    pub transfer_syntax: Option<String>,
    /// Manufacturer (0008,0070).
    pub manufacturer: Option<String>,
    /// Manufacturer's Model Name (0008,1090).
    pub scanner_model: Option<String>,
    /// Imaging mode.
    pub mode: Mode,
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
    /// SHA-256 of the pixel data as stored: the same loop with another header has the same.
    pub pixel_sha256: Option<Sha256>,
    /// Reason why the loop is no transthoracic echo, by its header or its image.
    pub not_tte: Option<String>,
}

/// A study as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Study {
    /// Study Instance UID.
    pub study_instance_uid: StudyUid,
    /// Arrival of its first file.
    pub first_seen: Timestamp,
    /// Arrival of its last file, or time of its last label.
    pub last_activity: Timestamp,
    /// Time of closing after a quiet time; `None` while it is open.
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
    /// SHA-256 of the file.
    pub content_sha256: Sha256,
    /// Reason why no model was asked; `None` for a loop with predictions.
    pub skip_reason: Option<String>,
    /// Time of entry into the store.
    pub created_at: Timestamp,
}

/// A prediction in the store.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StoredPrediction {
    /// Key in the prediction table: a later prediction has a larger one.
    pub prediction_id: i64,
    /// SOP Instance UID of its loop.
    pub sop_instance_uid: SopUid,
    /// The prediction.
    #[serde(flatten)]
    pub prediction: Prediction,
    /// Time of recording.
    pub created_at: Timestamp,
}
