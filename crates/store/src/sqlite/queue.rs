//! Jobs in SQLite.

use domain::{JobId, Sha256};
use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension, params};

use super::job_table::{
    self, JobEnd, NewRow, dicom_identity, end_job, file_identity, insert, insert_or_revive, job_row, put_incomplete,
    signed, state, supersede,
};
use super::row::{count, time_text};
use super::{SqliteStore, conflict, overview, read, study};
use crate::path_form::path_bytes;
use crate::{
    ConflictChoice, DicomIdentity, Enqueued, FailedJobs, FileIdentity, FileKnowledge, Job, JobCounts, JobFailure,
    JobFilter, JobRow, JobState, Overview, Queue, Retry, SettledFile, StoreError, StoredFile,
};

impl Queue for SqliteStore {
    fn enqueue(
        &self,
        file: &FileIdentity,
        sample: Sha256,
        identity: Option<&DicomIdentity>,
        now: Timestamp,
    ) -> Result<Enqueued, StoreError> {
        let file = &self.paths.kept_file(file);
        self.write("queue a file", |transaction| {
            let Some(job_id) = insert_or_revive(transaction, file, sample, identity, now)? else {
                return Ok(Enqueued::Known);
            };
            // Another copy of a loop that is in the store is no news of its study.
            let reopened_study = match identity {
                Some(DicomIdentity { study_instance_uid, sop_instance_uid })
                    if !study::has_loop(transaction, study_instance_uid, sop_instance_uid)? =>
                {
                    study::touch(transaction, study_instance_uid, now)?
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
        let file = &self.paths.kept_file(file);
        self.write("remember a file", |transaction| {
            let kind = match how {
                SettledFile::NotDicom => "not_dicom",
                SettledFile::Archive => "archive",
                SettledFile::IgnoredName => "ignored_name",
                SettledFile::Incomplete { identity, given_up } => {
                    let identity = identity.as_ref();
                    let since = put_incomplete(transaction, file, sample, (identity, *given_up), reason, now)?;
                    // A file that is looked at again as it was is no news of its study.
                    if let Some(identity) = identity.filter(|_| since == now) {
                        study::touch(transaction, &identity.study_instance_uid, now)?;
                    }
                    return Ok(since);
                }
            };
            supersede(transaction, file, sample)?;
            if job_table::knowledge(transaction, file)? != FileKnowledge::Known {
                let row =
                    NewRow { state: JobState::Skipped, kind: Some(kind), message: Some(reason), is_finished: true };
                insert(transaction, file, sample, None, &row, now)?;
            }
            Ok(now)
        })
    }

    fn knowledge(&self, file: &FileIdentity) -> Result<FileKnowledge, StoreError> {
        let file = self.paths.kept_file(file);
        self.read("look up a file", |connection| job_table::knowledge(connection, &file))
    }

    fn confirm(&self, file: &FileIdentity) -> Result<(), StoreError> {
        self.write("confirm a file", |transaction| {
            transaction.execute(
                "UPDATE job SET inode = ?4, changed_unix_ns = ?5 WHERE job_id = (
                     SELECT max(job_id) FROM job WHERE path = ?1 AND size_bytes = ?2 AND modified_unix_ns = ?3)",
                params![
                    path_bytes(&self.paths.kept(&file.path)),
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
        self.write("forget a file", |transaction| {
            transaction.execute(
                "UPDATE job SET state = 'skipped', error_kind = ?2, finished_at = ?3,
                     error_message = 'the file is no longer there; another holds its loop'
                 WHERE job_id = ?1 AND state <> 'running'",
                params![job_id.0, JobFailure::SUPERSEDED, time_text(now)],
            )?;
            Ok(())
        })
    }

    fn claim(&self, worker: &str, lease: SignedDuration, now: Timestamp) -> Result<Option<Job>, StoreError> {
        let claimed = self.write("claim a job", |transaction| {
            // Jobs during which the program died go last: if one of them kills it again, the others are done by then.
            let job = transaction
                .query_row(
                    "UPDATE job SET state = 'running', attempts = attempts + 1, worker = ?1, lease_until = ?2
                     WHERE job_id = (
                         SELECT job_id FROM job
                         WHERE state = 'pending' AND (not_before IS NULL OR not_before <= ?3)
                         ORDER BY interruptions, job_id LIMIT 1)
                     RETURNING *",
                    params![worker, time_text(now + lease), time_text(now)],
                    |row| {
                        Ok(Job {
                            job_id: JobId(row.get("job_id")?),
                            file: file_identity(row)?,
                            attempts: row.get("attempts")?,
                            interruptions: row.get("interruptions")?,
                            worker: row.get("worker")?,
                            identity: dicom_identity(row)?,
                            replaces_loop: row.get("replaces_loop")?,
                        })
                    },
                )
                .optional()?;
            Ok(job)
        })?;
        Ok(claimed.map(|job| Job { file: self.paths.revealed_file(job.file), ..job }))
    }

    fn heartbeat(&self, job: &Job, lease: SignedDuration, now: Timestamp) -> Result<bool, StoreError> {
        self.write("extend a lease", |transaction| {
            let held = transaction.execute(
                "UPDATE job SET lease_until = ?4
                 WHERE job_id = ?1 AND worker = ?2 AND attempts = ?3 AND state = 'running'",
                params![job.job_id.0, job.worker, job.attempts, time_text(now + lease)],
            )?;
            Ok(held == 1)
        })
    }

    fn skip(&self, job: &Job, kind: &str, reason: &str, now: Timestamp) -> Result<(), StoreError> {
        self.write("skip a job", |transaction| {
            let mut duplicate = false;
            if let Some(identity) = job.identity.as_ref().filter(|_| kind != JobFailure::SUPERSEDED) {
                let sop = &identity.sop_instance_uid;
                duplicate = transaction.query_row(
                    "SELECT EXISTS (SELECT 1 FROM job
                     WHERE sop_instance_uid = ?1 AND study_instance_uid = ?2 AND file_state = 'no_image' AND job_id <> ?3)",
                    params![sop.as_str(), identity.study_instance_uid.as_str(), job.job_id.0],
                    |row| row.get(0),
                )?;
                job_table::replace_failed(transaction, job, sop, None)?;
            }
            let end = JobEnd { kind: Some(kind), message: Some(reason), duplicate, ..JobEnd::new(JobState::Skipped) };
            end_job(transaction, job, &end, now)
        })
    }

    fn fail(&self, job: &Job, failure: &JobFailure, retry: Retry, now: Timestamp) -> Result<(), StoreError> {
        self.write("fail a job", |transaction| {
            let (state, not_before) = match retry {
                Retry::At(time) | Retry::Uncounted(time) => (JobState::Pending, Some(time)),
                Retry::Never => (JobState::Failed, None),
            };
            let end = JobEnd {
                not_before,
                kind: Some(&failure.kind),
                message: Some(&failure.message),
                identity: failure.identity.as_ref(),
                ..JobEnd::new(state)
            };
            end_job(transaction, job, &end, now)?;
            if let Retry::Uncounted(_) = retry {
                transaction.execute("UPDATE job SET attempts = attempts - 1 WHERE job_id = ?1", [job.job_id.0])?;
            }
            // Without its study's row the failure would appear in no inventory.
            if let Some(identity) = failure.identity.as_ref().or(job.identity.as_ref())
                && state == JobState::Failed
            {
                study::touch(transaction, &identity.study_instance_uid, now)?;
            }
            Ok(())
        })
    }

    fn recover(&self, all_running: bool, now: Timestamp) -> Result<u64, StoreError> {
        self.write("recover jobs", |transaction| {
            let recovered = transaction.execute(
                "UPDATE job SET
                     interruptions = interruptions + 1, state = 'pending',
                     worker = NULL, lease_until = NULL, not_before = NULL
                 WHERE state = 'running' AND (?1 OR lease_until <= ?2)",
                params![all_running, time_text(now)],
            )?;
            Ok(recovered as u64)
        })
    }

    fn shorten_waits(&self, longest: SignedDuration, now: Timestamp) -> Result<(), StoreError> {
        self.write("shorten waits", |transaction| {
            transaction.execute(
                "UPDATE job SET not_before = ?1 WHERE state = 'pending' AND not_before > ?1",
                [time_text(now + longest)],
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
        self.write("retry failed jobs", |transaction| {
            let retried = transaction
                .prepare_cached(
                    "UPDATE job SET state = 'pending', attempts = 0, interruptions = 0, not_before = NULL,
                         finished_at = NULL
                     WHERE state = 'failed' AND (?1 IS NULL OR job_id = ?1) AND (?2 IS NULL OR error_kind = ?2)
                     RETURNING job_id",
                )?
                .query_map(params![id, kind], |row| row.get(0).map(JobId))?
                .collect::<Result<_, _>>()?;
            Ok(retried)
        })
    }

    fn has_claimable(&self, now: Timestamp) -> Result<bool, StoreError> {
        self.read("look for a job", |connection| {
            connection
                .prepare_cached(
                    "SELECT EXISTS (SELECT 1 FROM job
                     WHERE state = 'pending' AND (not_before IS NULL OR not_before <= ?1))",
                )?
                .query_row([time_text(now)], |row| row.get(0))
        })
    }

    fn counts(&self) -> Result<JobCounts, StoreError> {
        self.read("count jobs", |connection| {
            let mut counts = JobCounts::default();
            let mut query = connection.prepare_cached("SELECT state, count(*) FROM job GROUP BY state")?;
            let mut rows = query.query([])?;
            while let Some(row) = rows.next()? {
                let field = match state(row)? {
                    JobState::Pending => &mut counts.pending,
                    JobState::Running => &mut counts.running,
                    JobState::Done => &mut counts.done,
                    JobState::Failed => &mut counts.failed,
                    JobState::Skipped => &mut counts.skipped,
                };
                *field = count(row, 1)?;
            }
            Ok(counts)
        })
    }

    fn jobs(&self, filter: &JobFilter) -> Result<Vec<JobRow>, StoreError> {
        let jobs = self.read("list jobs", |connection| {
            let mut query = connection.prepare_cached(
                "SELECT * FROM job WHERE (?1 IS NULL OR state = ?1) AND (?2 IS NULL OR error_kind = ?2) ORDER BY job_id",
            )?;
            query.query_map(params![filter.state.map(JobState::as_str), filter.kind], job_row)?.collect::<rusqlite::Result<Vec<JobRow>>>()
        })?;
        Ok(jobs.into_iter().map(|job| self.shown(job)).collect())
    }

    fn files_without_study(&self) -> Result<Vec<StoredFile>, StoreError> {
        self.read("list files without a study", |connection| read::files_without_study(connection, &self.paths))
    }

    fn overview(&self, since: Timestamp) -> Result<Overview, StoreError> {
        self.read("count files", |connection| overview::read(connection, &self.paths, since))
    }

    fn resolve_conflict(&self, job_id: JobId, choice: ConflictChoice, now: Timestamp) -> Result<bool, StoreError> {
        self.write("resolve a conflict", |transaction| Ok(conflict::resolve(transaction, job_id, choice, now)?))
    }

    fn job(&self, job_id: JobId) -> Result<Option<JobRow>, StoreError> {
        let job = self.read("read a job", |connection| {
            connection.query_row("SELECT * FROM job WHERE job_id = ?1", [job_id.0], job_row).optional()
        })?;
        Ok(job.map(|job| self.shown(job)))
    }
}
