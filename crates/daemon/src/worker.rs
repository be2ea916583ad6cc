//! Processing of one job by a worker.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use domain::{Prediction, Sha256, SopUid, path_tag};
use jiff::{SignedDuration, Timestamp};
use store::{Backend, Job, JobFailure, KnownLoop, LoopFacts, Recorded, Retry, StoreError};

use crate::inbox::{Hint, HintSender};
use crate::path_tag::without_path;
use crate::reporter::Reporter;
use crate::settings::RetrySettings;
use crate::{Clock, DaemonEvent, LabelFailure, Labeller, Labelling};

/// Time between two looks at a file that cannot be read.
const UNREADABLE_WAIT: SignedDuration = SignedDuration::from_mins(1);

/// Everything a worker needs; all workers share one.
pub(crate) struct Worker<'a> {
    pub store: &'a dyn Backend,
    pub labeller: &'a dyn Labeller,
    pub clock: &'a dyn Clock,
    pub reporter: &'a Reporter<'a>,
    pub retry: RetrySettings,
    pub hints: HintSender,
}

/// Result of an attempt, before it is stored.
enum Attempt {
    Labelled {
        facts: Box<LoopFacts>,
        prediction: Box<Prediction>,
        content_sha256: Sha256,
    },
    Skipped {
        facts: Option<Box<LoopFacts>>,
        content_sha256: Sha256,
        reason: String,
    },
    Copy(KnownLoop),
    /// The file is gone, and its loop is in the store from another file.
    Moved,
    /// Another version of the file stands there now; the inbox will find it.
    Superseded,
    /// The file is there and cannot be read: nothing is known of it yet.
    Unreadable(io::Error),
    Failed(LabelFailure),
}

impl Attempt {
    /// The loop whose file the job's file may become.
    fn sop(&self) -> Option<&SopUid> {
        match self {
            Self::Labelled { facts, .. } | Self::Skipped { facts: Some(facts), .. } => Some(&facts.sop_instance_uid),
            Self::Copy(known) => Some(&known.sop_instance_uid),
            Self::Skipped { facts: None, .. }
            | Self::Moved
            | Self::Superseded
            | Self::Unreadable(_)
            | Self::Failed(_) => None,
        }
    }
}

