//! The numbered migrations and how a database file is brought to the newest.

use std::path::Path;

use rusqlite::{Connection, ErrorCode};
use rusqlite_migration::{M, Migrations};

use super::is_damage;
use crate::StoreError;

const STEPS: &[M<'static>] = &[
    M::up(include_str!("migrations/001_jobs_loops_predictions.sql")),
    M::up(include_str!("migrations/002_review_and_audit.sql")),
    M::up(include_str!("migrations/003_prediction_key.sql")),
    M::up(include_str!("migrations/004_study_views.sql")),
    M::up(include_str!("migrations/005_file_states.sql")),
    M::up(include_str!("migrations/006_reports_and_outbox.sql")),
    M::up(include_str!("migrations/008_reading.sql")),
    M::up(include_str!("migrations/009_frame_indexes.sql")),
    M::up(include_str!("migrations/010_scanners.sql")),
    M::up(include_str!("../sql/views.sql")),
    M::up(include_str!("migrations/011_counting_predictions.sql")),
    M::up(include_str!("../sql/views.sql")),
    M::up(include_str!("migrations/012_lacking_views.sql")),
];

pub(crate) const MIGRATIONS: Migrations<'static> = Migrations::from_slice(STEPS);

/// Newest schema version, kept in SQLite's `user_version`.
pub(crate) const NEWEST: u32 = STEPS.len() as u32;

/// Marks the file as ours (`PRAGMA application_id`): "echo" in ASCII.
const APPLICATION_ID: u32 = 0x6563_686f;

/// Marks that a database file bears.
struct Marks {
    version: u32,
    is_ours: bool,
}

/// Refuses files of other or newer programs.
fn marks(connection: &Connection, path: &Path) -> Result<Marks, StoreError> {
    let open = |source: rusqlite::Error| match is_damage(&source)
        && source.sqlite_error_code() != Some(ErrorCode::NotADatabase)
    {
        true => StoreError::Damaged { path: path.to_owned(), problem: source.to_string() },
        false => StoreError::Open { database: path.into(), source: source.into() },
    };
    let read = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, u32>(0)).map_err(open);
    let version = read("PRAGMA user_version")?;
    let is_ours = read("PRAGMA application_id")? == APPLICATION_ID;
    if !is_ours && read("SELECT count(*) FROM sqlite_schema")? > 0 {
        return Err(StoreError::Foreign { database: path.into() });
    }
    if version > NEWEST {
        return Err(StoreError::NewerSchema { database: path.into(), found: version, newest: NEWEST });
    }
    Ok(Marks { version, is_ours })
}

/// Refuses what [`bring_up_to_date`] refuses, and an older database too.
pub(crate) fn check_version(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let found = marks(connection, path)?.version;
    match found < NEWEST {
        true => Err(StoreError::OlderSchema { database: path.into(), found, newest: NEWEST }),
        false => Ok(()),
    }
}

