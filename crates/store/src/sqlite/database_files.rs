//! The files of a database, by what they are and not only by name.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use files::{Access, FileId, FileLock, LockError, get_file_id};

use crate::StoreError;

/// The database file and its log as they were when they were opened.
#[derive(Debug)]
pub(super) struct DatabaseFiles {
    database: PathBuf,
    database_id: FileId,
    log: PathBuf,
    log_id: Option<FileId>,
}

impl DatabaseFiles {
    /// Remembers the files of a database that was just opened.
    pub fn look(database: &Path) -> Result<Self, StoreError> {
        let failed = |source| StoreError::File { path: database.to_owned(), source };
        let log = log_path(database);
        Ok(Self {
            database: database.to_owned(),
            database_id: get_file_id(database).map_err(failed)?,
            log_id: get_file_id(&log).ok(),
            log,
        })
    }

    pub fn database(&self) -> &Path {
        &self.database
    }

    /// Refuses to go on where the files are no longer those that were opened.
    pub fn check(&self) -> Result<(), StoreError> {
        let path = || self.database.clone();
        match get_file_id(&self.database) {
            Ok(id) if id != self.database_id => return Err(StoreError::Replaced { path: path() }),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(StoreError::Vanished { path: path() }),
            Err(source) => return Err(StoreError::File { path: path(), source }),
        }
        match self.log_id {
            // Other programs would start a log of their own, and both would write into one database.
            Some(id) if get_file_id(&self.log).is_ok_and(|now| now != id) => Err(StoreError::Replaced { path: path() }),
            Some(_) if matches!(get_file_id(&self.log), Err(error) if error.kind() == io::ErrorKind::NotFound) => {
                Err(StoreError::Replaced { path: path() })
            }
            _ => Ok(()),
        }
    }

    /// Returns the size of the log.
    pub fn log_bytes(&self) -> u64 {
        fs::metadata(&self.log).map_or(0, |metadata| metadata.len())
    }

    /// Returns whether the database has a log with something in it.
    pub fn has_log(database: &Path) -> bool {
        fs::metadata(log_path(database)).is_ok_and(|metadata| metadata.len() > 0)
    }
}

/// Makes the file if there is none, so that only its owner and group can read it; SQLite gives its log the same mode.
pub(super) fn make_private(path: &Path) -> Result<(), StoreError> {
    match Access::Group.create_new(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(StoreError::File { path: path.to_owned(), source: error })
        }
        _ => Ok(()),
    }
}

/// Locks the file for one daemon.
pub(super) fn open_to_lock(path: &Path) -> Result<FileLock, StoreError> {
    let failed = |source| StoreError::File { path: path.to_owned(), source };
    FileLock::new(file_to_lock(path).map_err(failed)?).map_err(|error| match error {
        LockError::Held => StoreError::InUse { database: path.into() },
        LockError::Io(source) => failed(source),
    })
}

#[cfg(not(windows))]
fn file_to_lock(database: &Path) -> io::Result<File> {
    File::open(database)
}

/// Windows keeps everybody, also SQLite, from a file that is locked, so there a file beside it is locked.
#[cfg(windows)]
fn file_to_lock(database: &Path) -> io::Result<File> {
    let mut path = OsString::from(database);
    path.push(".lock");
    File::options().write(true).create(true).truncate(false).open(path)
}

/// The file's address for SQLite with the promise that nobody changes it.
pub(super) fn immutable_uri(path: &Path) -> String {
    let escaped: String = path
        .as_os_str()
        .as_encoded_bytes()
        .iter()
        .map(|&byte| match byte {
            b'/' | b'.' | b'-' | b'_' => char::from(byte).to_string(),
            _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect();
    format!("file:{escaped}?immutable=1")
}

fn log_path(database: &Path) -> PathBuf {
    let mut path = OsString::from(database);
    path.push("-wal");
    path.into()
}
