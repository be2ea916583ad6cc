//! A person's answer to two files with one UID and different pixels.

use domain::{JobId, SopUid, StudyUid};
use jiff::Timestamp;
use serde_json::json;

use super::row::optional;
use super::{Result, Session, SessionExt as _, params, study};
use crate::{ConflictChoice, JobFailure};

/// Resolves a conflict; returns false when the job is none.
pub(super) fn resolve(session: &dyn Session, job_id: JobId, choice: ConflictChoice, now: Timestamp) -> Result<bool> {
    let sql = match choice {
        ConflictChoice::KeepFirst => {
            "UPDATE job SET duplicate = TRUE, error_kind = 'conflict_resolved',
                 error_message = 'a person kept the loop of the first file', finished_at = coalesce(finished_at, ?3)
             WHERE job_id = ?1 AND error_kind = ?2 RETURNING study_instance_uid, sop_instance_uid"
        }
        ConflictChoice::UseThis => {
            "UPDATE job SET state = 'pending', replaces_loop = TRUE, attempts = 0, interruptions = 0, not_before = ?3,
                 error_kind = NULL, error_message = NULL, finished_at = NULL
             WHERE job_id = ?1 AND error_kind = ?2 RETURNING study_instance_uid, sop_instance_uid"
        }
    };
    let resolved = session.query_optional(sql, params![job_id.0, JobFailure::CONFLICT, now], |row| {
        Ok((optional::<StudyUid>(row, "study_instance_uid")?, optional::<SopUid>(row, "sop_instance_uid")?))
    })?;
    let Some((study, sop)) = resolved else { return Ok(false) };
    let kept = match choice {
        ConflictChoice::KeepFirst => "first",
        ConflictChoice::UseThis => "this",
    };
    let details = json!({ "job_id": job_id, "kept": kept });
    study::audit(session, now, "conflict_resolved", study.as_ref(), sop.as_ref(), &details)?;
    Ok(true)
}
