//! The daemon's own files, which may lie in a watch folder.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Suffixes of the files that SQLite keeps beside a database.
const SUFFIXES: [&str; 4] = ["", "-wal", "-shm", "-journal"];

/// The database and the files that SQLite keeps beside it.
#[derive(Debug)]
pub(super) struct OwnFiles {
    folder: PathBuf,
    names: Vec<OsString>,
}

impl OwnFiles {
    pub fn new(database: &Path) -> Self {
        // The database itself may be a link.
        let database = database.canonicalize().unwrap_or_else(|_| database.to_owned());
        let names = database.file_name().map(|name| SUFFIXES.map(|suffix| [name, suffix.as_ref()].join("".as_ref())));
        Self {
            folder: database.parent().unwrap_or(Path::new("")).to_owned(),
            names: names.into_iter().flatten().collect(),
        }
    }

    /// Returns whether a path is one of them. Folders are compared by what they are, since links lead to them too.
    pub fn contains(&self, path: &Path) -> bool {
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return false };
        self.names.iter().any(|own| own == name) && (folder == self.folder || is_same(folder, &self.folder))
    }
}

fn is_same(one: &Path, other: &Path) -> bool {
    matches!((files::get_file_id(one), files::get_file_id(other)), (Ok(one), Ok(other)) if one == other)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_database_is_known_by_any_way_to_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let inbox = folder.path().join("inbox");
        fs::create_dir(&inbox).unwrap();
        std::os::unix::fs::symlink(&inbox, folder.path().join("link")).unwrap();
        fs::write(inbox.join("lab.sqlite"), "").unwrap();
        let own = OwnFiles::new(&folder.path().join("link/lab.sqlite"));
        for name in ["lab.sqlite", "lab.sqlite-wal", "lab.sqlite-shm", "lab.sqlite-journal"] {
            assert!(own.contains(&inbox.join(name)) && own.contains(&folder.path().join("link").join(name)), "{name}");
        }
        assert!(!own.contains(&inbox.join("lab.dcm")));
        assert!(!own.contains(&folder.path().join("lab.sqlite")));
    }
}
