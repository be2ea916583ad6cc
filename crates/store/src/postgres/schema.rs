//! The numbered migrations and how a database on a server is brought to the newest.

use super::connection::Connection;
use crate::{DatabaseLocation, StoreError};

const STEPS: &[&str] = &[
    concat!(
        include_str!("migrations/001_tables.sql"),
        include_str!("migrations/002_counting_predictions.sql"),
        include_str!("../sql/views.sql")
    ),
    concat!(include_str!("migrations/002_counting_predictions.sql"), include_str!("../sql/views.sql")),
    include_str!("migrations/003_lacking_views.sql"),
];

/// Newest schema version.
const NEWEST: u32 = STEPS.len() as u32;

/// Returns the schema version of the database; 0 for one without a table of ours.
fn version(connection: &mut Connection, database: &DatabaseLocation) -> Result<u32, StoreError> {
    let query = |source: postgres::Error| StoreError::Open { database: database.clone(), source: source.into() };
    let tables = connection
        .client
        .query_one(
            "SELECT to_regclass('echolabel_schema') IS NOT NULL,
                 to_regclass('study') IS NOT NULL OR to_regclass('loop') IS NOT NULL OR to_regclass('job') IS NOT NULL",
            &[],
        )
        .map_err(query)?;
    if !tables.get::<_, bool>(0) {
        return match tables.get::<_, bool>(1) {
            true => Err(StoreError::Foreign { database: database.clone() }),
            false => Ok(0),
        };
    }
    let row = connection.client.query_one("SELECT max(version) FROM echolabel_schema", &[]).map_err(query)?;
    let found = row.try_get::<_, i32>(0).map_err(query)?.unsigned_abs();
    match found > NEWEST {
        true => Err(StoreError::NewerSchema { database: database.clone(), found, newest: NEWEST }),
        false => Ok(found),
    }
}

/// Refuses what [`bring_up_to_date`] refuses, and an older or empty database too.
pub(super) fn check_version(connection: &mut Connection, database: &DatabaseLocation) -> Result<(), StoreError> {
    match version(connection, database)? {
        0 => Err(StoreError::Foreign { database: database.clone() }),
        found if found < NEWEST => Err(StoreError::OlderSchema { database: database.clone(), found, newest: NEWEST }),
        _ => Ok(()),
    }
}

/// Refuses databases of other or newer programs, then applies what is missing; of several programs one does.
pub(super) fn bring_up_to_date(connection: &mut Connection, database: &DatabaseLocation) -> Result<(), StoreError> {
    if version(connection, database)? == NEWEST {
        return Ok(());
    }
    let migrate = |source: postgres::Error| StoreError::Migrate { database: database.clone(), source: source.into() };
    connection
        .client
        .batch_execute("BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('echolabel schema', 0))")
        .map_err(migrate)?;
    let migrated = version(connection, database).and_then(|found| {
        for (step, number) in STEPS.iter().zip(1..).skip(found as usize) {
            let mark = format!(
                "CREATE TABLE IF NOT EXISTS echolabel_schema (version integer PRIMARY KEY);
                 INSERT INTO echolabel_schema VALUES ({number});"
            );
            connection.client.batch_execute(&format!("{step};{mark}")).map_err(migrate)?;
        }
        Ok(())
    });
    let end = if migrated.is_ok() { "COMMIT" } else { "ROLLBACK" };
    let ended = connection.client.batch_execute(end).map_err(migrate);
    migrated.and(ended)
}
