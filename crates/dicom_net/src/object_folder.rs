//! The folder that objects are stored in.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use domain::{SopUid, StudyUid};
use files::{Access, FileLock, LockError, PartFile};

use crate::ReceiveError;

/// The hidden folder of unfinished objects; the inbox looks into none of that name.
const INCOMING: &str = ".incoming";

/// The file in it that is locked while a program receives.
const LOCK: &str = "lock";

/// The folder in it of requests for commitment.
const REQUESTS: &str = "requests";

/// Different objects of one UID that are kept, at most.
const MAX_VERSIONS: u32 = 1000;

/// Studies whose folders are known to be synced, at most.
const MAX_DURABLE: usize = 4096;

/// Bytes that are compared at once.
const COMPARED_BYTES: usize = 64 * 1024;

/// Place of an object that was stored.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Placed {
    /// Under a name of its own.
    New { path: PathBuf, conflict: bool },
    /// Nowhere: the same bytes are there already.
    Known,
}

/// The folder of objects, one folder a study in it.
#[derive(Debug)]
pub(crate) struct ObjectFolder {
    folder: PathBuf,
    incoming: PathBuf,
    /// Studies whose folders this run has synced; one that is removed and made again is synced again, since it is new.
    durable: Mutex<HashSet<StudyUid>>,
    _lock: FileLock,
}

impl ObjectFolder {
    /// Opens the folder and removes what a killed run left unfinished; none of it was acknowledged.
    pub fn open(folder: &Path) -> Result<Self, ReceiveError> {
        let error = |source| ReceiveError::Folder { folder: folder.to_owned(), source };
        let incoming = folder.join(INCOMING);
        fs::create_dir_all(&incoming).map_err(error)?;
        let lock = File::options().create(true).truncate(false).write(true).open(incoming.join(LOCK)).map_err(error)?;
        let lock = FileLock::new(lock).map_err(|refused| match refused {
            LockError::Held => ReceiveError::FolderInUse { folder: folder.to_owned() },
            LockError::Io(source) => error(source),
        })?;
        files::remove_part_files(&incoming).map_err(error)?;
        Ok(Self { folder: folder.to_owned(), incoming, durable: Mutex::default(), _lock: lock })
    }

    /// Starts an object whose name is not known yet.
    pub fn start(&self) -> io::Result<PartFile> {
        PartFile::new_in(&self.incoming, Access::Group)
    }

    /// Returns the bytes that are free.
    pub fn free_bytes(&self) -> io::Result<u64> {
        files::free_bytes(&self.incoming)
    }

    /// Returns the place of requests for commitment that are not answered yet.
    pub fn pending_requests(&self) -> PathBuf {
        self.incoming.join(REQUESTS)
    }

    /// Returns those of some objects that were stored here and are still there.
    pub fn held<'a>(&self, uids: &[&'a SopUid]) -> HashSet<&'a SopUid> {
        let studies: Vec<PathBuf> =
            fs::read_dir(&self.folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        let is_held = |uid: &SopUid| {
            let name = format!("{uid}.dcm");
            studies.iter().any(|study| study.join(&name).is_file())
        };
        uids.iter().copied().filter(|uid| is_held(uid)).collect()
    }

    /// Makes the folder of a study, so that it stays through a power cut.
    fn make_durable(&self, study: &StudyUid, folder: &Path) -> io::Result<()> {
        match fs::create_dir(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            // Somebody else may have made it and not synced it.
            Err(_) if self.durable.lock().unwrap_or_else(PoisonError::into_inner).contains(study) => return Ok(()),
            _ => files::sync_folder(folder)?,
        }
        let mut durable = self.durable.lock().unwrap_or_else(PoisonError::into_inner);
        if durable.len() >= MAX_DURABLE {
            durable.clear();
        }
        durable.insert(study.clone());
        Ok(())
    }

    /// Gives a finished, synced object its name: `STUDY/SOP.dcm`, or `STUDY/SOP.1.dcm` and so on where other bytes have it.
    pub fn place(&self, mut part: PartFile, study: &StudyUid, sop: &SopUid) -> io::Result<Placed> {
        let study_folder = self.folder.join(study.as_str());
        self.make_durable(study, &study_folder)?;
        for version in 0..MAX_VERSIONS {
            let path = study_folder.join(match version {
                0 => format!("{sop}.dcm"),
                version => format!("{sop}.{version}.dcm"),
            });
            part = match part.publish_new(&path)? {
                None => return Ok(Placed::New { path, conflict: version > 0 }),
                Some(refused) => refused,
            };
            if have_same_bytes(part.path(), &path)? {
                // Whoever gave it its name may not have synced the folder yet, and we are about to promise that it stays.
                files::sync_folder(&path)?;
                return Ok(Placed::Known);
            }
        }
        Err(io::Error::other("too many different objects have this UID"))
    }
}

fn have_same_bytes(one: &Path, other: &Path) -> io::Result<bool> {
    let [mut one, mut other] = [File::open(one)?, File::open(other)?];
    if one.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let [mut one, mut other] = [&mut one, &mut other].map(|file| BufReader::with_capacity(COMPARED_BYTES, file));
    let mut pair = [[0; COMPARED_BYTES]; 2];
    loop {
        let [left, right] = &mut pair;
        let read = one.read(left)?;
        if read == 0 {
            return Ok(true);
        }
        match other.read_exact(&mut right[..read]) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            exact => exact?,
        }
        if left[..read] != right[..read] {
            return Ok(false);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn placed(folder: &ObjectFolder, content: &str) -> Placed {
        let mut part = folder.start().unwrap();
        part.write_all(content.as_bytes()).unwrap();
        part.sync().unwrap();
        folder.place(part, &"1.2".parse().unwrap(), &"1.2.3".parse().unwrap()).unwrap()
    }

    #[test]
    fn the_same_bytes_are_kept_once_and_others_beside_them() {
        let base = tempfile::tempdir().unwrap();
        let folder = ObjectFolder::open(base.path()).unwrap();
        let path = |name: &str| base.path().join("1.2").join(name);
        assert_eq!(placed(&folder, "a"), Placed::New { path: path("1.2.3.dcm"), conflict: false });
        assert_eq!(placed(&folder, "a"), Placed::Known);
        assert_eq!(placed(&folder, "b"), Placed::New { path: path("1.2.3.1.dcm"), conflict: true });
        assert_eq!(placed(&folder, "b"), Placed::Known);
        assert_eq!(placed(&folder, "a"), Placed::Known);
        assert_eq!(fs::read_dir(base.path().join(INCOMING)).unwrap().count(), 1, "the lock");
    }

    #[test]
    fn a_dead_run_leaves_nothing_and_two_runs_exclude_each_other() {
        let base = tempfile::tempdir().unwrap();
        fs::create_dir(base.path().join(INCOMING)).unwrap();
        fs::write(base.path().join(INCOMING).join("x.part"), "half").unwrap();
        let folder = ObjectFolder::open(base.path()).unwrap();
        assert!(!base.path().join(INCOMING).join("x.part").try_exists().unwrap());
        assert!(matches!(ObjectFolder::open(base.path()), Err(ReceiveError::FolderInUse { .. })));
        drop(folder);
        assert!(ObjectFolder::open(base.path()).is_ok());
    }
}
