//! Finding studies and loops by the short names that people type.

use domain::{SopUid, StudyUid};

use super::row::parsed;
use super::{Result, Session, SessionExt as _, params};
use crate::StudyName;

/// Studies of a name, at most two: the second shows that the name is not of one alone.
pub(super) fn studies(session: &dyn Session, name: &StudyName) -> Result<Vec<StudyUid>> {
    let (number, prefix) = match name {
        StudyName::Number(number) => (Some(*number), None),
        StudyName::UidPrefix(prefix) => (None, Some(prefix.as_str())),
    };
    // A whole UID names its study alone, whatever longer ones begin with it.
    session.query_all(
        "SELECT study_instance_uid FROM study
             WHERE study_id = ?1 OR substr(study_instance_uid, 1, length(?2)) = ?2
             ORDER BY study_instance_uid <> ?2 LIMIT CASE WHEN EXISTS (
                 SELECT 1 FROM study WHERE study_instance_uid = ?2) THEN 1 ELSE 2 END",
        params![number, prefix],
        |row| parsed(row, "study_instance_uid"),
    )
}

/// Loops whose UID begins with a prefix, at most two.
pub(super) fn loops(session: &dyn Session, prefix: &str) -> Result<Vec<SopUid>> {
    session.query_all(
        "SELECT sop_instance_uid FROM loop WHERE substr(sop_instance_uid, 1, length(?1)) = ?1
             ORDER BY sop_instance_uid <> ?1 LIMIT CASE WHEN EXISTS (
                 SELECT 1 FROM loop WHERE sop_instance_uid = ?1) THEN 1 ELSE 2 END",
        params![prefix],
        |row| parsed(row, "sop_instance_uid"),
    )
}

/// The loops of a study in the order of their numbers: the first has number 1.
pub(super) fn numbered_loops(session: &dyn Session, study: &StudyUid) -> Result<Vec<SopUid>> {
    session.query_all(
        "SELECT sop_instance_uid FROM loop JOIN study USING (study_id) WHERE study_instance_uid = ?1
             ORDER BY loop_id",
        params![study.as_str()],
        |row| parsed(row, "sop_instance_uid"),
    )
}
