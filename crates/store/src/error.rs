//! Errors of the store.

use std::path::PathBuf;

use domain::{JobId, SopUid, StudyUid};

/// An error of the store; the message says what was being done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database file could not be opened or set up.
    #[error("cannot open database {path}")]
    Open {
        /// The database file.
        path: PathBuf,
        /// Error of SQLite.
        source: rusqlite::Error,
    },
    /// The file is an SQLite database of some other program.
    #[error("{path} is not an echolabel database")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A newer program wrote the database.
    #[error(
        "database {path} has schema version {found}, this program knows versions up to {newest}: use a newer echolabel"
    )]
    NewerSchema {
        /// The database file.
        path: PathBuf,
        /// Version in the file.
        found: u32,
        /// Newest version this program knows.
        newest: u32,
    },
    /// The schema could not be brought up to date.
    #[error("cannot bring database {path} up to date")]
    Migrate {
        /// The database file.
        path: PathBuf,
        /// Error of the migration.
        source: rusqlite_migration::Error,
    },
    /// A query failed.
    #[error("cannot {doing}")]
    Query {
        /// Operation that failed.
        doing: &'static str,
        /// Error of SQLite.
        source: rusqlite::Error,
    },
    /// A stored value has no meaning for this program.
    #[error("the database holds a {what} that cannot be read: {value}")]
    Corrupt {
        /// Kind of value that was read.
        what: &'static str,
        /// The value.
        value: String,
    },
    /// Another worker holds the job now; nothing was written.
    #[error("job {job_id} is no longer held by this worker")]
    LeaseLost {
        /// The job.
        job_id: JobId,
    },
    /// No such loop.
    #[error("no loop {0} in the database")]
    UnknownLoop(SopUid),
    /// No such study.
    #[error("no study {0} in the database")]
    UnknownStudy(StudyUid),
    /// An export could not be written.
    #[error("cannot write export {path}")]
    Export {
        /// The file.
        path: PathBuf,
        /// Error of the system.
        source: std::io::Error,
    },
}

impl StoreError {
    /// Returns true when the same call may succeed a little later.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Open { source, .. } | Self::Query { source, .. } => matches!(
                source.sqlite_error_code(),
                Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked)
            ),
            _ => false,
        }
    }
}
