//! Taking jobs.

use domain::{JobId, StudyUid};
use jiff::Timestamp;

use super::job_table::{dicom_identity, file_identity};
use super::{Result, Row, Session, SessionExt as _, Value, params};
use crate::Job;

/// Jobs of one study that are taken beside those that were asked for; a study has a hundred at most.
const MAX_REST: u32 = 500;

/// Takes the next jobs. Those during which the program died go last: if one of them kills it again, the others are done by
/// then.
pub(super) fn next(
    session: &dyn Session,
    worker: &str,
    lease_until: Timestamp,
    wanted: u32,
    now: Timestamp,
) -> Result<Vec<Job>> {
    take(session, "TRUE", params![worker, lease_until, now, wanted])
}

/// Takes the other jobs of a study that wait for a first try.
pub(super) fn rest_of_study(
    session: &dyn Session,
    worker: &str,
    lease_until: Timestamp,
    study: &StudyUid,
    now: Timestamp,
) -> Result<Vec<Job>> {
    let of_study = "study_instance_uid = ?5 AND interruptions = 0";
    take(session, of_study, params![worker, lease_until, now, MAX_REST, study.as_str()])
}

/// Takes one job, if it waits.
pub(super) fn of_key(
    session: &dyn Session,
    worker: &str,
    lease_until: Timestamp,
    job_id: JobId,
    now: Timestamp,
) -> Result<Option<Job>> {
    Ok(take(session, "job_id = ?5", params![worker, lease_until, now, 1_u32, job_id.0])?.pop())
}

fn take(session: &dyn Session, condition: &str, parameters: &[Value]) -> Result<Vec<Job>> {
    let row_lock = session.row_lock();
    // A list that is made once: within the condition a database may look for claimable jobs again for each row.
    let sql = format!(
        "WITH next AS MATERIALIZED (
             SELECT job_id FROM job
             WHERE state = 'pending' AND (not_before IS NULL OR not_before <= ?3) AND {condition}
             ORDER BY interruptions, job_id LIMIT ?4 {row_lock})
         UPDATE job SET state = 'running', attempts = attempts + 1, worker = ?1, lease_until = ?2
         WHERE job_id IN (SELECT job_id FROM next)
         RETURNING *"
    );
    let mut jobs = session.query_all(&sql, parameters, claimed)?;
    // Rows come back in any order.
    jobs.sort_by_key(|job| (job.interruptions, job.job_id));
    Ok(jobs)
}

fn claimed(row: &Row<'_>) -> Result<Job> {
    Ok(Job {
        job_id: JobId(row.get("job_id")?),
        file: file_identity(row)?,
        attempts: row.get("attempts")?,
        interruptions: row.get("interruptions")?,
        worker: row.get("worker")?,
        identity: dicom_identity(row)?,
        replaces_loop: row.get("replaces_loop")?,
    })
}
