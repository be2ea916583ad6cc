//! The job table: finding, making and ending its rows.

use domain::{JobId, LoopId, Sha256, SopUid};
use jiff::Timestamp;

use super::row::{named, optional, optional_time, time};
use super::{Result, Row, Session, SessionExt as _, WriteError, params};
use crate::path_form::{path_bytes, path_from};
use crate::{DicomIdentity, FileIdentity, FileKnowledge, Job, JobFailure, JobRow, JobState, StoreError};

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
pub(super) fn end_job(session: &dyn Session, job: &Job, end: &JobEnd<'_>, now: Timestamp) -> Result<(), WriteError> {
    let held = session.execute(
        "UPDATE job SET state = ?4, not_before = ?5, error_kind = ?6, error_message = ?7,
             content_sha256 = coalesce(?8, content_sha256), duplicate = ?9, loop_id = coalesce(?10, loop_id),
             sop_instance_uid = coalesce(?11, sop_instance_uid),
             study_instance_uid = coalesce(?12, study_instance_uid),
             finished_at = ?13, worker = NULL, lease_until = NULL,
             replaces_loop = replaces_loop AND ?4 = 'pending'
         WHERE job_id = ?1 AND worker = ?2 AND attempts = ?3 AND state = 'running'",
        params![
            job.job_id.0,
            job.worker,
            job.attempts,
            end.state.as_str(),
            end.not_before,
            end.kind,
            end.message,
            end.content_sha256.map(|digest| digest.to_string()),
            end.duplicate,
            end.loop_id.map(|id| id.0),
            end.identity.map(|identity| identity.sop_instance_uid.as_str()),
            end.identity.map(|identity| identity.study_instance_uid.as_str()),
            (end.state != JobState::Pending).then_some(now),
        ],
    )?;
    if held == 1 { Ok(()) } else { Err(StoreError::LeaseLost { job_id: job.job_id }.into()) }
}

/// Returns what is known of this version of a file.
pub(super) fn knowledge(session: &dyn Session, file: &FileIdentity) -> Result<FileKnowledge> {
    let newest = session.query_optional(
        "SELECT state, error_kind, finished_at, sample_sha256, inode IS NOT DISTINCT FROM ?4
                 AND changed_unix_ns IS NOT DISTINCT FROM ?5 AS as_before
             FROM job WHERE path = ?1 AND size_bytes = ?2 AND modified_unix_ns = ?3 ORDER BY job_id DESC LIMIT 1",
        params![
            path_bytes(&file.path),
            signed(file.size_bytes),
            file.modified_unix_ns,
            signed(file.inode),
            file.changed_unix_ns
        ],
        |row| {
            let is_settled = !may_be_taken_again(row)?;
            let as_before: bool = row.get("as_before")?;
            Ok(match optional::<Sha256>(row, "sample_sha256")? {
                _ if !is_settled => FileKnowledge::Unknown,
                Some(sample) if !as_before => FileKnowledge::KnownBySample(sample),
                // Without a sample an older program took it, which told versions by size and time alone.
                _ => FileKnowledge::Known,
            })
        },
    )?;
    Ok(newest.unwrap_or(FileKnowledge::Unknown))
}

/// Returns whether a file with this job row is looked at again: it was gone or another version stood in its place, and
/// now it is back; or the rest of it may have come.
fn may_be_taken_again(row: &Row<'_>) -> Result<bool> {
    let kind: Option<String> = row.get("error_kind")?;
    Ok(match state(row)? {
        JobState::Failed if kind.as_deref() == Some(JobFailure::INCOMPLETE) => {
            row.get::<Option<Timestamp>>("finished_at")?.is_none()
        }
        JobState::Failed => kind.as_deref() == Some(JobFailure::FILE_VANISHED),
        JobState::Skipped => kind.as_deref() == Some(JobFailure::SUPERSEDED),
        JobState::Pending | JobState::Running | JobState::Done => false,
    })
}

/// The job of one version of a file, and whether it may be taken again.
fn find(session: &dyn Session, file: &FileIdentity, sample: Sha256) -> Result<Option<(JobId, bool)>> {
    session.query_optional(
        "SELECT * FROM job WHERE path = ?1 AND size_bytes = ?2 AND modified_unix_ns = ?3
                 AND (sample_sha256 IS NULL OR sample_sha256 = ?4) ORDER BY job_id DESC LIMIT 1",
        params![path_bytes(&file.path), signed(file.size_bytes), file.modified_unix_ns, sample.to_string()],
        |row| Ok((JobId(row.get("job_id")?), may_be_taken_again(row)?)),
    )
}

