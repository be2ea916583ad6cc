//! Header facts of a loop that is in the store, when another header of it comes.

use domain::{JobId, LoopId, Sha256, StudyUid};
use jiff::Timestamp;
use serde_json::json;

use super::{Result, Session, params, study};
use crate::LoopFacts;

/// Records that the facts of a loop stand in the file of a job too.
pub(super) fn read_from(session: &dyn Session, loop_id: LoopId, job_id: JobId) -> Result<()> {
    session.execute("UPDATE loop SET facts_job_id = ?2 WHERE loop_id = ?1", params![loop_id.0, job_id.0])?;
    Ok(())
}

/// Takes the facts of a later header of the same pixels; what changes is in the audit.
pub(super) fn update(
    session: &dyn Session,
    loop_id: LoopId,
    job_id: JobId,
    before: &StudyUid,
    facts: &LoopFacts,
    content_sha256: Sha256,
    now: Timestamp,
) -> Result<()> {
    let changed = session.execute(
        "UPDATE loop SET
             study_id = (SELECT study_id FROM study WHERE study_instance_uid = ?2), series_instance_uid = ?3,
             manufacturer = ?4, acquired = ?5, content_sha256 = ?6, pixel_sha256 = ?7, not_tte = ?8,
             scanner_model = ?9
         WHERE loop_id = ?1 AND content_sha256 <> ?6",
        params![
            loop_id.0,
            facts.study_instance_uid.as_str(),
            facts.series_instance_uid.as_str(),
            facts.manufacturer,
            facts.acquired,
            content_sha256.to_string(),
            pixel_column(facts),
            facts.not_tte,
            facts.scanner_model,
        ],
    )?;
    if changed == 1 {
        let moved = *before != facts.study_instance_uid;
        let details = json!({ "job_id": job_id, "from_study": before, "to_study": facts.study_instance_uid });
        let event = if moved { "loop_moved" } else { "header_changed" };
        let (study, sop) = (&facts.study_instance_uid, &facts.sop_instance_uid);
        study::audit(session, now, event, Some(study), Some(sop), &details)?;
    }
    read_from(session, loop_id, job_id)
}

/// Puts other pixels in the place of those that a loop has, as a person decided; what was said about those stays, and
/// counts no more.
pub(super) fn replace(
    session: &dyn Session,
    loop_id: LoopId,
    job_id: JobId,
    facts: &LoopFacts,
    content_sha256: Sha256,
    skip_reason: Option<&str>,
    now: Timestamp,
) -> Result<()> {
    session.execute(
        "UPDATE loop SET
             study_id = (SELECT study_id FROM study WHERE study_instance_uid = ?2), series_instance_uid = ?3,
             manufacturer = ?4, acquired = ?5, content_sha256 = ?6, pixel_sha256 = ?7, not_tte = ?8,
             transfer_syntax = ?9, mode = ?10, rows = ?11, columns = ?12, frames = ?13, frame_time_ms = ?14,
             skip_reason = ?15, facts_job_id = ?16,
             scanner_model = ?17
         WHERE loop_id = ?1",
        params![
            loop_id.0,
            facts.study_instance_uid.as_str(),
            facts.series_instance_uid.as_str(),
            facts.manufacturer,
            facts.acquired,
            content_sha256.to_string(),
            pixel_column(facts),
            facts.not_tte,
            facts.transfer_syntax,
            facts.mode.as_str(),
            facts.rows,
            facts.columns,
            facts.frames,
            facts.frame_time_ms,
            skip_reason,
            job_id.0,
            facts.scanner_model,
        ],
    )?;
    let details = json!({ "job_id": job_id, "content_sha256": content_sha256 });
    let (study, sop) = (&facts.study_instance_uid, &facts.sop_instance_uid);
    study::audit(session, now, "loop_replaced", Some(study), Some(sop), &details)
}

/// Returns the column of the digest of the pixels, which is empty where there is none.
pub(super) fn pixel_column(facts: &LoopFacts) -> String {
    facts.pixel_sha256.map(|digest| digest.to_string()).unwrap_or_default()
}
