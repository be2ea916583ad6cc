//! Jobs in SQLite.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::database::WriteError;
use super::row::{count, optional_time, path_bytes, path_from, time, time_text, unreadable};
use super::{Store, study};
use crate::{
    DicomIdentity, Enqueued, FileIdentity, Job, JobCounts, JobFailure, JobRow, JobState, Queue, Retry, SettledFile,
    StoreError,
};

impl Queue for Store {
    fn enqueue(
        &self,
        file: &FileIdentity,
        identity: Option<&DicomIdentity>,
        now: Timestamp,
    ) -> Result<Enqueued, StoreError> {
        self.write("queue a file", |transaction| {
            let Some(job_id) = insert_or_revive(transaction, file, identity, now)? else {
                return Ok(Enqueued::Known);
            };
            // Another copy of a loop that is in the store is no news of its study.
            let reopened_study = match identity {
                Some(identity) if !loop_is_known(transaction, &identity.sop_instance_uid)? => {
                    study::touch(transaction, &identity.study_instance_uid, now)?
                }
                _ => false,
            };
            Ok(Enqueued::New { job_id, reopened_study })
        })
    }

    fn settle(&self, file: &FileIdentity, how: SettledFile, reason: &str, now: Timestamp) -> Result<(), StoreError> {
        let (state, kind) = match how {
            SettledFile::NotDicom => (JobState::Skipped, "not_dicom"),
            SettledFile::Incomplete => (JobState::Failed, "incomplete"),
        };
        self.write("remember a file", |transaction| {
            supersede(transaction, file)?;
            transaction.execute(
                "INSERT INTO job (path, size_bytes, modified_unix_ns, state, error_kind, error_message, enqueued_at, finished_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7) ON CONFLICT DO NOTHING",
                params![
                    path_bytes(&file.path),
                    size_column(file),
                    file.modified_unix_ns,
                    state.as_str(),
                    kind,
                    reason,
                    time_text(now)
                ],
            )?;
            Ok(())
        })
    }

    fn is_known(&self, file: &FileIdentity) -> Result<bool, StoreError> {
        self.read("look up a file", |connection| {
            Ok(find(connection, file)?.is_some_and(|found| !found.may_be_revived()))
        })
    }