/// Refuses files of other or newer programs, then applies what is missing.
pub(crate) fn bring_up_to_date(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let open = |source: rusqlite::Error| StoreError::Open { database: path.into(), source: source.into() };
    if !marks(connection, path)?.is_ours {
        // Only once: it takes the write lock, and readers open the file while the daemon writes.
        connection.pragma_update(None, "application_id", APPLICATION_ID).map_err(open)?;
    }
    MIGRATIONS
        .to_latest(connection)
        .map_err(|source| StoreError::Migrate { database: path.into(), source: source.into() })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::sql::{TABLES, Table};
    use crate::{JobFilter, JobState, LabelStore, Queue, Store};

    fn schema_of(path: &Path) -> Vec<String> {
        let connection = Connection::open(path).unwrap();
        let mut query = connection.prepare("SELECT sql FROM sqlite_schema WHERE sql NOT NULL ORDER BY name").unwrap();
        query.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    }

    fn at_version(path: &Path, version: usize) -> Connection {
        let mut connection = Connection::open(path).unwrap();
        connection.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        MIGRATIONS.to_version(&mut connection, version).unwrap();
        connection
    }

    #[test]
    fn every_older_database_opens_keeps_its_rows_and_equals_the_newest() {
        let folder = tempfile::tempdir().unwrap();
        let fresh = folder.path().join("fresh.sqlite");
        drop(Store::open(&fresh).unwrap());
        for version in 1..=NEWEST as usize {
            let path = folder.path().join(format!("v{version}.sqlite"));
            let connection = at_version(&path, version);
            connection
                .execute("INSERT INTO study (study_id, study_instance_uid, first_seen, last_activity, closed_at) VALUES (1, '1.2.3', '2026-01-01T00:00:00.000000Z', '2026-01-01T00:00:00.000000Z', NULL)", [])
                .unwrap();
            drop(connection);
            let store = Store::open(&path).unwrap();
            assert_eq!(store.studies().unwrap().len(), 1);
            drop(store);
            assert_eq!(schema_of(&path), schema_of(&fresh), "from version {version}");
        }
    }

    #[test]
    fn a_copy_of_a_database_knows_every_table_and_column() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fresh.sqlite");
        drop(Store::open(&path).unwrap());
        let connection = Connection::open(&path).unwrap();
        let mut query = connection
            .prepare(
                "SELECT list.name || '.' || info.name FROM sqlite_schema AS list, pragma_table_xinfo(list.name) AS info
                 WHERE list.type = 'table' AND list.name NOT LIKE 'sqlite_%' AND info.hidden = 0",
            )
            .unwrap();
        let there: BTreeSet<String> = query.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
        let columns = |table: &Table| table.columns.iter().map(|column| format!("{}.{column}", table.name)).collect();
        let copied: BTreeSet<String> = TABLES.iter().flat_map::<Vec<_>, _>(columns).collect();
        assert_eq!(copied, there);
    }

    #[test]
    fn a_database_of_the_version_before_keeps_predictions_and_jobs_and_takes_new_ones() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("v2.sqlite");
        let dump = include_str!("../../fixtures/version_2.sql");
        Connection::open(&path).unwrap().execute_batch(dump).unwrap();

        let store = Store::open(&path).unwrap();
        let study = store.studies().unwrap().remove(0).study_instance_uid;
        let predictions = store.predictions(&study).unwrap();
        assert_eq!((store.loops(&study).unwrap().len(), predictions.len()), (7, 7));
        for stored in &predictions {
            let said = &stored.prediction;
            assert_eq!(said.model.pipeline, "tte11-tiny");
            assert_eq!((said.model.pipeline_sha256, said.model.precision, said.energy), (None, None, None));
            assert!(said.prediction_set.is_empty() && said.findings.is_empty());
            assert_eq!(said.probabilities.len(), 11);
            assert!(said.timings.total > 0.0 && said.clips > 0);
        }
        let jobs = store.jobs(&JobFilter::default()).unwrap();
        assert_eq!(jobs.iter().filter(|job| job.state == JobState::Done).count(), 8);
        assert_eq!(store.reviews(&study).unwrap()[0].view.as_deref(), Some("A4C"));

        // The first key says less than the second, so the model is asked once more, and then no more.
        let mut model = predictions[0].prediction.model.clone();
        let content = store.loops(&study).unwrap()[0].content_sha256;
        assert!(store.known_content(content, &model).unwrap().is_some());
        model.pipeline_sha256 = Some(content);
        model.precision = Some(domain::Precision::F32);
        assert_eq!(store.known_content(content, &model).unwrap(), None);
    }

    #[test]
    fn a_newer_database_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("newer.sqlite");
        at_version(&path, NEWEST as usize).pragma_update(None, "user_version", NEWEST + 1).unwrap();
        let error = Store::open(&path).unwrap_err();
        assert!(matches!(error, StoreError::NewerSchema { found, .. } if found == NEWEST + 1), "{error}");
        let version: u32 =
            Connection::open(&path).unwrap().query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
        assert_eq!(version, NEWEST + 1);
    }

    #[test]
    fn another_programs_database_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("other.sqlite");
        Connection::open(&path).unwrap().execute("CREATE TABLE mail (id INTEGER)", []).unwrap();
        assert!(matches!(Store::open(&path), Err(StoreError::Foreign { .. })));
    }
}
