//! Reading an overview from the view of files.

use jiff::Timestamp;

use super::read::stored_file;
use super::row::{count, named, optional_time};
use super::{Result, Session, SessionExt as _, params};
use crate::{FileState, Overview, PathForm, StateCounts};

/// The files that were done with since a time, and those that are not. Two parts and first of all, so that each is found by
/// its index: in one query SQLite reads every file of the database.
const RECENT_FILES: &str = "WITH recent AS MATERIALIZED (
    SELECT * FROM file_state WHERE finished_at >= ?1
    UNION ALL SELECT * FROM file_state WHERE finished_at IS NULL)";

pub(super) fn read(session: &dyn Session, paths: &PathForm, since: Timestamp) -> Result<Overview> {
    let studies = session
        .query_one("SELECT count(*) FROM study WHERE last_activity >= ?1", params![since], |row| count(row, 0))?;
    let mut states = StateCounts::default();
    let by_state = format!("{RECENT_FILES} SELECT state, count(*) FROM recent GROUP BY state");
    session.query(&by_state, params![since], &mut |row| {
        states.add(named(row, "state", FileState::from_name)?, count(row, 1)?);
        Ok(())
    })?;
    let failures = session.query_all(
        &format!(
            "{RECENT_FILES} SELECT * FROM recent WHERE state IN ('failed', 'incomplete', 'conflict') ORDER BY job_id"
        ),
        params![since],
        |row| stored_file(row, paths),
    )?;
    let waiting_since = session.query_one(
        "SELECT min(enqueued_at) AS since FROM job WHERE state IN ('pending', 'running')",
        &[],
        |row| optional_time(row, "since"),
    )?;
    Ok(Overview { studies, states, failures, waiting_since })
}