    fn claim(&self, worker: &str, lease: SignedDuration, now: Timestamp) -> Result<Option<Job>, StoreError> {
        self.write("claim a job", |transaction| {
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
                            job_id: row.get("job_id")?,
                            file: file_identity(row)?,
                            attempts: row.get("attempts")?,
                            interruptions: row.get("interruptions")?,
                            worker: row.get("worker")?,
                            identity: dicom_identity(row)?,
                        })
                    },
                )
                .optional()?;
            Ok(job)
        })
    }

    fn heartbeat(&self, job: &Job, lease: SignedDuration, now: Timestamp) -> Result<bool, StoreError> {
        self.write("extend a lease", |transaction| {
            let held = transaction.execute(
                "UPDATE job SET lease_until = ?4
                 WHERE job_id = ?1 AND worker = ?2 AND attempts = ?3 AND state = 'running'",
                params![job.job_id, job.worker, job.attempts, time_text(now + lease)],
            )?;
            Ok(held == 1)
        })
    }

    fn skip(&self, job: &Job, kind: &str, reason: &str, now: Timestamp) -> Result<(), StoreError> {
        self.write("skip a job", |transaction| {
            let end = JobEnd { kind: Some(kind), message: Some(reason), ..JobEnd::new(JobState::Skipped) };
            end_job(transaction, job, &end, now)
        })
    }

    fn fail(&self, job: &Job, failure: &JobFailure, retry: Retry, now: Timestamp) -> Result<(), StoreError> {
        self.write("fail a job", |transaction| {
            let (state, not_before) = match retry {
                Retry::At(time) => (JobState::Pending, Some(time)),
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
            // Without its study's row the failure would appear in no inventory.
            if let Some(identity) = &failure.identity
                && state == JobState::Failed
            {
                study::touch(transaction, &identity.study_instance_uid, now)?;
            }
            Ok(())
        })
    }

    fn recover(&self, all_running: bool, max_interruptions: u32, now: Timestamp) -> Result<u64, StoreError> {
        self.write("recover jobs", |transaction| {
            let recovered = transaction.execute(
                "UPDATE job SET
                     interruptions = interruptions + 1,
                     state = CASE WHEN interruptions + 1 >= ?2 THEN 'failed' ELSE 'pending' END,
                     error_kind = CASE WHEN interruptions + 1 >= ?2 THEN 'interrupted' ELSE error_kind END,
                     error_message = CASE WHEN interruptions + 1 >= ?2
                         THEN 'the program ended ' || (interruptions + 1) || ' times while it was labelling this file'
                         ELSE error_message END,
                     finished_at = CASE WHEN interruptions + 1 >= ?2 THEN ?3 END,
                     worker = NULL, lease_until = NULL, not_before = NULL
                 WHERE state = 'running' AND (?1 OR lease_until <= ?3)",
                params![all_running, max_interruptions, time_text(now)],
            )?;
            Ok(recovered as u64)
        })
    }

    fn retry_failed(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.write("retry failed jobs", |transaction| {
            let revived = transaction.execute(
                "UPDATE job SET state = 'pending', attempts = 0, interruptions = 0, not_before = ?1, finished_at = NULL
                 WHERE state = 'failed'",
                [time_text(now)],
            )?;
            Ok(revived as u64)
        })
    }

    fn next_claimable(&self) -> Result<Option<Timestamp>, StoreError> {
        self.read("look for the next job", |connection| {
            connection.query_row(
                "SELECT min(coalesce(not_before, enqueued_at)) AS next FROM job WHERE state = 'pending'",
                [],
                |row| optional_time(row, "next"),
            )
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

    fn jobs(&self) -> Result<Vec<JobRow>, StoreError> {
        self.read("list jobs", |connection| {
            let mut query = connection.prepare_cached("SELECT * FROM job ORDER BY job_id")?;
            query.query_map([], job_row)?.collect()
        })
    }
}

/// How a job ends, or ends for now.
pub(super) struct JobEnd<'a> {
    pub state: JobState,
    pub not_before: Option<Timestamp>,
    pub kind: Option<&'a str>,
    pub message: Option<&'a str>,
    pub content_sha256: Option<&'a str>,
    pub duplicate: bool,
    pub loop_id: Option<i64>,
    pub identity: Option<&'a DicomIdentity>,
}

impl JobEnd<'_> {
    pub const fn new(state: JobState) -> Self {
        Self {
            state,
            not_before: None,
            kind: None,
            message: None,
            content_sha256: None,
            duplicate: false,
            loop_id: None,
            identity: None,
        }
    }
}

/// Ends a job that this worker still holds.
pub(super) fn end_job(connection: &Connection, job: &Job, end: &JobEnd<'_>, now: Timestamp) -> Result<(), WriteError> {
    let held = connection.execute(
        "UPDATE job SET state = ?4, not_before = ?5, error_kind = ?6, error_message = ?7,
             content_sha256 = coalesce(?8, content_sha256), duplicate = ?9, loop_id = coalesce(?10, loop_id),
             sop_instance_uid = coalesce(?11, sop_instance_uid),
             study_instance_uid = coalesce(?12, study_instance_uid),
             finished_at = ?13, worker = NULL, lease_until = NULL
         WHERE job_id = ?1 AND worker = ?2 AND attempts = ?3 AND state = 'running'",
        params![
            job.job_id,
            job.worker,
            job.attempts,
            end.state.as_str(),
            end.not_before.map(time_text),
            end.kind,
            end.message,
            end.content_sha256,
            end.duplicate,
            end.loop_id,
            end.identity.map(|identity| &identity.sop_instance_uid),
            end.identity.map(|identity| &identity.study_instance_uid),
            (end.state != JobState::Pending).then(|| time_text(now)),
        ],
    )?;
    if held == 1 { Ok(()) } else { Err(StoreError::LeaseLost { job_id: job.job_id }.into()) }
}

struct Found {
    job_id: i64,
    state: JobState,
    error_kind: Option<String>,
}

impl Found {
    /// The file was gone, or another version stood in its place, and now this one is back.
    fn may_be_revived(&self) -> bool {
        match self.state {
            JobState::Failed => self.error_kind.as_deref() == Some(JobFailure::FILE_VANISHED),
            JobState::Skipped => self.error_kind.as_deref() == Some(JobFailure::SUPERSEDED),
            JobState::Pending | JobState::Running | JobState::Done => false,
        }
    }
}

fn find(connection: &Connection, file: &FileIdentity) -> rusqlite::Result<Option<Found>> {
    connection
        .prepare_cached(
            "SELECT job_id, state, error_kind FROM job WHERE path = ?1 AND size_bytes = ?2 AND modified_unix_ns = ?3",
        )?
        .query_row(params![path_bytes(&file.path), size_column(file), file.modified_unix_ns], |row| {
            Ok(Found { job_id: row.get(0)?, state: state(row)?, error_kind: row.get(2)? })
        })
        .optional()
}

/// The key of a job that is pending from now on; none when the file has one already.
fn insert_or_revive(
    connection: &Connection,
    file: &FileIdentity,
    identity: Option<&DicomIdentity>,
    now: Timestamp,
) -> rusqlite::Result<Option<i64>> {
    let found = find(connection, file)?;
    if found.as_ref().is_some_and(|found| !found.may_be_revived()) {
        return Ok(None);
    }
    supersede(connection, file)?;
    if let Some(found) = found {
        connection.execute(
            "UPDATE job SET state = 'pending', attempts = 0, interruptions = 0, not_before = NULL, error_kind = NULL,
                 error_message = NULL, finished_at = NULL WHERE job_id = ?1",
            [found.job_id],
        )?;
        return Ok(Some(found.job_id));
    }
    connection.execute(
        "INSERT INTO job (path, size_bytes, modified_unix_ns, state, sop_instance_uid, study_instance_uid, enqueued_at)
         VALUES (?1, ?2, ?3, 'pending', ?4, ?5, ?6)",
        params![
            path_bytes(&file.path),
            size_column(file),
            file.modified_unix_ns,
            identity.map(|identity| &identity.sop_instance_uid),
            identity.map(|identity| &identity.study_instance_uid),
            time_text(now),
        ],
    )?;
    Ok(Some(connection.last_insert_rowid()))
}

/// Older versions of a file that were not labelled never can be: their bytes are gone.
fn supersede(connection: &Connection, file: &FileIdentity) -> rusqlite::Result<usize> {
    connection.execute(
        "UPDATE job SET state = 'skipped', error_kind = ?4,
             error_message = 'a later version of the file came' || coalesce('; before: ' || error_message, '')
         WHERE path = ?1 AND NOT (size_bytes = ?2 AND modified_unix_ns = ?3) AND state IN ('pending', 'failed')",
        params![path_bytes(&file.path), size_column(file), file.modified_unix_ns, JobFailure::SUPERSEDED],
    )
}

fn loop_is_known(connection: &Connection, sop_instance_uid: &str) -> rusqlite::Result<bool> {
    connection.query_row("SELECT EXISTS (SELECT 1 FROM loop WHERE sop_instance_uid = ?1)", [sop_instance_uid], |row| {
        row.get(0)
    })
}

/// SQLite integers are signed; no file is that long.
fn size_column(file: &FileIdentity) -> i64 {
    i64::try_from(file.size_bytes).unwrap_or(i64::MAX)
}

fn state(row: &Row<'_>) -> rusqlite::Result<JobState> {
    let name: String = row.get("state")?;
    JobState::from_name(&name).ok_or_else(|| unreadable("state", name))
}

fn file_identity(row: &Row<'_>) -> rusqlite::Result<FileIdentity> {
    Ok(FileIdentity {
        path: path_from(row.get("path")?),
        size_bytes: row.get::<_, i64>("size_bytes")?.unsigned_abs(),
        modified_unix_ns: row.get("modified_unix_ns")?,
    })
}

fn dicom_identity(row: &Row<'_>) -> rusqlite::Result<Option<DicomIdentity>> {
    let study: Option<String> = row.get("study_instance_uid")?;
    let sop: Option<String> = row.get("sop_instance_uid")?;
    Ok(study
        .zip(sop)
        .map(|(study_instance_uid, sop_instance_uid)| DicomIdentity { study_instance_uid, sop_instance_uid }))
}

fn job_row(row: &Row<'_>) -> rusqlite::Result<JobRow> {
    Ok(JobRow {
        job_id: row.get("job_id")?,
        file: file_identity(row)?,
        state: state(row)?,
        attempts: row.get("attempts")?,
        interruptions: row.get("interruptions")?,
        not_before: optional_time(row, "not_before")?,
        error_kind: row.get("error_kind")?,
        error_message: row.get("error_message")?,
        duplicate: row.get("duplicate")?,
        sop_instance_uid: row.get("sop_instance_uid")?,
        study_instance_uid: row.get("study_instance_uid")?,
        enqueued_at: time(row, "enqueued_at")?,
        finished_at: optional_time(row, "finished_at")?,
    })
}
