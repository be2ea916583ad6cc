//! Files that are written before their name is known.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use crate::Access;
use crate::atomic::sync_folder;

/// The end of the name of a file that is being written.
const SUFFIX: &str = ".part";

/// A file that is written under a random name and gets its own when its content is known. Dropped, it is removed.
#[derive(Debug)]
pub struct PartFile {
    file: NamedTempFile,
}

impl PartFile {
    /// Starts a file in `folder`, which must lie on the file system of its later place.
    ///
    /// # Errors
    /// The folder cannot be written to.
    pub fn new_in(folder: &Path, access: Access) -> io::Result<Self> {
        let file = access.file_builder().prefix("").suffix(SUFFIX).tempfile_in(folder)?;
        Ok(Self { file })
    }

    /// Returns the path of the unfinished file.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Asks the system to begin with bringing the bytes from `start` on to the disk, so that [`Self::sync`] finds less to do.
    pub fn begin_sync(&self, start: u64) {
        // Linux starts to write pages that are said not to be needed, and keeps those that are not written yet. It is a
        // hint: where it does nothing, the sync takes longer.
        #[cfg(target_os = "linux")]
        let _ = rustix::fs::fadvise(self.file.as_file(), start, None, rustix::fs::Advice::DontNeed);
        #[cfg(not(target_os = "linux"))]
        let _ = start;
    }

    /// Brings the bytes to the disk.
    ///
    /// # Errors
    /// Of the file system.
    pub fn sync(&self) -> io::Result<()> {
        self.file.as_file().sync_all()
    }

    /// Gives a synced file its name, so that it keeps it through a power cut. Gives the file back where something has the
    /// name already, which is left as it is.
    ///
    /// # Errors
    /// The name cannot be given.
    pub fn publish_new(self, target: &Path) -> io::Result<Option<Self>> {
        match self.file.persist_noclobber(target) {
            Ok(_) => sync_folder(target).map(|()| None),
            Err(refused) if refused.error.kind() == io::ErrorKind::AlreadyExists => {
                Ok(Some(Self { file: refused.file }))
            }
            Err(refused) => Err(refused.error),
        }
    }
}

impl Write for PartFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Removes the unfinished files that a run left in `folder` when it was killed.
///
/// # Errors
/// The folder cannot be listed, or a file cannot be removed.
pub fn remove_part_files(folder: &Path) -> io::Result<usize> {
    let mut removed = 0;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == &SUFFIX[1..]) {
            fs::remove_file(&path)?;
            removed += 1;
        }
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_taken_is_not_given_again() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a");
        let part = |content: &str| {
            let mut part = PartFile::new_in(folder.path(), Access::Group).unwrap();
            part.write_all(content.as_bytes()).unwrap();
            part.sync().unwrap();
            part
        };
        assert!(part("first").publish_new(&target).unwrap().is_none());
        let refused = part("second").publish_new(&target).unwrap().expect("the name is taken");
        assert_eq!(fs::read(&target).unwrap(), b"first");
        assert!(refused.publish_new(&folder.path().join("b")).unwrap().is_none());
        assert_eq!(fs::read(folder.path().join("b")).unwrap(), b"second");
    }

    #[test]
    fn unfinished_files_are_removed_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.part", "b.part", "c.dcm"] {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        assert_eq!(remove_part_files(folder.path()).unwrap(), 2);
        assert!(folder.path().join("c.dcm").is_file());
    }
}
