//! Writing a file whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

/// Readers of a file that is made; the umask of the process takes more away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Whoever the umask lets.
    Umask,
    /// The owner and the group, for files that may name patients.
    Group,
    /// The owner alone, for secrets.
    Owner,
}

impl Access {
    /// Returns the permission bits of a new file, before the umask.
    #[cfg(unix)]
    const fn mode(self) -> u32 {
        match self {
            Self::Umask => 0o666,
            Self::Group => 0o640,
            Self::Owner => 0o600,
        }
    }

    /// Returns a maker of files with this access. Where there are no permission bits they inherit that of their folder.
    pub(crate) fn file_builder<'a, 'b>(self) -> Builder<'a, 'b> {
        #[cfg_attr(not(unix), expect(unused_mut, reason = "only changed where files have permission bits"))]
        let mut builder = Builder::new();
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(self.mode()));
        builder
    }

    /// Makes an empty file with this access.
    ///
    /// # Errors
    /// Something has the name already, or the file cannot be made.
    pub fn create_new(self, path: &Path) -> io::Result<File> {
        let mut options = File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, self.mode());
        options.open(path)
    }
}

/// A file that gets its name when it is whole.
///
/// The bytes go to a new file beside the target, whose name is random and which is made only if nothing has that name, so
/// a link that somebody planted is never followed. Dropped without [`AtomicFile::commit`] it is removed, and the target
/// stays as it was.
#[derive(Debug)]
pub struct AtomicFile {
    target: PathBuf,
    unfinished: NamedTempFile,
}

impl AtomicFile {
    /// Starts to write `target`, whose folder must exist.
    ///
    /// # Errors
    /// The folder cannot be written to, or something other than a file has the name.
    pub fn new(target: &Path, access: Access) -> io::Result<Self> {
        // Renaming over a device or a pipe would replace it, which nobody means who names one.
        if fs::metadata(target).is_ok_and(|there| !there.is_file()) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "something that is no file has this name"));
        }
        let unfinished = access.file_builder().prefix(".").suffix(".tmp").tempfile_in(folder_of(target))?;
        Ok(Self { target: target.to_owned(), unfinished })
    }

    /// Returns the path at which the bytes are gathered, for writers that open it themselves.
    pub fn path(&self) -> &Path {
        self.unfinished.path()
    }

    /// Gives the file its name; a file that had it is replaced, and so is a link.
    ///
    /// # Errors
    /// The bytes cannot be brought to the disk, or the name cannot be given; the target is as it was then.
    pub fn commit(self) -> io::Result<()> {
        // The bytes must be on the disk before the name is, or a power cut could leave an empty file under it.
        self.unfinished.as_file().sync_all()?;
        self.unfinished.persist(&self.target).map_err(|error| error.error)?;
        sync_folder(&self.target)
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.unfinished.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.unfinished.flush()
    }
}

/// Writes a file whole or not at all: who reads meanwhile finds the old one or the new one.
///
/// # Errors
/// As for [`AtomicFile::new`] and [`AtomicFile::commit`].
pub fn write(target: &Path, bytes: &[u8], access: Access) -> io::Result<()> {
    let mut file = AtomicFile::new(target, access)?;
    file.write_all(bytes)?;
    file.commit()
}

/// Renames a finished file so that it keeps its new name through a power cut.
///
/// # Errors
/// The bytes cannot be brought to the disk, or the name cannot be given.
pub fn publish(finished: &Path, target: &Path) -> io::Result<()> {
    File::open(finished)?.sync_all()?;
    fs::rename(finished, target)?;
    sync_folder(target)
}

/// Brings the name of a file to the disk by syncing the folder that holds it.
///
/// # Errors
/// Of the file system.
pub fn sync_folder(target: &Path) -> io::Result<()> {
    if cfg!(windows) {
        // A folder is no file there, and NTFS has its names in a journal.
        return Ok(());
    }
    match File::open(folder_of(target))?.sync_all() {
        // Some network file systems do not sync folders; the rename itself went well.
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
        synced => synced,
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_dropped_file_leaves_the_target_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a");
        write(&target, b"old", Access::Umask).unwrap();
        let mut unfinished = AtomicFile::new(&target, Access::Umask).unwrap();
        unfinished.write_all(b"half").unwrap();
        drop(unfinished);
        assert_eq!(fs::read(&target).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_planted_link_is_replaced_and_what_it_points_to_is_untouched() {
        let folder = tempfile::tempdir().unwrap();
        let precious = folder.path().join("precious");
        fs::write(&precious, "keep me").unwrap();
        let target = folder.path().join("loops.csv");
        for planted in ["loops.csv", "loops.csv.part", "loops.unfinished"] {
            symlink(&precious, folder.path().join(planted)).unwrap();
        }
        write(&target, b"new", Access::Group).unwrap();
        assert_eq!(fs::read(&precious).unwrap(), b"keep me");
        assert_eq!(fs::read(&target).unwrap(), b"new");
        assert!(!fs::symlink_metadata(&target).unwrap().is_symlink());
    }

    #[test]
    fn the_umask_decides_who_reads_and_group_means_no_one_else() {
        let folder = tempfile::tempdir().unwrap();
        let [plain, wide, private] = ["plain", "wide", "private"].map(|name| folder.path().join(name));
        fs::write(&plain, "made as any other file").unwrap();
        write(&wide, b"1", Access::Umask).unwrap();
        write(&private, b"1", Access::Group).unwrap();
        assert_eq!(mode(&wide), mode(&plain));
        assert_eq!(mode(&private), mode(&plain) & 0o640);
    }

    #[test]
    fn what_is_no_file_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        assert!(write(folder.path(), b"1", Access::Umask).is_err());
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert_eq!(write(&socket, b"1", Access::Umask).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }

    #[test]
    fn a_finished_file_gets_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let (part, target) = (folder.path().join("a.part"), folder.path().join("a"));
        fs::write(&part, "all of it").unwrap();
        publish(&part, &target).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"all of it");
        assert!(publish(&part, &target).is_err());
    }
}
