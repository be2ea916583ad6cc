//! A file on its way to becoming a job.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use store::FileIdentity;

/// Metadata of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileStat {
    pub identity: FileIdentity,
    /// When content, size, name or owner last changed, as far as the file system's clock can be believed.
    pub last_change: Timestamp,
}

/// Returns the metadata of a file; `None` where the path is no file any more.
pub(crate) fn stat(path: &Path) -> io::Result<Option<FileStat>> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => metadata,
        Ok(_) => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let unix_ns = |seconds: i64, nanoseconds: i64| seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds);
    // A copy may carry an old time of writing, but never an old time of change.
    let last_change = metadata.mtime().max(metadata.ctime());
    Ok(Some(FileStat {
        identity: FileIdentity {
            path: path.to_owned(),
            size_bytes: metadata.len(),
            modified_unix_ns: unix_ns(metadata.mtime(), metadata.mtime_nsec()),
            inode: metadata.ino(),
            changed_unix_ns: unix_ns(metadata.ctime(), metadata.ctime_nsec()),
        },
        last_change: Timestamp::from_second(last_change).unwrap_or(Timestamp::MAX),
    }))
}

/// A file that is not taken yet.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub identity: FileIdentity,
    /// Since when we have seen it like this.
    unchanged_since: Timestamp,
    /// When to look again.
    pub next_look: Timestamp,
    /// Since when it has been found incomplete, without a change.
    pub incomplete_since: Option<Timestamp>,
    /// Number of checks that found it incomplete.
    pub incomplete_looks: u32,
    /// Number of checks that could not read it.
    pub unreadable_looks: u32,
}

impl Candidate {
    pub fn new(identity: FileIdentity, now: Timestamp) -> Self {
        Self {
            identity,
            unchanged_since: now,
            next_look: now,
            incomplete_since: None,
            incomplete_looks: 0,
            unreadable_looks: 0,
        }
    }

    /// Returns whether nothing has changed for `stability`: by our own two looks, or by the file system's time where
    /// its clock is ours. If not, the next look is set.
    pub fn is_stable(
        &mut self,
        found: &FileStat,
        stability: SignedDuration,
        trust_file_times: bool,
        now: Timestamp,
    ) -> bool {
        let by_looks = now.duration_since(self.unchanged_since) >= stability;
        let by_file_times = trust_file_times && now.duration_since(found.last_change) >= stability;
        if !by_looks && !by_file_times {
            self.next_look = self.unchanged_since.saturating_add(stability).unwrap_or(Timestamp::MAX);
        }
        by_looks || by_file_times
    }
}
