//! The job table: finding, making and ending its rows.

use domain::{JobId, LoopId, Sha256, SopUid};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::database::WriteError;
use super::row::{named, optional, optional_time, path_bytes, path_from, time, time_text};
use crate::{DicomIdentity, FileIdentity, Job, JobFailure, JobRow, JobState, StoreError};

/// Final or intermediate end of a job.
pub(super) struct JobEnd<'a> {
    pub state: JobState,
    pub not_before: Option<Timestamp>,
    pub kind: Option<&'a str>,
    pub message: Option<&'a str>,
    pub content_sha256: Option<Sha256>,
    pub duplicate: bool,
    pub loop_id: Option<LoopId>,
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
            job.job_id.0,
            job.worker,
            job.attempts,
            end.state.as_str(),
            end.not_before.map(time_text),
            end.kind,
            end.message,
            end.content_sha256.map(|digest| digest.to_string()),
            end.duplicate,
            end.loop_id.map(|id| id.0),
            end.identity.map(|identity| identity.sop_instance_uid.as_str()),
            end.identity.map(|identity| identity.study_instance_uid.as_str()),
            (end.state != JobState::Pending).then(|| time_text(now)),
        ],
    )?;
    if held == 1 { Ok(()) } else { Err(StoreError::LeaseLost { job_id: job.job_id }.into()) }
}

/// The job of one version of a file.
pub(super) struct Found {
    job_id: JobId,
    state: JobState,
    error_kind: Option<String>,
}

impl Found {
    /// The file was gone, or another version stood in its place, and now this one is back.
    pub fn may_be_revived(&self) -> bool {
        match self.state {
            JobState::Failed => self.error_kind.as_deref() == Some(JobFailure::FILE_VANISHED),
            JobState::Skipped => self.error_kind.as_deref() == Some(JobFailure::SUPERSEDED),
            JobState::Pending | JobState::Running | JobState::Done => false,
        }
    }
}

pub(super) fn find(connection: &Connection, file: &FileIdentity) -> rusqlite::Result<Option<Found>> {
    connection
        .prepare_cached(
            "SELECT job_id, state, error_kind FROM job WHERE path = ?1 AND size_bytes = ?2 AND modified_unix_ns = ?3",
        )?
        .query_row(params![path_bytes(&file.path), size_column(file), file.modified_unix_ns], |row| {
            Ok(Found { job_id: JobId(row.get(0)?), state: state(row)?, error_kind: row.get(2)? })
        })
        .optional()
}

/// The key of a job that is pending from now on; none when the file has one already.
pub(super) fn insert_or_revive(
    connection: &Connection,
    file: &FileIdentity,
    identity: Option<&DicomIdentity>,
    now: Timestamp,
) -> rusqlite::Result<Option<JobId>> {
    let found = find(connection, file)?;
    if found.as_ref().is_some_and(|found| !found.may_be_revived()) {
        return Ok(None);
    }
    supersede(connection, file)?;
    if let Some(found) = found {
        connection.execute(
            "UPDATE job SET state = 'pending', attempts = 0, interruptions = 0, not_before = NULL, error_kind = NULL,
                 error_message = NULL, finished_at = NULL WHERE job_id = ?1",
            [found.job_id.0],
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
            identity.map(|identity| identity.sop_instance_uid.as_str()),
            identity.map(|identity| identity.study_instance_uid.as_str()),
            time_text(now),
        ],
    )?;
    Ok(Some(JobId(connection.last_insert_rowid())))
}

/// Older versions of a file that were not labelled never can be: their bytes are gone.
pub(super) fn supersede(connection: &Connection, file: &FileIdentity) -> rusqlite::Result<usize> {
    connection.execute(
        "UPDATE job SET state = 'skipped', error_kind = ?4,
             error_message = 'a later version of the file came' || coalesce('; before: ' || error_message, '')
         WHERE path = ?1 AND NOT (size_bytes = ?2 AND modified_unix_ns = ?3) AND state IN ('pending', 'failed')",
        params![path_bytes(&file.path), size_column(file), file.modified_unix_ns, JobFailure::SUPERSEDED],
    )
}

pub(super) fn loop_is_known(connection: &Connection, sop: &SopUid) -> rusqlite::Result<bool> {
    connection
        .query_row("SELECT EXISTS (SELECT 1 FROM loop WHERE sop_instance_uid = ?1)", [sop.as_str()], |row| row.get(0))
}

/// SQLite integers are signed; no file is that long.
pub(super) fn size_column(file: &FileIdentity) -> i64 {
    i64::try_from(file.size_bytes).unwrap_or(i64::MAX)
}

pub(super) fn state(row: &Row<'_>) -> rusqlite::Result<JobState> {
    named(row, "state", JobState::from_name)
}

pub(super) fn file_identity(row: &Row<'_>) -> rusqlite::Result<FileIdentity> {
    Ok(FileIdentity {
        path: path_from(row.get("path")?),
        size_bytes: row.get::<_, i64>("size_bytes")?.unsigned_abs(),
        modified_unix_ns: row.get("modified_unix_ns")?,
    })
}

pub(super) fn dicom_identity(row: &Row<'_>) -> rusqlite::Result<Option<DicomIdentity>> {
    let study = optional(row, "study_instance_uid")?;
    let sop = optional(row, "sop_instance_uid")?;
    Ok(study
        .zip(sop)
        .map(|(study_instance_uid, sop_instance_uid)| DicomIdentity { study_instance_uid, sop_instance_uid }))
}

pub(super) fn job_row(row: &Row<'_>) -> rusqlite::Result<JobRow> {
    Ok(JobRow {
        job_id: JobId(row.get("job_id")?),
        file: file_identity(row)?,
        state: state(row)?,
        attempts: row.get("attempts")?,
        interruptions: row.get("interruptions")?,
        not_before: optional_time(row, "not_before")?,
        error_kind: row.get("error_kind")?,
        error_message: row.get("error_message")?,
        duplicate: row.get("duplicate")?,
        sop_instance_uid: optional(row, "sop_instance_uid")?,
        study_instance_uid: optional(row, "study_instance_uid")?,
        enqueued_at: time(row, "enqueued_at")?,
        finished_at: optional_time(row, "finished_at")?,
    })
}
