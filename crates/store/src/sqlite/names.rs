//! Finding studies and loops by the short names that people type.

use domain::{SopUid, StudyUid};
use rusqlite::{Connection, Result, params};

use super::row::parsed;
use crate::StudyName;

/// Studies of a name, at most two: the second shows that the name is not of one alone.
pub(super) fn studies(connection: &Connection, name: &StudyName) -> Result<Vec<StudyUid>> {
    let (number, prefix) = match name {
        StudyName::Number(number) => (Some(*number), None),
        StudyName::UidPrefix(prefix) => (None, Some(prefix.as_str())),
    };
    // A whole UID names its study alone, whatever longer ones begin with it.
    connection
        .prepare_cached(
            "SELECT study_instance_uid FROM study
             WHERE study_id = ?1 OR substr(study_instance_uid, 1, length(?2)) = ?2
             ORDER BY study_instance_uid <> ?2 LIMIT iif(EXISTS (
                 SELECT 1 FROM study WHERE study_instance_uid = ?2), 1, 2)",
        )?
        .query_map(params![number, prefix], |row| parsed(row, "study_instance_uid"))?
        .collect()
}

/// Loops whose UID begins with a prefix, at most two.
pub(super) fn loops(connection: &Connection, prefix: &str) -> Result<Vec<SopUid>> {
    connection
        .prepare_cached(
            "SELECT sop_instance_uid FROM loop WHERE substr(sop_instance_uid, 1, length(?1)) = ?1
             ORDER BY sop_instance_uid <> ?1 LIMIT iif(EXISTS (SELECT 1 FROM loop WHERE sop_instance_uid = ?1), 1, 2)",
        )?
        .query_map([prefix], |row| parsed(row, "sop_instance_uid"))?
        .collect()
}

/// The loops of a study in the order of their numbers: the first has number 1.
pub(super) fn numbered_loops(connection: &Connection, study: &StudyUid) -> Result<Vec<SopUid>> {
    connection
        .prepare_cached(
            "SELECT sop_instance_uid FROM loop JOIN study USING (study_id) WHERE study_instance_uid = ?1
             ORDER BY loop_id",
        )?
        .query_map([study.as_str()], |row| parsed(row, "sop_instance_uid"))?
        .collect()
}
