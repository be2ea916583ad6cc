//! Keeping a study's activity, and the audit of what the other tables do not show.

use domain::{SopUid, StudyUid};
use jiff::Timestamp;
use serde_json::Value;

use super::{Result, Session, SessionExt as _, params};

/// Extends a study, or makes it; true when that reopened a closed one.
pub(super) fn touch(session: &dyn Session, study: &StudyUid, now: Timestamp) -> Result<bool> {
    let closed: Option<Option<Timestamp>> = session.query_optional(
        "SELECT closed_at FROM study WHERE study_instance_uid = ?1",
        params![study.as_str()],
        |row| row.get(0),
    )?;
    // A study that is there is not inserted again: a server would use up a number of people's short names each time.
    let sql = match closed {
        Some(_) => {
            "UPDATE study SET closed_at = NULL,
                 last_activity = CASE WHEN last_activity > ?2 THEN last_activity ELSE ?2 END
             WHERE study_instance_uid = ?1"
        }
        None => {
            "INSERT INTO study (study_instance_uid, first_seen, last_activity) VALUES (?1, ?2, ?2)
             ON CONFLICT (study_instance_uid) DO UPDATE SET last_activity = excluded.last_activity, closed_at = NULL"
        }
    };
    session.execute(sql, params![study.as_str(), now])?;
    let reopened = matches!(closed, Some(Some(_)));
    if reopened {
        audit(session, now, "study_reopened", Some(study), None, &Value::Null)?;
    }
    Ok(reopened)
}

/// Adds a row to the audit.
pub(super) fn audit(
    session: &dyn Session,
    now: Timestamp,
    event: &str,
    study: Option<&StudyUid>,
    sop: Option<&SopUid>,
    details: &Value,
) -> Result<()> {
    session.execute(
        "INSERT INTO audit (at, event, study_instance_uid, sop_instance_uid, details) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![now, event, study.map(StudyUid::as_str), sop.map(SopUid::as_str), details.to_string()],
    )?;
    Ok(())
}

/// Returns whether a loop is known as one of a study: another copy of it is no news of the study.
pub(super) fn has_loop(session: &dyn Session, study: &StudyUid, sop: &SopUid) -> Result<bool> {
    session.query_one(
        "SELECT EXISTS (SELECT 1 FROM loop JOIN study USING (study_id)
         WHERE sop_instance_uid = ?1 AND study_instance_uid = ?2)",
        params![sop.as_str(), study.as_str()],
        |row| row.get(0),
    )
}