/// Returns the key of the job of a version of a file, whatever its state.
pub(super) fn job_of(session: &dyn Session, file: &FileIdentity, sample: Sha256) -> Result<Option<JobId>> {
    Ok(find(session, file, sample)?.map(|(job_id, _)| job_id))
}

/// Returns the key of a job that is pending from now on; `None` when the file has one already.
pub(super) fn insert_or_revive(
    session: &dyn Session,
    file: &FileIdentity,
    sample: Sha256,
    identity: Option<&DicomIdentity>,
    now: Timestamp,
) -> Result<Option<JobId>> {
    let found = find(session, file, sample)?;
    if matches!(found, Some((_, false))) {
        return Ok(None);
    }
    supersede(session, file, sample)?;
    let (sop, study) = identity_columns(identity);
    if let Some((job_id, _)) = found {
        session.execute(
            "UPDATE job SET state = 'pending', attempts = 0, interruptions = 0, not_before = NULL, error_kind = NULL,
                 error_message = NULL, finished_at = NULL, duplicate = FALSE, inode = ?2, changed_unix_ns = ?3,
                 sample_sha256 = ?4, sop_instance_uid = coalesce(?5, sop_instance_uid),
                 study_instance_uid = coalesce(?6, study_instance_uid)
             WHERE job_id = ?1",
            params![job_id.0, signed(file.inode), file.changed_unix_ns, sample.to_string(), sop, study],
        )?;
        return Ok(Some(job_id));
    }
    let row = NewRow { state: JobState::Pending, kind: None, message: None, is_finished: false };
    insert(session, file, sample, identity, &row, now).map(Some)
}

/// A row without a job before it.
pub(super) struct NewRow<'a> {
    pub state: JobState,
    pub kind: Option<&'a str>,
    pub message: Option<&'a str>,
    pub is_finished: bool,
}

pub(super) fn insert(
    session: &dyn Session,
    file: &FileIdentity,
    sample: Sha256,
    identity: Option<&DicomIdentity>,
    row: &NewRow<'_>,
    now: Timestamp,
) -> Result<JobId> {
    let (sop, study) = identity_columns(identity);
    session.query_one(
        "INSERT INTO job (path, size_bytes, modified_unix_ns, inode, changed_unix_ns, sample_sha256, state, error_kind,
             error_message, sop_instance_uid, study_instance_uid, enqueued_at, finished_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) RETURNING job_id",
        params![
            path_bytes(&file.path),
            signed(file.size_bytes),
            file.modified_unix_ns,
            signed(file.inode),
            file.changed_unix_ns,
            sample.to_string(),
            row.state.as_str(),
            row.kind,
            row.message,
            sop,
            study,
            now,
            row.is_finished.then_some(now),
        ],
        |row| row.get("job_id").map(JobId),
    )
}

