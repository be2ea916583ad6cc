//! Keeping a study's activity, and the audit of what the other tables do not show.

use domain::{SopUid, StudyUid};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Result, params};
use serde_json::Value;

use super::row::time_text;

/// Extends a study, or makes it; true when that reopened a closed one.
pub(super) fn touch(connection: &Connection, study: &StudyUid, now: Timestamp) -> Result<bool> {
    let now_text = time_text(now);
    let closed: Option<Option<String>> = connection
        .query_row("SELECT closed_at FROM study WHERE study_instance_uid = ?1", [study.as_str()], |row| row.get(0))
        .optional()?;
    connection.execute(
        "INSERT INTO study (study_instance_uid, first_seen, last_activity) VALUES (?1, ?2, ?2)
         ON CONFLICT (study_instance_uid)
         DO UPDATE SET last_activity = max(last_activity, excluded.last_activity), closed_at = NULL",
        params![study.as_str(), now_text],
    )?;
    let reopened = matches!(closed, Some(Some(_)));
    if reopened {
        audit(connection, now, "study_reopened", Some(study), None, &Value::Null)?;
    }
    Ok(reopened)
}

/// Adds a row to the audit.
pub(super) fn audit(
    connection: &Connection,
    now: Timestamp,
    event: &str,
    study: Option<&StudyUid>,
    sop: Option<&SopUid>,
    details: &Value,
) -> Result<()> {
    connection.execute(
        "INSERT INTO audit (at, event, study_instance_uid, sop_instance_uid, details) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![time_text(now), event, study.map(StudyUid::as_str), sop.map(SopUid::as_str), details.to_string()],
    )?;
    Ok(())
}

/// Returns whether a loop is known as one of a study: another copy of it is no news of the study.
pub(super) fn has_loop(connection: &Connection, study: &StudyUid, sop: &SopUid) -> Result<bool> {
    connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM loop JOIN study USING (study_id)
         WHERE sop_instance_uid = ?1 AND study_instance_uid = ?2)",
        [sop.as_str(), study.as_str()],
        |row| row.get(0),
    )
}
