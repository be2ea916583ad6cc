//! Jobs.

use domain::{JobId, Sha256};
use jiff::{SignedDuration, Timestamp};

use super::job_table::{
    self, JobEnd, NewRow, end_job, insert, insert_or_revive, job_row, put_incomplete, signed, state, supersede,
};
use super::row::count;
use super::{SessionExt as _, claim, conflict, overview, params, read, study};
use crate::path_form::path_bytes;
use crate::{
    ConflictChoice, DicomIdentity, Enqueued, FailedJobs, FileIdentity, FileKnowledge, Holder, Job, JobCounts,
    JobFailure, JobFilter, JobRow, JobState, Overview, Queue, Retry, SettledFile, Store, StoreError, StoredFile,
};

impl Queue for Store {
    fn enqueue(
        &self,
        file: &FileIdentity,
        sample: Sha256,
        identity: Option<&DicomIdentity>,
        now: Timestamp,
    ) -> Result<Enqueued, StoreError> {
        let file = &self.paths().kept_file(file);
        self.write("queue a file", |session| {
            session.lock("file", &path_bytes(&file.path))?;
            let now = session.now(now)?;
            let Some(job_id) = insert_or_revive(session, file, sample, identity, now)? else {
                return Ok(Enqueued::Known);
            };
            // Another copy of a loop that is in the store is no news of its study.
            let reopened_study = match identity {
                Some(DicomIdentity { study_instance_uid, sop_instance_uid })
                    if !study::has_loop(session, study_instance_uid, sop_instance_uid)? =>
                {
                    study::touch(session, study_instance_uid, now)?
                }
                _ => false,
            };
            Ok(Enqueued::New { job_id, reopened_study })
        })
    }

    fn settle(
        &self,
        file: &FileIdentity,
        sample: Sha256,
        how: &SettledFile,
        reason: &str,
        now: Timestamp,
    ) -> Result<Timestamp, StoreError> {
        let file = &self.paths().kept_file(file);
        let now_of_caller = now;
        self.write("remember a file", |session| {
            session.lock("file", &path_bytes(&file.path))?;
            let now = session.now(now_of_caller)?;
            let kind = match how {
                SettledFile::NotDicom => "not_dicom",
                SettledFile::Archive => "archive",
                SettledFile::IgnoredName => "ignored_name",
                SettledFile::Incomplete { identity, given_up } => {
                    let identity = identity.as_ref();
                    let since = put_incomplete(session, file, sample, (identity, *given_up), reason, now)?;
                    // A file that is looked at again as it was is no news of its study.
                    if let Some(identity) = identity.filter(|_| since == now) {
                        study::touch(session, &identity.study_instance_uid, now)?;
                    }
                    return Ok(now_of_caller.saturating_sub(now.duration_since(since)).unwrap_or(since));
                }
            };
            supersede(session, file, sample)?;
            if job_table::knowledge(session, file)? != FileKnowledge::Known {
                let row =
                    NewRow { state: JobState::Skipped, kind: Some(kind), message: Some(reason), is_finished: true };
                insert(session, file, sample, None, &row, now)?;
            }
            Ok(now_of_caller)
        })
    }

    fn knowledge(&self, file: &FileIdentity) -> Result<FileKnowledge, StoreError> {
        let file = self.paths().kept_file(file);
        self.read("look up a file", |session| job_table::knowledge(session, &file))
    }

