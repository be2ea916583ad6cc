//! Reading an overview from the view of files.

use jiff::Timestamp;
use rusqlite::{Connection, Result};

use super::read::stored_file;
use super::row::{count, named, optional_time, time_text};
use crate::{FileState, Overview, PathForm, StateCounts};

/// The files that were done with since a time, and those that are not. Two parts and first of all, so that each is found by
/// its index: in one query SQLite reads every file of the database.
const RECENT_FILES: &str = "WITH recent AS MATERIALIZED (
    SELECT * FROM file_state WHERE finished_at >= ?1
    UNION ALL SELECT * FROM file_state WHERE finished_at IS NULL)";

pub(super) fn read(connection: &Connection, paths: &PathForm, since: Timestamp) -> Result<Overview> {
    let since = time_text(since);
    let studies = connection
        .prepare_cached("SELECT count(*) FROM study WHERE last_activity >= ?1")?
        .query_row([&since], |row| count(row, 0))?;
    let mut states = StateCounts::default();
    let mut query =
        connection.prepare_cached(&format!("{RECENT_FILES} SELECT state, count(*) FROM recent GROUP BY state"))?;
    let mut rows = query.query([&since])?;
    while let Some(row) = rows.next()? {
        states.add(named(row, "state", FileState::from_name)?, count(row, 1)?);
    }
    let failures = connection
        .prepare_cached(&format!(
            "{RECENT_FILES} SELECT * FROM recent WHERE state IN ('failed', 'incomplete', 'conflict') ORDER BY job_id"
        ))?
        .query_map([&since], |row| stored_file(row, paths))?
        .collect::<Result<_>>()?;
    let waiting_since = connection
        .prepare_cached("SELECT min(enqueued_at) AS since FROM job WHERE state IN ('pending', 'running')")?
        .query_row([], |row| optional_time(row, "since"))?;
    Ok(Overview { studies, states, failures, waiting_since })
}
