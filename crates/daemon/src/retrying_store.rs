//! A store that waits until the database can be used again.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use domain::{JobId, ModelKey, Prediction, Sha256, SopUid, StudyUid};
use jiff::{SignedDuration, Timestamp};
use store::{
    Backend, ConflictChoice, DicomIdentity, Enqueued, FailedJobs, FileIdentity, FileKnowledge, Holder, Inventory, Job,
    JobCounts, JobFailure, JobFilter, JobRow, KnownLoop, LabelStore, LoopFacts, LoopFile, Overview, Queue, Recorded,
    Retry, Review, SettledFile, StoreError, StoredFile, StoredLoop, StoredPrediction, Study, StudyName,
};

use crate::liveness::Liveness;
use crate::reporter::Reporter;
use crate::{Clock, DaemonEvent, Shutdown};

/// Time between two tries; a stop is noticed after it too.
const TRY_INTERVAL: Duration = Duration::from_millis(500);

/// Time between two messages about the same trouble.
const TELL_INTERVAL: SignedDuration = SignedDuration::from_mins(1);

/// Passes every call on, and again while the database is locked, full, read-only or away. So a result that took seconds to
/// compute is not lost to a backup that holds the database, and a night is not lost to a full disk.
pub(crate) struct RetryingStore<'a> {
    pub store: &'a dyn Backend,
    pub reporter: &'a Reporter<'a>,
    pub liveness: &'a Liveness<'a>,
    pub clock: &'a dyn Clock,
    pub shutdown: &'a Shutdown,
    /// Time after which a call is given up; none for a daemon that has no end.
    pub patience: Option<SignedDuration>,
    /// Time at which the present trouble was last told.
    pub told: Mutex<Option<Timestamp>>,
}

impl RetryingStore<'_> {
    fn call<T>(&self, work: impl Fn(&dyn Backend) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let start = self.clock.steady();
        loop {
            let outcome = work(self.store);
            let waited = self.clock.steady().duration_since(start);
            match outcome {
                Err(error) if self.is_worth_waiting(&error, waited) => self.tell(&error),
                outcome => {
                    if outcome.is_ok() {
                        self.tell_end();
                    }
                    return outcome;
                }
            }
            self.liveness.report_while_waiting();
            thread::sleep(TRY_INTERVAL);
        }
    }

    fn is_worth_waiting(&self, error: &StoreError, waited: SignedDuration) -> bool {
        // What was replaced does not come back; whoever owns the store opens the new file.
        error.is_temporary()
            && !matches!(error, StoreError::Replaced { .. })
            && !self.shutdown.requested()
            && self.patience.is_none_or(|patience| waited < patience)
    }

    fn tell(&self, error: &StoreError) {
        let now = self.clock.steady();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_none_or(|told| now.duration_since(told) >= TELL_INTERVAL) {
            *told = Some(now);
            self.reporter.emit(&DaemonEvent::DatabaseUnusable { reason: error.trouble().to_owned() });
        }
    }

    fn tell_end(&self) {
        if self.told.lock().unwrap_or_else(PoisonError::into_inner).take().is_some() {
            self.reporter.emit(&DaemonEvent::DatabaseUsable);
        }
    }
}

/// Passes every method on through [`RetryingStore::call`].
macro_rules! pass_on {
    ($($name:ident($($argument:ident: $kind:ty),*) -> $value:ty;)*) => {
        $(fn $name(&self, $($argument: $kind),*) -> Result<$value, StoreError> {
            self.call(|store| store.$name($($argument),*))
        })*
    };
}

impl Backend for RetryingStore<'_> {
    pass_on! { checkpoint() -> (); }
}

impl Queue for RetryingStore<'_> {
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

impl LabelStore for RetryingStore<'_> {
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
