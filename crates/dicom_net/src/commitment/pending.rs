//! Requests that are not answered yet, a file each.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use files::Access;
use serde::{Deserialize, Serialize};

use super::Request;

/// Requests that wait at once, at most.
const MAX_PENDING: usize = 1000;

/// A request with the peer that waits for the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pending {
    pub ae_title: String,
    pub request: Request,
}

/// The folder of requests. They survive the end of the program: a promise to answer was made.
#[derive(Debug)]
pub(crate) struct PendingRequests {
    folder: PathBuf,
}

impl PendingRequests {
    /// Opens the folder, which is made if it is not there.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn open(folder: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        Ok(Self { folder })
    }

    /// Keeps a request durably.
    ///
    /// # Errors
    /// It cannot be written, or too many wait.
    pub fn keep(&self, pending: &Pending) -> io::Result<PathBuf> {
        if fs::read_dir(&self.folder)?.count() >= MAX_PENDING {
            return Err(io::Error::other("too many requests for commitment wait for an answer"));
        }
        let path = self.folder.join(format!("{}.json", pending.request.transaction));
        files::write(&path, &serde_json::to_vec(pending)?, Access::Group)?;
        Ok(path)
    }

    /// Returns the requests that wait, with their files.
    pub fn all(&self) -> Vec<(PathBuf, Pending)> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        entries.filter_map(|entry| Some((entry.path(), read(&entry.path())?))).collect()
    }
}

/// Returns none for a file that was answered meanwhile, or is not one of ours.
fn read(path: &Path) -> Option<Pending> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// Forgets a request that was answered.
pub(crate) fn forget(path: &Path) {
    // A request that stays is answered once more, which harms nobody.
    let _ = fs::remove_file(path);
}
