//! Names of databases.

use std::fmt;
use std::path::{Path, PathBuf};

#[cfg(feature = "postgres")]
use crate::postgres::PostgresAddress;

/// The database of a lab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseLocation {
    /// A file of SQLite.
    File(PathBuf),
    /// A database on a PostgreSQL server.
    #[cfg(feature = "postgres")]
    Postgres(PostgresAddress),
}

impl DatabaseLocation {
    /// Returns the database with a file's path read from a folder on; an absolute path stays.
    #[must_use]
    pub fn within(self, folder: &Path) -> Self {
        match self {
            Self::File(path) => Self::File(folder.join(path)),
            #[cfg(feature = "postgres")]
            server @ Self::Postgres(_) => server,
        }
    }

    /// Returns the file, where the database is one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => None,
        }
    }
}

/// The text names no database.
#[derive(Debug, Clone, thiserror::Error)]
pub enum InvalidLocation {
    /// It is no address of a server.
    #[cfg(feature = "postgres")]
    #[error(transparent)]
    Address(#[from] crate::InvalidAddress),
    /// It is the address of a server, and the program was built without support for one.
    #[cfg(not(feature = "postgres"))]
    #[error("this echolabel was built without PostgreSQL: a database is a file")]
    NoPostgres,
}

impl TryFrom<PathBuf> for DatabaseLocation {
    type Error = InvalidLocation;

    /// Reads `postgres://...`, or a path of a file.
    fn try_from(named: PathBuf) -> Result<Self, Self::Error> {
        match named.to_str() {
            Some(address) if address.starts_with("postgres://") || address.starts_with("postgresql://") => {
                #[cfg(feature = "postgres")]
                return Ok(Self::Postgres(address.parse()?));
                #[cfg(not(feature = "postgres"))]
                return Err(InvalidLocation::NoPostgres);
            }
            _ => Ok(Self::File(named)),
        }
    }
}

impl From<&PathBuf> for DatabaseLocation {
    fn from(path: &PathBuf) -> Self {
        Self::File(path.clone())
    }
}

impl From<&Path> for DatabaseLocation {
    fn from(path: &Path) -> Self {
        Self::File(path.to_owned())
    }
}

impl From<&Self> for DatabaseLocation {
    fn from(database: &Self) -> Self {
        database.clone()
    }
}

impl fmt::Display for DatabaseLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            #[cfg(feature = "postgres")]
            Self::Postgres(address) => address.fmt(f),
        }
    }
}
