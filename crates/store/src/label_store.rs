//! The door for labels.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};

use crate::{Inventory, Job, LoopFacts, ModelKey, Prediction, Review, StoreError, StoredLoop, StoredPrediction, Study};

/// What recording a loop did. In every case the job is finished in the same transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// The loop is new.
    NewLoop {
        /// Whether it reopened a closed study.
        reopened_study: bool,
    },
    /// The loop was known; this model's word on it is new.
    NewPrediction,
    /// Loop and prediction were known: the file is another copy.
    Duplicate,
    /// The SOP Instance UID was known with other bytes: the first loop is kept, the conflict is in the audit.
    Conflict,
}

/// A loop whose very bytes are in the store already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownLoop {
    /// SOP Instance UID.
    pub sop_instance_uid: String,
    /// Study Instance UID.
    pub study_instance_uid: String,
}

/// Durable labels. A loop, its prediction and the end of its job are one transaction; no prediction is ever overwritten.
pub trait LabelStore: Send + Sync {
    /// Records a labelled loop and finishes its job. `content_sha256` is lower-case hex of the file's bytes.
    fn record_labelled(
        &self,
        job: &Job,
        facts: &LoopFacts,
        content_sha256: &str,
        prediction: &Prediction,
        now: Timestamp,
    ) -> Result<Recorded, StoreError>;

    /// Records a loop that no model was asked about (Doppler, M-mode, ...) and finishes its job as skipped.
    fn record_skipped(
        &self,
        job: &Job,
        facts: &LoopFacts,
        content_sha256: &str,
        reason: &str,
        now: Timestamp,
    ) -> Result<Recorded, StoreError>;

    /// Finishes a job whose file is another copy of a known loop.
    fn record_duplicate(&self, job: &Job, known: &KnownLoop, now: Timestamp) -> Result<(), StoreError>;

    /// The loop with these bytes, if it was skipped or `model` has spoken about it: it need not be labelled again.
    fn known_content(&self, content_sha256: &str, model: &ModelKey) -> Result<Option<KnownLoop>, StoreError>;

    /// The loop with this SOP Instance UID.
    fn known_loop(&self, sop_instance_uid: &str) -> Result<Option<KnownLoop>, StoreError>;

    /// Puts the finished jobs of loops that `model` has not seen back into the queue; returns how many.
    fn requeue_for(&self, model: &ModelKey, now: Timestamp) -> Result<u64, StoreError>;

    /// Closes the studies without unfinished jobs that have been quiet for `quiet`; returns their UIDs.
    fn close_quiet_studies(&self, quiet: SignedDuration, now: Timestamp) -> Result<Vec<String>, StoreError>;

    /// Every study, latest activity first.
    fn studies(&self) -> Result<Vec<Study>, StoreError>;

    /// The loops of a study by acquisition time.
    fn loops(&self, study_instance_uid: &str) -> Result<Vec<StoredLoop>, StoreError>;

    /// Every prediction about the loops of a study, oldest first.
    fn predictions(&self, study_instance_uid: &str) -> Result<Vec<StoredPrediction>, StoreError>;

    /// Where the loops of a study were read from, by SOP Instance UID. A path may hold a patient's name.
    fn paths(&self, study_instance_uid: &str) -> Result<BTreeMap<String, PathBuf>, StoreError>;

    /// Keeps a person's word on a loop.
    fn add_review(&self, review: &Review) -> Result<(), StoreError>;

    /// The reviews of a study's loops, oldest first.
    fn reviews(&self, study_instance_uid: &str) -> Result<Vec<Review>, StoreError>;

    /// Which views of `label_set` a study has, and what it lacks.
    fn inventory(&self, study_instance_uid: &str, label_set: &[String]) -> Result<Inventory, StoreError>;
}
