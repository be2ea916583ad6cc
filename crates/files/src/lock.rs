//! A lock on a file, held by at most one process.

use std::fmt;
use std::fs::{File, TryLockError};
use std::io;

/// An exclusive lock; the system lets go of it when the process ends, however it ends.
///
/// It belongs to the file, not to its name: who reaches the file by a link or after a rename meets the same lock. On Linux
/// it does not touch the record locks that SQLite takes.
#[derive(Debug)]
pub struct FileLock {
    _file: File,
}

impl FileLock {
    /// Locks an open file without waiting.
    ///
    /// # Errors
    /// [`LockError::Held`] while another process, or another open file of this one, holds it.
    pub fn new(file: File) -> Result<Self, LockError> {
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(LockError::Held),
            Err(TryLockError::Error(error)) => Err(LockError::Io(error)),
        }
    }
}

/// The reason why a lock was not taken.
#[derive(Debug)]
pub enum LockError {
    /// Somebody else holds it.
    Held,
    /// The file system refused.
    Io(io::Error),
}

impl fmt::Display for LockError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held => formatter.write_str("another process holds the lock"),
            Self::Io(error) => error.fmt(formatter),
        }
    }
}

impl std::error::Error for LockError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_met_by_every_name_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let [name, link, hard] = ["name", "link", "hard"].map(|name| folder.path().join(name));
        std::fs::write(&name, "").unwrap();
        std::os::unix::fs::symlink(&name, &link).unwrap();
        std::fs::hard_link(&name, &hard).unwrap();
        let first = FileLock::new(File::open(&name).unwrap()).unwrap();
        for path in [&name, &link, &hard] {
            assert!(matches!(FileLock::new(File::open(path).unwrap()), Err(LockError::Held)));
        }
        drop(first);
        FileLock::new(File::open(&hard).unwrap()).unwrap();
    }
}
