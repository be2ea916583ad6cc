//! A file on its way to becoming a job.

use std::fs;
use std::io;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use store::FileIdentity;

/// Metadata of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileStat {
    /// Path, length and times.
    pub identity: FileIdentity,
    /// When content, size, name or owner last changed, as far as the file system's clock can be believed.
    pub last_change: Timestamp,
}

/// Returns the metadata of a file; `None` where the path is no file any more.
///
/// # Errors
/// The metadata cannot be read.
pub fn stat(path: &Path) -> io::Result<Option<FileStat>> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => metadata,
        Ok(_) => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let identity = identity(path, &metadata)?;
    // A copy may carry an old time of writing, but never an old time of change.
    let last_change = identity.modified_unix_ns.max(identity.changed_unix_ns);
    let last_change = Timestamp::from_nanosecond(last_change.into()).unwrap_or(Timestamp::MAX);
    Ok(Some(FileStat { identity, last_change }))
}

#[cfg(unix)]
fn identity(path: &Path, metadata: &fs::Metadata) -> io::Result<FileIdentity> {
    use std::os::unix::fs::MetadataExt as _;
    let unix_ns = |seconds: i64, nanoseconds: i64| seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds);
    Ok(FileIdentity {
        path: path.to_owned(),
        size_bytes: metadata.len(),
        modified_unix_ns: unix_ns(metadata.mtime(), metadata.mtime_nsec()),
        inode: metadata.ino(),
        changed_unix_ns: unix_ns(metadata.ctime(), metadata.ctime_nsec()),
    })
}

/// Windows tells no time of change; a copy there gets a new time of making, which stands for it.
#[cfg(not(unix))]
fn identity(path: &Path, metadata: &fs::Metadata) -> io::Result<FileIdentity> {
    let inode = match files::get_file_id(path)? {
        files::FileId::Inode { inode_number, .. } => inode_number,
        files::FileId::LowRes { file_index, .. } => file_index,
        // The low half is the number that NTFS gives; ReFS uses both.
        files::FileId::HighRes { file_id, .. } => (file_id & u128::from(u64::MAX)) as u64,
    };
    let unix_ns = |time: io::Result<std::time::SystemTime>| {
        let since = time?.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Ok::<i64, io::Error>(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
    };
    Ok(FileIdentity {
        path: path.to_owned(),
        size_bytes: metadata.len(),
        modified_unix_ns: unix_ns(metadata.modified())?,
        inode,
        changed_unix_ns: unix_ns(metadata.created())?,
    })
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