/// Remembers an incomplete file; returns since when this version of it is known.
pub(super) fn put_incomplete(
    session: &dyn Session,
    file: &FileIdentity,
    sample: Sha256,
    (identity, given_up): (Option<&DicomIdentity>, bool),
    reason: &str,
    now: Timestamp,
) -> Result<Timestamp> {
    // An upload that goes on is one row, not one for each size that it had.
    let arriving = session.query_optional(
        "SELECT job_id, enqueued_at,
                 size_bytes = ?2 AND modified_unix_ns = ?3 AND sample_sha256 IS NOT DISTINCT FROM ?4 AS as_before
             FROM job WHERE path = ?1 AND file_state = 'incomplete' AND finished_at IS NULL",
        params![path_bytes(&file.path), signed(file.size_bytes), file.modified_unix_ns, sample.to_string()],
        |row| Ok((JobId(row.get("job_id")?), time(row, "enqueued_at")?, row.get("as_before")?)),
    )?;
    let finished_at = given_up.then_some(now);
    let Some((job_id, since, as_before)) = arriving else {
        supersede(session, file, sample)?;
        if let Some((job_id, _)) = find(session, file, sample)? {
            session.execute("UPDATE job SET state = 'failed', error_kind = ?2, error_message = ?3, enqueued_at = ?4, finished_at = ?5
                 WHERE job_id = ?1 AND state = 'skipped'", params![job_id.0, JobFailure::INCOMPLETE, reason, now, finished_at])?;
            return Ok(now);
        }
        let kind = Some(JobFailure::INCOMPLETE);
        let row = NewRow { state: JobState::Failed, kind, message: Some(reason), is_finished: given_up };
        insert(session, file, sample, identity, &row, now)?;
        return Ok(now);
    };
    let since = if as_before { since } else { now };
    let (sop, study) = identity_columns(identity);
    session.execute(
        "UPDATE job SET size_bytes = ?2, modified_unix_ns = ?3, inode = ?4, changed_unix_ns = ?5, sample_sha256 = ?6,
             error_message = ?7, enqueued_at = ?8, finished_at = ?9, sop_instance_uid = ?10, study_instance_uid = ?11
         WHERE job_id = ?1",
        params![
            job_id.0,
            signed(file.size_bytes),
            file.modified_unix_ns,
            signed(file.inode),
            file.changed_unix_ns,
            sample.to_string(),
            reason,
            since,
            finished_at,
            sop,
            study,
        ],
    )?;
    Ok(since)
}

fn identity_columns(identity: Option<&DicomIdentity>) -> (Option<&str>, Option<&str>) {
    identity.map(|identity| (identity.sop_instance_uid.as_str(), identity.study_instance_uid.as_str())).unzip()
}

/// Ends the jobs of older versions of a file, except those of loops: their bytes are gone, their labels are not.
pub(super) fn supersede(session: &dyn Session, file: &FileIdentity, sample: Sha256) -> Result<usize> {
    session.execute(
        "UPDATE job SET state = 'skipped', error_kind = ?5,
             error_message = 'a later version of the file came' || coalesce('; before: ' || error_message, '')
         WHERE path = ?1 AND NOT (size_bytes = ?2 AND modified_unix_ns = ?3 AND sample_sha256 IS NOT DISTINCT FROM ?4)
             AND state <> 'running' AND file_state NOT IN ('loop', 'superseded')",
        params![
            path_bytes(&file.path),
            signed(file.size_bytes),
            file.modified_unix_ns,
            sample.to_string(),
            JobFailure::SUPERSEDED
        ],
    )
}

/// Takes the files of an object that failed before it came whole off the list of failures.
///
/// Only older ones: a damaged file that comes after the good one is a failure that a person should know of.
pub(super) fn replace_failed(session: &dyn Session, job: &Job, sop: &SopUid, loop_id: Option<LoopId>) -> Result<()> {
    session.execute(
        "UPDATE job SET state = 'skipped', duplicate = TRUE, loop_id = ?3,
             error_kind = CASE WHEN error_kind = ?4 THEN ?5 ELSE ?6 END,
             error_message = 'the object came again, whole' || coalesce('; before: ' || error_message, '')
         WHERE sop_instance_uid = ?1 AND job_id < ?2 AND file_state IN ('failed', 'incomplete')",
        params![
            sop.as_str(),
            job.job_id.0,
            loop_id.map(|id| id.0),
            JobFailure::FILE_VANISHED,
            JobFailure::SUPERSEDED,
            JobFailure::REPLACED
        ],
    )?;
    Ok(())
}

/// SQLite integers are signed; no file is that long.
pub(super) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub(super) fn state(row: &Row<'_>) -> Result<JobState> {
    named(row, "state", JobState::from_name)
}

pub(super) fn file_identity(row: &Row<'_>) -> Result<FileIdentity> {
    Ok(FileIdentity {
        path: path_from(row.get("path")?),
        size_bytes: row.get::<i64>("size_bytes")?.unsigned_abs(),
        modified_unix_ns: row.get("modified_unix_ns")?,
        // Absent in rows of an older program: no stat of a file equals it then.
        inode: row.get::<Option<i64>>("inode")?.unwrap_or_default().unsigned_abs(),
        changed_unix_ns: row.get::<Option<i64>>("changed_unix_ns")?.unwrap_or_default(),
    })
}

pub(super) fn dicom_identity(row: &Row<'_>) -> Result<Option<DicomIdentity>> {
    let study = optional(row, "study_instance_uid")?;
    let sop = optional(row, "sop_instance_uid")?;
    Ok(study
        .zip(sop)
        .map(|(study_instance_uid, sop_instance_uid)| DicomIdentity { study_instance_uid, sop_instance_uid }))
}

pub(super) fn job_row(row: &Row<'_>) -> Result<JobRow> {
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
        loop_id: row.get::<Option<i64>>("loop_id")?.map(LoopId),
        sop_instance_uid: optional(row, "sop_instance_uid")?,
        study_instance_uid: optional(row, "study_instance_uid")?,
        enqueued_at: time(row, "enqueued_at")?,
        finished_at: optional_time(row, "finished_at")?,
    })
}
