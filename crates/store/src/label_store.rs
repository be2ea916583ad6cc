//! The trait for labels.

use std::collections::BTreeMap;
use std::path::PathBuf;

use domain::{JobId, ModelKey, Prediction, Sha256, SopUid, StudyUid};
use jiff::{SignedDuration, Timestamp};

use crate::{Inventory, Job, LoopFacts, Review, StoreError, StoredLoop, StoredPrediction, Study, StudyName};

/// Result of recording a loop. In every case the job is finished in the same transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// The loop is new.
    NewLoop {
        /// True when it reopened a closed study.
        reopened_study: bool,
    },
    /// The loop was known; this model's prediction is new.
    NewPrediction,
    /// The loop was known in another study: by this file's header, which came later, it belongs to this one.
    Moved,
    /// Loop and prediction were known: the file is another copy.
    Duplicate,
    /// The SOP Instance UID was known with other pixels: the first loop is kept, the conflict is in the audit.
    Conflict,
}

/// A loop whose very bytes are in the store already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownLoop {
    /// SOP Instance UID.
    pub sop_instance_uid: SopUid,
    /// Study Instance UID.
    pub study_instance_uid: StudyUid,
}

/// A loop in the store and the file that it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoopFile {
    /// SOP Instance UID.
    pub sop_instance_uid: SopUid,
    /// Path of the file. It may hold a patient's name.
    pub path: PathBuf,
    /// SHA-256 of the file when it was labelled.
    pub content_sha256: Sha256,
}

/// Durable labels. A loop, its prediction and the end of its job are one transaction; no prediction is ever overwritten.
pub trait LabelStore: Send + Sync {
    /// Records a labelled loop and finishes its job.
    fn record_labelled(
        &self,
        job: &Job,
        facts: &LoopFacts,
        content_sha256: Sha256,
        prediction: &Prediction,
        now: Timestamp,
    ) -> Result<Recorded, StoreError>;

    /// Records a loop that no model was asked about (Doppler, M-mode, ...) and finishes its job as skipped.
    fn record_skipped(
        &self,
        job: &Job,
        facts: &LoopFacts,
        content_sha256: Sha256,
        reason: &str,
        now: Timestamp,
    ) -> Result<Recorded, StoreError>;

    /// Finishes a job whose file is another copy of a known loop.
    fn record_duplicate(&self, job: &Job, known: &KnownLoop, now: Timestamp) -> Result<(), StoreError>;

    /// Returns the loop with these bytes if it was skipped or has a prediction of `model`: it need not be labelled again.
    fn known_content(&self, content_sha256: Sha256, model: &ModelKey) -> Result<Option<KnownLoop>, StoreError>;

    /// Returns the loop with this SOP Instance UID.
    fn known_loop(&self, sop: &SopUid) -> Result<Option<KnownLoop>, StoreError>;

    /// Records the views that a complete study has by a pipeline, in their order. Called when a pipeline starts to label;
    /// missing views are told from it.
    fn keep_label_set(&self, model: &ModelKey, views: &[String], now: Timestamp) -> Result<(), StoreError>;

    /// Returns the views that a complete study has, in their order: the label set of the pipeline that made its newest
    /// prediction, else of the one that was used last.
    fn label_set(&self, study: &StudyUid) -> Result<Vec<String>, StoreError>;

    /// Returns the file of a loop, with the key of its job; `None` where no file of it is known.
    fn loop_file(&self, sop: &SopUid) -> Result<Option<(JobId, PathBuf)>, StoreError>;

    /// Returns the loops of a study without a prediction of `model`, with their files.
    fn loops_without(&self, model: &ModelKey, study: &StudyUid) -> Result<Vec<LoopFile>, StoreError>;

    /// Records another model's prediction about a loop; returns false, and changes nothing, when it has one of that key.
    fn add_prediction(&self, sop: &SopUid, prediction: &Prediction, now: Timestamp) -> Result<bool, StoreError>;

    /// Closes the studies without unfinished jobs that have been quiet for `quiet`; returns their UIDs.
    fn close_quiet_studies(&self, quiet: SignedDuration, now: Timestamp) -> Result<Vec<StudyUid>, StoreError>;

    /// Returns every study, latest activity first.
    fn studies(&self) -> Result<Vec<Study>, StoreError>;

    /// Returns the studies of a name, at most two: the second shows that the name is not of one alone.
    fn studies_named(&self, name: &StudyName) -> Result<Vec<StudyUid>, StoreError>;

    /// Returns the loops whose SOP Instance UID begins so, at most two.
    fn loops_named(&self, uid_prefix: &str) -> Result<Vec<SopUid>, StoreError>;

    /// Returns the loops of a study in the order of their numbers: the first has number 1.
    fn numbered_loops(&self, study: &StudyUid) -> Result<Vec<SopUid>, StoreError>;

    /// Returns the loops of a study by acquisition time.
    fn loops(&self, study: &StudyUid) -> Result<Vec<StoredLoop>, StoreError>;

    /// Returns every prediction about the loops of a study. The last one of a loop counts: it is of the pipeline that was
    /// preferred last, else the newest.
    fn predictions(&self, study: &StudyUid) -> Result<Vec<StoredPrediction>, StoreError>;

    /// Returns the files of each loop of a study, its own first, then copies from the newest on. A path may hold a
    /// patient's name.
    fn paths(&self, study: &StudyUid) -> Result<BTreeMap<SopUid, Vec<PathBuf>>, StoreError>;

    /// Records a person's label of a loop.
    fn add_review(&self, review: &Review) -> Result<(), StoreError>;

    /// Returns the reviews of a study's loops, oldest first.
    fn reviews(&self, study: &StudyUid) -> Result<Vec<Review>, StoreError>;

    /// Returns the views of a study with their loops, and those that it lacks.
    fn inventory(&self, study: &StudyUid) -> Result<Inventory, StoreError>;
}

/// Returns the first of a loop's files that is there, else the first that was.
pub fn present_file(files: &[PathBuf]) -> Option<&PathBuf> {
    files.iter().find(|path| std::fs::metadata(path).is_ok()).or(files.first())
}
