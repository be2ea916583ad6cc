//! Errors that stop the daemon.

use std::io::ErrorKind;
use std::path::PathBuf;

use store::StoreError;

/// An error that ends a run; failures of single files never do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DaemonError {
    /// The configuration file could not be read.
    #[error("cannot read configuration {file}")]
    ReadConfig {
        /// The file.
        file: PathBuf,
        /// Error of the system.
        source: std::io::Error,
    },
    /// The configuration file is not what it should be: syntax, an unknown key, a value of the wrong type.
    #[error("configuration {file}: {message}")]
    ParseConfig {
        /// The file.
        file: PathBuf,
        /// Place and problem, over several lines.
        message: String,
    },
    /// The settings cannot be written as a configuration file: a path that is no text.
    #[error("the settings cannot be written as a file: {message}")]
    WriteConfig {
        /// Obstacle.
        message: String,
    },
    /// A key has a value that makes no sense.
    #[error("{origin}: {key}: {problem}")]
    Setting {
        /// The configuration file, or "command line".
        origin: String,
        /// The key, e.g. `inbox.folders`.
        key: &'static str,
        /// Problem of its value.
        problem: String,
    },
    /// A watch folder is not there.
    #[error("cannot open watch folder {folder}")]
    WatchFolder {
        /// The folder.
        folder: PathBuf,
        /// Error of the system.
        source: std::io::Error,
    },
    /// The database failed.
    #[error("the database failed")]
    Store(#[from] StoreError),
}

impl DaemonError {
    /// Returns true when the same run may succeed later: a locked or full database, a share that is away.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Store(error) => error.is_temporary(),
            Self::WatchFolder { source, .. } => {
                !matches!(source.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
            }
            _ => false,
        }
    }
}
