//! Checking a database on a server.

use crate::StoreError;
use crate::engine::{Engine, Scope};
use crate::sql::{SessionExt as _, TABLES, Table, WriteError};

/// Returns the faults that reading every row finds, and indexes that the server calls invalid.
pub(super) fn check(engine: &dyn Engine) -> Result<Vec<String>, StoreError> {
    let mut faults = Vec::new();
    for Table { name, .. } in &TABLES {
        // Every column is made text, so that what lies beside the rows is read too.
        let sql = format!("SELECT count(*), coalesce(max(length({name}::text)), 0) FROM {name}");
        match read(engine, &sql) {
            Err(StoreError::Query { source, .. }) if !source.is_temporary() => faults.push(format!("{name}: {source}")),
            Err(error) => return Err(error),
            Ok(_) => {}
        }
    }
    faults.extend(read(
        engine,
        "SELECT 'index ' || indexrelid::regclass || ' is not valid' FROM pg_index
         WHERE NOT indisvalid AND indrelid IN ('study'::regclass, 'loop'::regclass, 'job'::regclass, 'prediction'::regclass)",
    )?);
    faults.extend(read(
        engine,
        "SELECT checksum_failures || ' pages had a wrong checksum, the last one at ' || checksum_last_failure
         FROM pg_stat_database WHERE datname = current_database() AND checksum_failures > 0",
    )?);
    Ok(faults)
}

/// Returns the first column where it is text.
fn read(engine: &dyn Engine, sql: &str) -> Result<Vec<String>, StoreError> {
    let mut lines = Vec::new();
    engine.run("check the database", Scope::Read, &mut |session| {
        lines = session.query_all(sql, &[], |row| Ok(row.get::<String>(0).ok()))?.into_iter().flatten().collect();
        Ok::<_, WriteError>(())
    })?;
    Ok(lines)
}
