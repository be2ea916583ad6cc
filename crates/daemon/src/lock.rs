//! One daemon a database.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::DaemonError;

/// Held while a daemon works; the system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct DatabaseLock {
    _file: File,
}

impl DatabaseLock {
    /// Locks the file `<database>.lock`.
    pub fn take(database: &Path) -> Result<Self, DaemonError> {
        let lock = lock_path(database);
        let failed = |source| DaemonError::Lock { lock: lock.clone(), source };
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&lock).map_err(failed)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { _file: file }),
            Err(Errno::WOULDBLOCK) => Err(DaemonError::Locked { lock }),
            Err(error) => Err(failed(error.into())),
        }
    }
}

fn lock_path(database: &Path) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(".lock");
    path.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_daemon_is_refused_until_the_first_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("labels.sqlite");
        let first = DatabaseLock::take(&database).unwrap();
        assert!(matches!(DatabaseLock::take(&database), Err(DaemonError::Locked { .. })));
        drop(first);
        DatabaseLock::take(&database).unwrap();
    }
}