impl Worker<'_> {
    /// Labels one claimed job and writes down what came of it.
    ///
    /// # Errors
    /// Only when the database fails; a job that was lost to another worker is no error.
    pub fn process(&self, job: &Job) -> Result<(), StoreError> {
        self.reporter.emit(&DaemonEvent::JobStarted {
            job_id: job.job_id,
            path_tag: path_tag(&job.file.path),
            attempt: job.attempts,
        });
        let attempt = self.attempt(job)?;
        match self.write_down(job, attempt) {
            Err(StoreError::LeaseLost { job_id }) => {
                tracing::warn!(job = %job_id, "the job was given to another worker; this result is dropped");
                Ok(())
            }
            written => written,
        }
    }

    fn attempt(&self, job: &Job) -> Result<Attempt, StoreError> {
        match self.labeller.file_identity(&job.file.path) {
            Ok(Some(found)) if found == job.file => {}
            Ok(Some(_)) => return Ok(Attempt::Superseded),
            Ok(None) => return self.vanished(job),
            Err(error) => return Ok(Attempt::Unreadable(error)),
        }
        let content_sha256 = match self.labeller.content_sha256(&job.file.path) {
            Ok(digest) => digest,
            Err(error) => return Ok(Attempt::Unreadable(error)),
        };
        if let Some(known) = self.store.known_content(content_sha256, &self.labeller.model())? {
            return Ok(Attempt::Copy(known));
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let is_suspect = job.interruptions >= self.retry.isolate_after;
            if is_suspect { self.labeller.label_isolated(&job.file.path) } else { self.labeller.label(&job.file.path) }
        }));
        // What was said about bytes that changed meanwhile is worth nothing.
        if let Ok(Some(found)) = self.labeller.file_identity(&job.file.path)
            && found != job.file
        {
            return Ok(Attempt::Superseded);
        }
        Ok(match outcome {
            Ok(Ok(Labelling::Labelled { facts, prediction })) => {
                Attempt::Labelled { facts, prediction, content_sha256 }
            }
            Ok(Ok(Labelling::Skipped { facts, reason })) => {
                Attempt::Skipped { facts, content_sha256, reason: without_path(&reason, &job.file.path) }
            }
            // The share may have gone away in the middle.
            Ok(Err(failure)) if failure.temporary => match self.labeller.content_sha256(&job.file.path) {
                Err(error) => Attempt::Unreadable(error),
                Ok(_) => Attempt::Failed(failure),
            },
            Ok(Err(failure)) => Attempt::Failed(failure),
            // The panic's message may hold a path or a header text: it stays out of the database.
            Err(_) => Attempt::Failed(failure("panic", "labelling this file panicked", false)),
        })
    }

    /// The file is gone. If its loop is in the store it was moved; else it may come back.
    fn vanished(&self, job: &Job) -> Result<Attempt, StoreError> {
        if let Some(identity) = &job.identity
            && let Some(known) = self.store.known_loop(&identity.sop_instance_uid)?
        {
            tracing::debug!(sop = %known.sop_instance_uid, "the file is gone, its loop is known");
            return Ok(Attempt::Moved);
        }
        self.hints.give(Hint::Vanished(job.file.clone()));
        Ok(Attempt::Failed(failure(JobFailure::FILE_VANISHED, "the file is no longer there", true)))
    }

    fn write_down(&self, job: &Job, attempt: Attempt) -> Result<(), StoreError> {
        let now = self.clock.now();
        if let Some(sop) = attempt.sop() {
            self.forget_gone_file(job, sop)?;
        }
        match attempt {
            Attempt::Labelled { facts, prediction, content_sha256 } => {
                let recorded = self.store.record_labelled(job, &facts, content_sha256, &prediction, now)?;
                let labelled = DaemonEvent::LoopLabelled {
                    study_instance_uid: facts.study_instance_uid.clone(),
                    sop_instance_uid: facts.sop_instance_uid.clone(),
                    view: prediction.view,
                    confidence: prediction.confidence,
                };
                self.emit_recorded(job, recorded, &facts, labelled);
            }
            Attempt::Skipped { facts: Some(facts), content_sha256, reason } => {
                let recorded = self.store.record_skipped(job, &facts, content_sha256, &reason, now)?;
                let skipped = DaemonEvent::LoopSkipped {
                    study_instance_uid: Some(facts.study_instance_uid.clone()),
                    sop_instance_uid: Some(facts.sop_instance_uid.clone()),
                    reason,
                };
                self.emit_recorded(job, recorded, &facts, skipped);
            }
            Attempt::Skipped { facts: None, reason, .. } => {
                self.store.skip(job, "no_image", &reason, now)?;
                self.emit_skipped(reason);
            }
            Attempt::Copy(known) => {
                self.store.record_duplicate(job, &known, now)?;
                self.reporter.emit(&DaemonEvent::LoopDuplicate {
                    study_instance_uid: known.study_instance_uid,
                    sop_instance_uid: known.sop_instance_uid,
                });
            }
            Attempt::Moved => {
                let reason = "the file is no longer there; another holds its loop";
                self.store.skip(job, JobFailure::SUPERSEDED, reason, now)?;
                self.emit_skipped(reason.to_owned());
            }
            Attempt::Superseded => {
                let reason = "a later version of the file came";
                self.store.skip(job, JobFailure::SUPERSEDED, reason, now)?;
                self.emit_skipped(reason.to_owned());
                self.hints.give(Hint::Look(job.file.path.clone()));
            }
            Attempt::Unreadable(error) => self.wait_until_readable(job, &error)?,
            Attempt::Failed(failure) => self.fail(job, failure)?,
        }
        Ok(())
    }

    /// A share that is away comes back, however long that takes, so this is no try that counts.
    fn wait_until_readable(&self, job: &Job, error: &io::Error) -> Result<(), StoreError> {
        let message = format!("the file cannot be read: {}", error.kind());
        self.end_try(
            job,
            failure("read", &message, true),
            Retry::Uncounted(self.after(UNREADABLE_WAIT.min(self.retry.backoff.longest))),
        )
    }

    /// Gives the place of the file that a loop was read from to the file in hand, where the first is gone.
    fn forget_gone_file(&self, job: &Job, sop: &SopUid) -> Result<(), StoreError> {
        if let Some((job_id, path)) = self.store.loop_file(sop)?
            && job_id != job.job_id
            && matches!(self.labeller.file_identity(&path), Ok(None))
        {
            self.store.forget_file(job_id, self.clock.now())?;
        }
        Ok(())
    }

    fn fail(&self, job: &Job, failure: LabelFailure) -> Result<(), StoreError> {
        // Tries that ended because the program died are counted on their own.
        let tries = job.attempts.saturating_sub(job.interruptions);
        let will_retry = failure.temporary && tries < self.retry.max_attempts;
        let retry = if will_retry { Retry::At(self.after(self.retry.backoff.wait_after(tries))) } else { Retry::Never };
        self.end_try(job, failure, retry)
    }

    fn after(&self, wait: SignedDuration) -> Timestamp {
        self.clock.steady().saturating_add(wait).unwrap_or(Timestamp::MAX)
    }

    fn end_try(&self, job: &Job, failure: LabelFailure, retry: Retry) -> Result<(), StoreError> {
        let will_retry = retry != Retry::Never;
        // A wait is measured on the clock that it runs by.
        let now = if will_retry { self.clock.steady() } else { self.clock.now() };
        let LabelFailure { kind, message, identity, .. } = failure;
        let message = without_path(&message, &job.file.path);
        self.store.fail(job, &JobFailure { kind: kind.clone(), message: message.clone(), identity }, retry, now)?;
        self.reporter.emit(&DaemonEvent::LoopFailed {
            job_id: job.job_id,
            path_tag: path_tag(&job.file.path),
            kind,
            message,
            will_retry,
        });
        Ok(())
    }

    fn emit_recorded(&self, job: &Job, recorded: Recorded, facts: &LoopFacts, new: DaemonEvent) {
        let study_instance_uid = facts.study_instance_uid.clone();
        let sop_instance_uid = facts.sop_instance_uid.clone();
        match recorded {
            Recorded::NewLoop { reopened_study } => {
                self.reporter.emit(&new);
                if reopened_study {
                    self.reporter.emit(&DaemonEvent::StudyReopened { study_instance_uid });
                }
            }
            Recorded::NewPrediction => self.reporter.emit(&new),
            Recorded::Duplicate => {
                self.reporter.emit(&DaemonEvent::LoopDuplicate { study_instance_uid, sop_instance_uid });
            }
            Recorded::Moved => {
                self.reporter.emit(&DaemonEvent::LoopMoved { study_instance_uid, sop_instance_uid });
            }
            Recorded::Conflict => {
                let (job_id, path_tag) = (job.job_id, path_tag(&job.file.path));
                self.reporter.emit(&DaemonEvent::LoopConflict {
                    job_id,
                    path_tag,
                    study_instance_uid,
                    sop_instance_uid,
                });
            }
        }
    }

    fn emit_skipped(&self, reason: String) {
        self.reporter.emit(&DaemonEvent::LoopSkipped { study_instance_uid: None, sop_instance_uid: None, reason });
    }
}

fn failure(kind: &str, message: &str, temporary: bool) -> LabelFailure {
    LabelFailure { kind: kind.to_owned(), message: message.to_owned(), temporary, identity: None }
}
