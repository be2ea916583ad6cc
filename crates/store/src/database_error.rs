//! Errors of the database itself.

use rusqlite::ErrorCode;

/// An error of a statement or of the connection that it ran on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// SQLite refused.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// A migration of SQLite failed.
    #[error(transparent)]
    Migration(Box<rusqlite_migration::Error>),
    /// PostgreSQL refused, or the way to it is interrupted.
    #[cfg(feature = "postgres")]
    #[error("{}", words(.0))]
    Postgres(postgres::Error),
    /// A stored value has no meaning for this program.
    #[error("column {column} cannot be read: {problem}")]
    Unreadable {
        /// Name of the column.
        column: String,
        /// Problem with its value.
        problem: String,
    },
    /// A query that always has a row had none.
    #[error("the database gave no row")]
    NoRow,
}

impl From<rusqlite_migration::Error> for DatabaseError {
    fn from(error: rusqlite_migration::Error) -> Self {
        Self::Migration(Box::new(error))
    }
}

impl DatabaseError {
    /// Returns true when the same statement may succeed later.
    pub fn is_temporary(&self) -> bool {
        #[cfg(feature = "postgres")]
        if let Self::Postgres(error) = self {
            return crate::postgres::is_temporary(error);
        }
        self.sqlite_code().is_some_and(|code| {
            matches!(
                code,
                ErrorCode::DatabaseBusy
                    | ErrorCode::DatabaseLocked
                    | ErrorCode::DiskFull
                    | ErrorCode::ReadOnly
                    | ErrorCode::SystemIoFailure
                    | ErrorCode::CannotOpen
                    | ErrorCode::FileLockingProtocolFailed
            )
        })
    }

    /// Returns what keeps the database from being used, in words without a path, for logs.
    pub(crate) fn trouble(&self) -> &'static str {
        #[cfg(feature = "postgres")]
        if let Self::Postgres(error) = self {
            return crate::postgres::trouble(error);
        }
        match self.sqlite_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => "another program holds it",
            Some(ErrorCode::DiskFull) => "the disk is full",
            Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) => "its disk does not answer",
            _ => "it refuses",
        }
    }

    /// Returns SQLite's code of the error.
    pub(crate) fn sqlite_code(&self) -> Option<ErrorCode> {
        match self {
            Self::Sqlite(error) => error.sqlite_error_code(),
            Self::Migration(error) => match error.as_ref() {
                rusqlite_migration::Error::RusqliteError { err, .. } => err.sqlite_error_code(),
                _ => None,
            },
            _ => None,
        }
    }

    /// Returns the server's code of the error.
    #[cfg(feature = "postgres")]
    pub(crate) fn sql_state(&self) -> Option<&postgres::error::SqlState> {
        match self {
            Self::Postgres(error) => error.code(),
            _ => None,
        }
    }

    /// Returns true when the server rolled the transaction back because it and another one cannot both be.
    #[cfg(feature = "postgres")]
    pub(crate) fn is_rolled_back_for_another(&self) -> bool {
        self.sql_state().is_some_and(crate::postgres::is_rolled_back_for_another)
    }
}

/// Returns the server's sentence. Its details are left out: they may hold the values of a row.
#[cfg(feature = "postgres")]
fn words(error: &postgres::Error) -> String {
    match error.as_db_error() {
        Some(refusal) => format!("{} ({})", refusal.message(), refusal.code().code()),
        None => std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string),
    }
}
