//! Errors of the store.

use std::path::PathBuf;

use domain::{JobId, SopUid, StudyUid};

use crate::{DatabaseError, DatabaseLocation};

/// An error of the store; the message says what was being done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database file could not be opened or set up.
    #[error("cannot open database {database}")]
    Open {
        /// The database.
        database: DatabaseLocation,
        /// Error of the database.
        source: DatabaseError,
    },
    /// The file could not be made, locked or looked at.
    #[error("cannot use database file {path}")]
    File {
        /// The database file.
        path: PathBuf,
        /// Error of the system.
        source: std::io::Error,
    },
    /// Another daemon works on the database, by this name or another.
    #[error("another echolabel works on database {database}")]
    InUse {
        /// The database.
        database: DatabaseLocation,
    },
    /// The database file was deleted or moved away while it was open.
    #[error("database {path} is no longer there; put it back, or start again for a new one")]
    Vanished {
        /// The database file.
        path: PathBuf,
    },
    /// Another file has the database's name now.
    #[error("database {path} was replaced by another file")]
    Replaced {
        /// The database file.
        path: PathBuf,
    },
    /// The disk, the file's permissions or the file system allow no writing.
    #[error("database {database} can only be read")]
    ReadOnly {
        /// The database.
        database: DatabaseLocation,
    },
    /// A reader that does not end keeps the write-ahead log from being emptied, and it has reached its limit.
    #[error("another program has been reading database {path} for so long that its log has {log_megabytes} MB")]
    LogFull {
        /// The database file.
        path: PathBuf,
        /// Size of the log.
        log_megabytes: u64,
    },
    /// The target of a copy holds something already.
    #[error("{database} is not empty: a copy goes into a new database")]
    NotEmpty {
        /// The database.
        database: DatabaseLocation,
    },
    /// A copy that was read back is not what was copied.
    #[error("the copy of table {table} is not equal to it: do not use the copy")]
    CopyDiffers {
        /// The first table that differs.
        table: &'static str,
    },
    /// A server's database is not copied into a file by this program.
    #[error(
        "{database} is copied by the server's own programs: `pg_dump --format=custom --file=FILE ADDRESS` beside running workers, \
         `pg_restore --dbname=ADDRESS FILE` to bring it back"
    )]
    BackedUpByServer {
        /// The database.
        database: DatabaseLocation,
    },
    /// The file's content is no sound database any more.
    #[error(
        "database {path} is damaged ({problem}): `echolabel db check` lists the faults; go on with a backup of `echolabel db \
         backup`, or move the file away, and what is still in the folders is labelled again"
    )]
    Damaged {
        /// The database file.
        path: PathBuf,
        /// First fault that was found.
        problem: String,
    },
    /// Paths are kept encrypted, by a key that was not given.
    #[error(
        "the paths in database {database} are encrypted by another key than that of the configuration (privacy.path_key), or it \
         names none"
    )]
    PathKey {
        /// The database.
        database: DatabaseLocation,
    },
    /// The database is of some other program.
    #[error("{database} is not an echolabel database")]
    Foreign {
        /// The database.
        database: DatabaseLocation,
    },
    /// A newer program wrote the database.
    #[error(
        "database {database} has schema version {found}, this program knows versions up to {newest}: use a newer echolabel"
    )]
    NewerSchema {
        /// The database.
        database: DatabaseLocation,
        /// Version in the file.
        found: u32,
        /// Newest version this program knows.
        newest: u32,
    },
    /// An older program wrote the database, and it was opened for reading only.
    #[error("database {database} has schema version {found}; `echolabel watch` brings it to version {newest}")]
    OlderSchema {
        /// The database.
        database: DatabaseLocation,
        /// Version in the file.
        found: u32,
        /// Newest version this program knows.
        newest: u32,
    },
    /// The schema could not be brought up to date.
    #[error("cannot bring database {database} up to date")]
    Migrate {
        /// The database.
        database: DatabaseLocation,
        /// Error of the migration.
        source: DatabaseError,
    },
    /// A query failed.
    #[error("cannot {doing}")]
    Query {
        /// Operation that failed.
        doing: &'static str,
        /// Error of the database.
        source: DatabaseError,
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
    /// Returns true when the same call may succeed later: somebody else holds the database, the disk is full, the file was
    /// moved away.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::InUse { .. }
            | Self::Vanished { .. }
            | Self::Replaced { .. }
            | Self::ReadOnly { .. }
            | Self::LogFull { .. } => true,
            Self::Open { source, .. } | Self::Query { source, .. } | Self::Migrate { source, .. } => {
                source.is_temporary()
            }
            Self::File { source, .. } | Self::Export { source, .. } => files::is_temporary(source),
            _ => false,
        }
    }

    /// Returns what keeps the database from being used, in words without a path, for logs.
    pub fn trouble(&self) -> &'static str {
        match self {
            Self::InUse { .. } => "another echolabel works on it",
            Self::Vanished { .. } => "its file was deleted or moved away",
            Self::Replaced { .. } => "its file was replaced by another",
            Self::ReadOnly { .. } => "it can only be read",
            Self::LogFull { .. } => "another program has been reading it for too long",
            Self::Damaged { .. } => "it is damaged",
            Self::PathKey { .. } => "its paths are encrypted by another key",
            Self::File { source, .. } if files::is_temporary(source) => "its disk does not answer",
            Self::Open { source, .. } | Self::Query { source, .. } => source.trouble(),
            _ => "it refuses",
        }
    }
}
