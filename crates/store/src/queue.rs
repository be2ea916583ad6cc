//! The trait for jobs.

use domain::{JobId, Sha256};
use jiff::{SignedDuration, Timestamp};

use crate::{
    ConflictChoice, DicomIdentity, Enqueued, FailedJobs, FileIdentity, FileKnowledge, Job, JobCounts, JobFailure,
    JobFilter, JobRow, Overview, Retry, SettledFile, StoreError, StoredFile,
};

/// Whoever holds a job, and what is known of its file.
#[derive(Debug, Clone, Copy)]
pub struct Holder<'a> {
    /// Name of the worker.
    pub worker: &'a str,
    /// Time for which the job is held.
    pub lease: SignedDuration,
    /// Study and loop, where the header was read.
    pub identity: Option<&'a DicomIdentity>,
}

/// Durable jobs: a file that was taken is never forgotten, and only one worker holds it at a time.
pub trait Queue: Send + Sync {
    /// Makes a job for a file, unless this version of it has one. Older unfinished or failed jobs of the same path are
    /// superseded. `sample` is the digest of parts of the content. With an `identity` the study is extended now, and
    /// reopened if it was closed.
    fn enqueue(
        &self,
        file: &FileIdentity,
        sample: Sha256,
        identity: Option<&DicomIdentity>,
        now: Timestamp,
    ) -> Result<Enqueued, StoreError>;

    /// Remembers a file that needs no worker. One that is incomplete is remembered from when this version of it was
    /// first seen; that time is returned.
    fn settle(
        &self,
        file: &FileIdentity,
        sample: Sha256,
        how: &SettledFile,
        reason: &str,
        now: Timestamp,
    ) -> Result<Timestamp, StoreError>;

    /// Returns whether this version of the file has a job or was settled, and need not be read again.
    fn knowledge(&self, file: &FileIdentity) -> Result<FileKnowledge, StoreError>;

    /// Records the inode and change time of a version whose sample was found to be the same.
    fn confirm(&self, file: &FileIdentity) -> Result<(), StoreError>;

    /// Records that the file of a job is no longer there, as another file holds its loop.
    fn forget_file(&self, job_id: JobId, now: Timestamp) -> Result<(), StoreError>;

    /// Takes the next claimable job, if any, and holds it until `now + lease`. `worker` is a name that no other worker which may
    /// still be alive has.
    fn claim(&self, worker: &str, lease: SignedDuration, now: Timestamp) -> Result<Option<Job>, StoreError>;

    /// Takes the next `wanted` claimable jobs, and what else waits of the last one's study: whole studies, so that one worker
    /// has a study's loops together.
    fn claim_batch(
        &self,
        worker: &str,
        lease: SignedDuration,
        wanted: u32,
        now: Timestamp,
    ) -> Result<Vec<Job>, StoreError>;

    /// Makes a job for a file whose result is there already, and holds it, so that the result can be recorded. A job of this
    /// version that waits is taken too; `None` where this version was worked on before, or is in work.
    fn enqueue_held(
        &self,
        file: &FileIdentity,
        sample: Sha256,
        holder: &Holder<'_>,
        now: Timestamp,
    ) -> Result<Option<Job>, StoreError>;

    /// Extends the lease to `now + lease`; false when the job is no longer held.
    fn heartbeat(&self, job: &Job, lease: SignedDuration, now: Timestamp) -> Result<bool, StoreError>;

    /// Ends a job that has nothing to label and no loop to record. An object without an image that came before is a
    /// duplicate.
    fn skip(&self, job: &Job, kind: &str, reason: &str, now: Timestamp) -> Result<(), StoreError>;

    /// Ends an attempt that failed: back to the queue, or given up. The time of the next try is by the clock of `now`.
    fn fail(&self, job: &Job, failure: &JobFailure, retry: Retry, now: Timestamp) -> Result<(), StoreError>;

    /// Puts running jobs back whose lease has run out, or every one when `all_running` (at start, when no worker can be
    /// alive; where workers of other computers may hold some, theirs stay until the lease has run out). The interruption is counted, and never ends a job: what ended the program need not be the file. Returns how
    /// many were put back.
    fn recover(&self, all_running: bool, now: Timestamp) -> Result<u64, StoreError>;

    /// Lets no job wait beyond `now + longest`: a wait that is longer was written while the clock was wrong.
    fn shorten_waits(&self, longest: SignedDuration, now: Timestamp) -> Result<(), StoreError>;

    /// Puts failed jobs back into the queue and returns their keys.
    fn retry_failed(&self, which: &FailedJobs) -> Result<Vec<JobId>, StoreError>;

    /// Returns whether a claim would find a job now; cheaper than a claim, since it writes nothing.
    fn has_claimable(&self, now: Timestamp) -> Result<bool, StoreError>;

    /// Returns the number of jobs by state.
    fn counts(&self) -> Result<JobCounts, StoreError>;

    /// Returns the jobs that the filter lets through, oldest first.
    fn jobs(&self, filter: &JobFilter) -> Result<Vec<JobRow>, StoreError>;

    /// Returns the files whose study could not be read, oldest first.
    fn files_without_study(&self) -> Result<Vec<StoredFile>, StoreError>;

    /// Returns what was done since a time, and what waits.
    fn overview(&self, since: Timestamp) -> Result<Overview, StoreError>;

    /// Resolves a conflict: puts the file of the job in the place of its loop's pixels, or keeps those. Returns false
    /// when the job is no conflict.
    fn resolve_conflict(&self, job_id: JobId, choice: ConflictChoice, now: Timestamp) -> Result<bool, StoreError>;

    /// Returns the job of that key.
    fn job(&self, job_id: JobId) -> Result<Option<JobRow>, StoreError>;
}