    fn confirm(&self, file: &FileIdentity) -> Result<(), StoreError> {
        self.write("confirm a file", |session| {
            session.execute(
                "UPDATE job SET inode = ?4, changed_unix_ns = ?5 WHERE job_id = (
                     SELECT max(job_id) FROM job WHERE path = ?1 AND size_bytes = ?2 AND modified_unix_ns = ?3)",
                params![
                    path_bytes(&self.paths().kept(&file.path)),
                    signed(file.size_bytes),
                    file.modified_unix_ns,
                    signed(file.inode),
                    file.changed_unix_ns
                ],
            )?;
            Ok(())
        })
    }

    fn forget_file(&self, job_id: JobId, now: Timestamp) -> Result<(), StoreError> {
        self.write("forget a file", |session| {
            session.execute(
                "UPDATE job SET state = 'skipped', error_kind = ?2, finished_at = ?3,
                     error_message = 'the file is no longer there; another holds its loop'
                 WHERE job_id = ?1 AND state <> 'running'",
                params![job_id.0, JobFailure::SUPERSEDED, session.now(now)?],
            )?;
            Ok(())
        })
    }

    fn claim(&self, worker: &str, lease: SignedDuration, now: Timestamp) -> Result<Option<Job>, StoreError> {
        let claimed = self.write("claim a job", |session| {
            let now = session.now(now)?;
            Ok(claim::next(session, worker, now + lease, 1, now)?.pop())
        })?;
        Ok(claimed.map(|job| Job { file: self.paths().revealed_file(job.file), ..job }))
    }

    fn claim_batch(
        &self,
        worker: &str,
        lease: SignedDuration,
        wanted: u32,
        now: Timestamp,
    ) -> Result<Vec<Job>, StoreError> {
        let claimed = self.write("claim jobs", |session| {
            let now = session.now(now)?;
            let mut jobs = claim::next(session, worker, now + lease, wanted, now)?;
            if let Some(study) = jobs.last().and_then(|job| job.identity.as_ref()).map(|it| &it.study_instance_uid) {
                let rest = claim::rest_of_study(session, worker, now + lease, study, now)?;
                jobs.extend(rest);
            }
            Ok(jobs)
        })?;
        let revealed = |job: Job| Job { file: self.paths().revealed_file(job.file), ..job };
        Ok(claimed.into_iter().map(revealed).collect())
    }

    fn enqueue_held(
        &self,
        file: &FileIdentity,
        sample: Sha256,
        holder: &Holder<'_>,
        now: Timestamp,
    ) -> Result<Option<Job>, StoreError> {
        let file = &self.paths().kept_file(file);
        let Holder { worker, lease, identity } = *holder;
        let held = self.write("hold a file's job", |session| {
            session.lock("file", &path_bytes(&file.path))?;
            let now = session.now(now)?;
            let made = insert_or_revive(session, file, sample, identity, now)?;
            if let (Some(_), Some(DicomIdentity { study_instance_uid, sop_instance_uid })) = (made, identity)
                && !study::has_loop(session, study_instance_uid, sop_instance_uid)?
            {
                study::touch(session, study_instance_uid, now)?;
            }
            let Some(job_id) = made.map_or_else(|| job_table::job_of(session, file, sample), |made| Ok(Some(made)))?
            else {
                return Ok(None);
            };
            Ok(claim::of_key(session, worker, now + lease, job_id, now)?)
        })?;
        Ok(held.map(|job| Job { file: self.paths().revealed_file(job.file), ..job }))
    }

    fn heartbeat(&self, job: &Job, lease: SignedDuration, now: Timestamp) -> Result<bool, StoreError> {
        self.write("extend a lease", |session| {
            let held = session.execute(
                "UPDATE job SET lease_until = ?4
                 WHERE job_id = ?1 AND worker = ?2 AND attempts = ?3 AND state = 'running'",
                params![job.job_id.0, job.worker, job.attempts, session.now(now)? + lease],
            )?;
            Ok(held == 1)
        })
    }

    fn skip(&self, job: &Job, kind: &str, reason: &str, now: Timestamp) -> Result<(), StoreError> {
        self.write("skip a job", |session| {
            let now = session.now(now)?;
            let mut duplicate = false;
            if let Some(identity) = job.identity.as_ref().filter(|_| kind != JobFailure::SUPERSEDED) {
                let sop = &identity.sop_instance_uid;
                session.lock("object", sop.as_str().as_bytes())?;
                duplicate = session.query_one("SELECT EXISTS (SELECT 1 FROM job
                     WHERE sop_instance_uid = ?1 AND study_instance_uid = ?2 AND file_state = 'no_image' AND job_id <> ?3)", params![sop.as_str(), identity.study_instance_uid.as_str(), job.job_id.0], |row| row.get(0))?;
                job_table::replace_failed(session, job, sop, None)?;
            }
            let end = JobEnd { kind: Some(kind), message: Some(reason), duplicate, ..JobEnd::new(JobState::Skipped) };
            end_job(session, job, &end, now)
        })
    }

    fn fail(&self, job: &Job, failure: &JobFailure, retry: Retry, now: Timestamp) -> Result<(), StoreError> {
        self.write("fail a job", |session| {
            let (state, not_before) = match retry {
                Retry::At(time) | Retry::Uncounted(time) => (JobState::Pending, Some(session.shifted(time, now)?)),
                Retry::Never => (JobState::Failed, None),
            };
            let end = JobEnd {
                not_before,
                kind: Some(&failure.kind),
                message: Some(&failure.message),
                identity: failure.identity.as_ref(),
                ..JobEnd::new(state)
            };
            let now = session.now(now)?;
            end_job(session, job, &end, now)?;
            if let Retry::Uncounted(_) = retry {
                session.execute("UPDATE job SET attempts = attempts - 1 WHERE job_id = ?1", params![job.job_id.0])?;
            }
            // Without its study's row the failure would appear in no inventory.
            if let Some(identity) = failure.identity.as_ref().or(job.identity.as_ref())
                && state == JobState::Failed
            {
                study::touch(session, &identity.study_instance_uid, now)?;
            }
            Ok(())
        })
    }

    fn recover(&self, all_running: bool, now: Timestamp) -> Result<u64, StoreError> {
        self.write("recover jobs", |session| {
            let recovered = session.execute(
                "UPDATE job SET
                     interruptions = interruptions + 1, state = 'pending',
                     worker = NULL, lease_until = NULL, not_before = NULL
                 WHERE state = 'running' AND (?1 OR lease_until <= ?2)",
                params![all_running && !session.has_other_workers(), session.now(now)?],
            )?;
            Ok(recovered as u64)
        })
    }

    fn shorten_waits(&self, longest: SignedDuration, now: Timestamp) -> Result<(), StoreError> {
        self.write("shorten waits", |session| {
            session.execute(
                "UPDATE job SET not_before = ?1 WHERE state = 'pending' AND not_before > ?1",
                params![session.now(now)? + longest],
            )?;
            Ok(())
        })
    }

    fn retry_failed(&self, which: &FailedJobs) -> Result<Vec<JobId>, StoreError> {
        let (id, kind) = match which {
            FailedJobs::All => (None, None),
            FailedJobs::Id(id) => (Some(id.0), None),
            FailedJobs::Kind(kind) => (None, Some(kind)),
        };
        self.write("retry failed jobs", |session| {
            let retried = session.query_all(
                "UPDATE job SET state = 'pending', attempts = 0, interruptions = 0, not_before = NULL,
                         finished_at = NULL
                     WHERE state = 'failed' AND (CAST(?1 AS BIGINT) IS NULL OR job_id = ?1)
                         AND (CAST(?2 AS TEXT) IS NULL OR error_kind = ?2)
                     RETURNING job_id",
                params![id, kind],
                |row| row.get(0).map(JobId),
            )?;
            Ok(retried)
        })
    }

    fn has_claimable(&self, now: Timestamp) -> Result<bool, StoreError> {
        self.read("look for a job", |session| {
            session.query_one(
                "SELECT EXISTS (SELECT 1 FROM job
                     WHERE state = 'pending' AND (not_before IS NULL OR not_before <= ?1))",
                params![session.now(now)?],
                |row| row.get(0),
            )
        })
    }

    fn counts(&self) -> Result<JobCounts, StoreError> {
        self.read("count jobs", |session| {
            let mut counts = JobCounts::default();
            session.query("SELECT state, count(*) FROM job GROUP BY state", &[], &mut |row| {
                let field = match state(row)? {
                    JobState::Pending => &mut counts.pending,
                    JobState::Running => &mut counts.running,
                    JobState::Done => &mut counts.done,
                    JobState::Failed => &mut counts.failed,
                    JobState::Skipped => &mut counts.skipped,
                };
                *field = count(row, 1)?;
                Ok(())
            })?;
            Ok(counts)
        })
    }

    fn jobs(&self, filter: &JobFilter) -> Result<Vec<JobRow>, StoreError> {
        let jobs = self.read("list jobs", |session| {
            session.query_all(
                "SELECT * FROM job WHERE (CAST(?1 AS TEXT) IS NULL OR state = ?1)
                     AND (CAST(?2 AS TEXT) IS NULL OR error_kind = ?2) ORDER BY job_id",
                params![filter.state.map(JobState::as_str), filter.kind],
                job_row,
            )
        })?;
        Ok(jobs.into_iter().map(|job| self.revealed(job)).collect())
    }

    fn files_without_study(&self) -> Result<Vec<StoredFile>, StoreError> {
        self.read("list files without a study", |session| read::files_without_study(session, self.paths()))
    }

    fn overview(&self, since: Timestamp) -> Result<Overview, StoreError> {
        self.read("count files", |session| overview::read(session, self.paths(), since))
    }

    fn resolve_conflict(&self, job_id: JobId, choice: ConflictChoice, now: Timestamp) -> Result<bool, StoreError> {
        self.write("resolve a conflict", |session| Ok(conflict::resolve(session, job_id, choice, session.now(now)?)?))
    }

    fn job(&self, job_id: JobId) -> Result<Option<JobRow>, StoreError> {
        let job = self.read("read a job", |session| {
            session.query_optional("SELECT * FROM job WHERE job_id = ?1", params![job_id.0], job_row)
        })?;
        Ok(job.map(|job| self.revealed(job)))
    }
}
