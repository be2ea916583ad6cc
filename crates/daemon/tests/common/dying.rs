//! A store that dies at a chosen call, before or after the call took effect, and stays dead.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};

use domain::{JobId, ModelKey, Prediction, Sha256, SopUid, StudyUid};
use jiff::{SignedDuration, Timestamp};
use store::{
    Backend, ConflictChoice, DicomIdentity, Enqueued, FailedJobs, FileIdentity, FileKnowledge, Holder, Inventory, Job,
    JobCounts, JobFailure, JobFilter, JobRow, KnownLoop, LabelStore, LoopFacts, LoopFile, Overview, Queue, Recorded,
    Retry, Review, SettledFile, Store, StoreError, StoredFile, StoredLoop, StoredPrediction, Study, StudyName,
};

pub struct Dying {
    pub store: Store,
    pub calls_left: AtomicI64,
    /// The last call commits, but the caller never hears of it.
    pub after_commit: bool,
}

impl Dying {
    fn call<T>(&self, work: impl FnOnce(&Store) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let left = self.calls_left.fetch_sub(1, Ordering::SeqCst);
        if left > 0 {
            return work(&self.store);
        }
        if left == 0 && self.after_commit {
            work(&self.store)?;
        }
        Err(StoreError::Export { path: PathBuf::from("power"), source: io::Error::other("cut") })
    }
}

/// Passes every method on through [`Dying::call`].
macro_rules! pass_on {
    ($($name:ident($($argument:ident: $kind:ty),*) -> $value:ty;)*) => {
        $(fn $name(&self, $($argument: $kind),*) -> Result<$value, StoreError> {
            self.call(|store| store.$name($($argument),*))
        })*
    };
}

impl Backend for Dying {
    pass_on! { checkpoint() -> (); }
}

impl Queue for Dying {
    pass_on! {
        enqueue(file: &FileIdentity, sample: Sha256, identity: Option<&DicomIdentity>, now: Timestamp) -> Enqueued;
        settle(file: &FileIdentity, sample: Sha256, how: &SettledFile, reason: &str, now: Timestamp) -> Timestamp;
        knowledge(file: &FileIdentity) -> FileKnowledge;
        confirm(file: &FileIdentity) -> ();
        forget_file(job_id: JobId, now: Timestamp) -> ();
        files_without_study() -> Vec<StoredFile>;
        overview(since: Timestamp) -> Overview;
        resolve_conflict(job_id: JobId, choice: ConflictChoice, now: Timestamp) -> bool;
        claim(worker: &str, lease: SignedDuration, now: Timestamp) -> Option<Job>;
        claim_batch(worker: &str, lease: SignedDuration, wanted: u32, now: Timestamp) -> Vec<Job>;
        enqueue_held(file: &FileIdentity, sample: Sha256, holder: &Holder<'_>, now: Timestamp) -> Option<Job>;
        heartbeat(job: &Job, lease: SignedDuration, now: Timestamp) -> bool;
        skip(job: &Job, kind: &str, reason: &str, now: Timestamp) -> ();
        fail(job: &Job, failure: &JobFailure, retry: Retry, now: Timestamp) -> ();
        recover(all_running: bool, now: Timestamp) -> u64;
        shorten_waits(longest: SignedDuration, now: Timestamp) -> ();
        retry_failed(which: &FailedJobs) -> Vec<JobId>;
        has_claimable(now: Timestamp) -> bool;
        counts() -> JobCounts;
        jobs(filter: &JobFilter) -> Vec<JobRow>;
        job(job_id: JobId) -> Option<JobRow>;
    }
}

impl LabelStore for Dying {
    pass_on! {
        record_labelled(job: &Job, facts: &LoopFacts, content: Sha256, said: &Prediction, now: Timestamp) -> Recorded;
        record_skipped(job: &Job, facts: &LoopFacts, content: Sha256, reason: &str, now: Timestamp) -> Recorded;
        record_duplicate(job: &Job, known: &KnownLoop, now: Timestamp) -> ();
        known_content(content: Sha256, model: &ModelKey) -> Option<KnownLoop>;
        known_loop(sop: &SopUid) -> Option<KnownLoop>;
        keep_label_set(model: &ModelKey, views: &[String], now: Timestamp) -> ();
        label_set(study: &StudyUid) -> Vec<String>;
        loop_file(sop: &SopUid) -> Option<(JobId, PathBuf)>;
        loops_without(model: &ModelKey, study: &StudyUid) -> Vec<LoopFile>;
        add_prediction(sop: &SopUid, said: &Prediction, now: Timestamp) -> bool;
        close_quiet_studies(quiet: SignedDuration, now: Timestamp) -> Vec<StudyUid>;
        studies() -> Vec<Study>;
        studies_named(name: &StudyName) -> Vec<StudyUid>;
        loops_named(prefix: &str) -> Vec<SopUid>;
        numbered_loops(study: &StudyUid) -> Vec<SopUid>;
        loops(study: &StudyUid) -> Vec<StoredLoop>;
        predictions(study: &StudyUid) -> Vec<StoredPrediction>;
        paths(study: &StudyUid) -> BTreeMap<SopUid, Vec<PathBuf>>;
        add_review(review: &Review) -> ();
        reviews(study: &StudyUid) -> Vec<Review>;
        inventory(study: &StudyUid) -> Inventory;
    }
}
