//! Jobs: one version of one file that waits for its label.

use std::path::PathBuf;

use domain::{JobId, LoopId, Sha256, SopUid, StudyUid, named_enum};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One version of one file as the system describes it: the same path with another size or time is another file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FileIdentity {
    /// Absolute path.
    pub path: PathBuf,
    /// Length in bytes.
    pub size_bytes: u64,
    /// Time of the last write, nanoseconds since 1970 in UTC.
    pub modified_unix_ns: i64,
    /// Number of the file in its file system.
    pub inode: u64,
    /// Time of the last change of content, name or owner, nanoseconds since 1970 in UTC.
    pub changed_unix_ns: i64,
}

/// Knowledge of the store about a version of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKnowledge {
    /// It has a job or was settled, and need not be read again.
    Known,
    /// A version with the same path, size and time of writing is known, but inode or change time differ: it is the same
    /// one if it has this sample.
    KnownBySample(Sha256),
    /// It was never seen, or must be looked at again.
    Unknown,
}

/// Identifiers that were read from a file's header before it was queued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DicomIdentity {
    /// Study Instance UID (0020,000D).
    pub study_instance_uid: StudyUid,
    /// SOP Instance UID (0008,0018).
    pub sop_instance_uid: SopUid,
}

named_enum! {
    /// State of a job.
    JobState {
        /// Waits for a worker.
        Pending = "pending",
        /// A worker holds it under a lease.
        Running = "running",
        /// Its loop is in the store.
        Done = "done",
        /// Given up, with a reason.
        Failed = "failed",
        /// Nothing to label, with a reason.
        Skipped = "skipped",
    }
}

/// A claimed job: proof that this worker holds the lease of this attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Key in the job table.
    pub job_id: JobId,
    /// The file to label.
    pub file: FileIdentity,
    /// Number of claims, this one included.
    pub attempts: u32,
    /// Number of claims that ended because the program died.
    pub interruptions: u32,
    /// Name of the worker that holds it.
    pub worker: String,
    /// Its study and loop, where the header was read before it was queued.
    pub identity: Option<DicomIdentity>,
    /// A person wants this file's pixels in the place of those that its loop has.
    pub replaces_loop: bool,
}

/// Result of enqueueing a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enqueued {
    /// A job was made, or one that failed because its file had vanished was revived.
    New {
        /// Key in the job table.
        job_id: JobId,
        /// True when the file reopened a closed study.
        reopened_study: bool,
    },
    /// This version of the file has a job already.
    Known,
}

/// A file that needs no worker: its outcome is known when it is first looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettledFile {
    /// Not DICOM: remembered so that it is not read again.
    NotDicom,
    /// An archive, which is not opened.
    Archive,
    /// Left alone because of its name.
    IgnoredName,
    /// Incomplete: kept as a failed job until it changes.
    Incomplete {
        /// Study and loop, where the header is there.
        identity: Option<DicomIdentity>,
        /// It stayed so beyond the limit and is not looked at again; else it is looked at in the next run too.
        given_up: bool,
    },
}

/// Reason of a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobFailure {
    /// A short stable name, e.g. `file_vanished`.
    pub kind: String,
    /// One sentence for people, without path or patient identity.
    pub message: String,
    /// Study and loop of the file, where the header could be read.
    pub identity: Option<DicomIdentity>,
}

impl JobFailure {
    /// The kind of a failure whose file was gone; such a job is revived when the same file comes back.
    pub const FILE_VANISHED: &'static str = "file_vanished";

    /// The kind of a job whose file was overwritten before it was labelled; likewise revived when the file is back.
    pub const SUPERSEDED: &'static str = "superseded";

    /// The kind of a file that ends before what its header announces.
    pub const INCOMPLETE: &'static str = "incomplete";

    /// The kind of a file with the UID of a loop but other pixels.
    pub const CONFLICT: &'static str = "conflicting_content";

    /// The kind of a damaged file whose object came again, whole, in another file.
    pub const REPLACED: &'static str = "replaced";
}

/// Time of the next try of a failed job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Not before this time.
    At(Timestamp),
    /// Not before this time, and the try that ended does not count: nothing was learned of the file.
    Uncounted(Timestamp),
    /// Never, unless a person asks for it or the file changes.
    Never,
}

/// A person's answer to two files with one UID and different pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConflictChoice {
    /// The loop stays as it is.
    KeepFirst,
    /// The file that was refused is labelled, and takes the loop's place.
    UseThis,
}

/// Which failed jobs are tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FailedJobs {
    /// All of them.
    All,
    /// Those of one kind of failure.
    Kind(String),
    /// One of them.
    Id(JobId),
}

/// Which jobs are listed. The default is all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobFilter {
    /// Only jobs in this state.
    pub state: Option<JobState>,
    /// Only jobs with this kind of failure or of reason for skipping.
    pub kind: Option<String>,
}

/// Number of jobs by state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct JobCounts {
    /// Waiting.
    pub pending: u64,
    /// Under a lease.
    pub running: u64,
    /// Loop in the store.
    pub done: u64,
    /// Given up.
    pub failed: u64,
    /// Nothing to label.
    pub skipped: u64,
}

impl JobCounts {
    /// Returns the number of jobs that still need a worker.
    pub const fn unfinished(&self) -> u64 {
        self.pending + self.running
    }
}

/// A row of the job table, for people and tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRow {
    /// Key in the job table.
    pub job_id: JobId,
    /// The file.
    pub file: FileIdentity,
    /// State.
    pub state: JobState,
    /// Number of claims.
    pub attempts: u32,
    /// Number of claims during which the program died.
    pub interruptions: u32,
    /// Not to be claimed before.
    pub not_before: Option<Timestamp>,
    /// Short name of the last failure, or of the reason for skipping.
    pub error_kind: Option<String>,
    /// Sentence for people.
    pub error_message: Option<String>,
    /// The file is another copy of a loop that was known.
    pub duplicate: bool,
    /// The loop that it holds, or whose UID it has.
    pub loop_id: Option<LoopId>,
    /// SOP Instance UID of the loop, once known.
    pub sop_instance_uid: Option<SopUid>,
    /// Study Instance UID, once known.
    pub study_instance_uid: Option<StudyUid>,
    /// Time of making.
    pub enqueued_at: Timestamp,
    /// Time of its end.
    pub finished_at: Option<Timestamp>,
}
