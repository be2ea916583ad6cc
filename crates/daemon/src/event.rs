//! Events of the daemon.

use domain::{JobId, SopUid, StudyUid};
use jiff::SignedDuration;
use store::{JobCounts, StateCounts};

/// An event. Carries UIDs, and in place of a path its [`path_tag`](domain::path_tag): a path may hold a name.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum DaemonEvent {
    /// Intake and workers run.
    Started {
        /// The queue as it was found.
        jobs: JobCounts,
        /// Jobs that were running when the program last ended, now queued again.
        recovered: u64,
    },
    /// A file was complete and has a job now.
    FileTaken {
        /// Stands for the path.
        path_tag: String,
        /// Study of the file, if its header was read.
        study_instance_uid: Option<StudyUid>,
    },
    /// A file is not DICOM and is left alone.
    FileIgnored {
        /// Stands for the path.
        path_tag: String,
        /// In words.
        reason: String,
    },
    /// A file is an archive, which is not opened.
    ArchiveIgnored {
        /// Stands for the path.
        path_tag: String,
        /// In words.
        reason: String,
    },
    /// A file is not complete; it is looked at again later.
    FileIncomplete {
        /// Stands for the path.
        path_tag: String,
        /// In words.
        reason: String,
        /// It stayed incomplete too long and is kept as a failed job.
        given_up: bool,
    },
    /// A folder cannot be read; files in it are not seen.
    FolderUnreadable {
        /// Stands for the path.
        path_tag: String,
        /// Error of the system.
        reason: String,
    },
    /// The system cannot report changes in a watch folder; its files are found by the timed scan only.
    PollingOnly {
        /// Stands for the path.
        path_tag: String,
        /// Reason.
        reason: String,
    },
    /// A worker began.
    JobStarted {
        /// The job.
        job_id: JobId,
        /// Stands for the path.
        path_tag: String,
        /// Which try this is, from 1.
        attempt: u32,
    },
    /// A loop and its prediction are in the store.
    LoopLabelled {
        /// The study.
        study_instance_uid: StudyUid,
        /// The loop.
        sop_instance_uid: SopUid,
        /// None where the model abstained.
        view: Option<String>,
        /// 0..=1.
        confidence: f64,
    },
    /// No model was asked about the file.
    LoopSkipped {
        /// The study, where known.
        study_instance_uid: Option<StudyUid>,
        /// The loop, where known.
        sop_instance_uid: Option<SopUid>,
        /// In words.
        reason: String,
    },
    /// The file is another copy of a loop in the store.
    LoopDuplicate {
        /// The study.
        study_instance_uid: StudyUid,
        /// The loop.
        sop_instance_uid: SopUid,
    },
    /// A later header of a loop in the store puts it into this study.
    LoopMoved {
        /// The study.
        study_instance_uid: StudyUid,
        /// The loop.
        sop_instance_uid: SopUid,
    },
    /// The file has the SOP Instance UID of a loop in the store, but other pixels; the first is kept.
    LoopConflict {
        /// The job: `jobs resolve` takes it.
        job_id: JobId,
        /// Stands for the path.
        path_tag: String,
        /// The study.
        study_instance_uid: StudyUid,
        /// The loop.
        sop_instance_uid: SopUid,
    },
    /// A try failed.
    LoopFailed {
        /// The job.
        job_id: JobId,
        /// Stands for the path.
        path_tag: String,
        /// Short name.
        kind: String,
        /// In words.
        message: String,
        /// It will be tried again.
        will_retry: bool,
    },
    /// A closed study got another file.
    StudyReopened {
        /// The study.
        study_instance_uid: StudyUid,
    },
    /// A study has been quiet long enough.
    StudyClosed {
        /// The study.
        study_instance_uid: StudyUid,
    },
    /// The database cannot be used now; every call waits. Told again every minute.
    DatabaseUnusable {
        /// In words.
        reason: String,
    },
    /// The database can be used again; work goes on where it was.
    DatabaseUsable,
    /// The nightly window opened (true) or closed (false).
    WindowChanged {
        /// True if jobs are claimed now.
        open: bool,
    },
    /// A morning came: what was done in the night, and what waits.
    Morning {
        /// Studies that got a file or a label.
        studies: u64,
        /// Files by state.
        states: StateCounts,
        /// Time that the oldest file in the queue has waited.
        longest_wait: Option<SignedDuration>,
    },
    /// Intake turns and no job has stopped; emitted every second, for whoever restarts a program that hangs.
    Alive,
    /// Shutdown was asked for; running jobs are being finished.
    Stopping,
}

/// Receives every event, from any thread; must not block for long.
pub trait Observer: Send + Sync {
    /// Receives one event.
    fn notice(&self, event: &DaemonEvent);
}

impl<F: Fn(&DaemonEvent) + Send + Sync> Observer for F {
    fn notice(&self, event: &DaemonEvent) {
        self(event);
    }
}
