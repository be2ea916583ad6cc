//! Walking folders: the truth about which files there are.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::names::is_ignored;

/// Calls `on_file` for every file below the folders, name by name, until it returns false. Links are followed, each
/// folder is entered once; a folder that cannot be read is told to `on_error` and passed over. Folders that are deleted
/// during the walk are no error. Returns whether everything was seen.
pub(crate) fn walk(
    folders: &[PathBuf],
    mut on_file: impl FnMut(PathBuf) -> bool,
    mut on_error: impl FnMut(&Path, &io::Error),
) -> bool {
    let mut complete = true;
    let mut entered = HashSet::new();
    let mut waiting: Vec<PathBuf> = folders.iter().rev().cloned().collect();
    while let Some(folder) = waiting.pop() {
        match list(&folder, &mut entered) {
            Ok(listing) => {
                for file in listing.files {
                    if !on_file(file) {
                        return false;
                    }
                }
                waiting.extend(listing.folders.into_iter().rev());
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && !folders.contains(&folder) => {}
            Err(error) => {
                complete = false;
                on_error(&folder, &error);
            }
        }
    }
    complete
}

#[derive(Default)]
struct Listing {
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
}

/// Lists one folder, by name; nothing when it was entered before, under this or another name.
fn list(folder: &Path, entered: &mut HashSet<(u64, u64)>) -> io::Result<Listing> {
    let mut listing = Listing::default();
    let stat = rustix::fs::stat(folder)?;
    // The types of these fields differ from system to system.
    #[allow(clippy::unnecessary_cast)]
    if !entered.insert((stat.st_dev as u64, stat.st_ino as u64)) {
        return Ok(listing);
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if is_ignored(&entry.file_name()) {
            continue;
        }
        let path = entry.path();
        let Ok(mut kind) = entry.file_type() else { continue };
        if kind.is_symlink() {
            let Ok(target) = fs::metadata(&path) else { continue };
            kind = target.file_type();
        }
        if kind.is_dir() {
            listing.folders.push(path);
        } else if kind.is_file() {
            listing.files.push(path);
        }
    }
    listing.files.sort();
    listing.folders.sort();
    Ok(listing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_followed_but_never_in_circles() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        let elsewhere = folder.path().join("elsewhere");
        fs::create_dir_all(root.join("study")).unwrap();
        fs::create_dir_all(&elsewhere).unwrap();
        for file in [root.join("study/a"), root.join(".hidden"), elsewhere.join("b")] {
            fs::write(file, "x").unwrap();
        }
        std::os::unix::fs::symlink(&root, root.join("study/up")).unwrap();
        std::os::unix::fs::symlink(&elsewhere, root.join("elsewhere")).unwrap();
        std::os::unix::fs::symlink("nowhere", root.join("dangling")).unwrap();
        let mut found = Vec::new();
        let complete = walk(
            std::slice::from_ref(&root),
            |path| {
                found.push(path);
                true
            },
            |path, error| panic!("{}: {error}", path.display()),
        );
        assert!(complete);
        assert_eq!(found, [root.join("elsewhere/b"), root.join("study/a")]);
    }

    #[test]
    fn a_missing_folder_is_told_and_the_others_are_walked() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), "x").unwrap();
        let missing = folder.path().join("missing");
        let (mut found, mut errors) = (0, Vec::new());
        let complete = walk(
            &[missing.clone(), folder.path().to_owned()],
            |_| {
                found += 1;
                true
            },
            |path, _| errors.push(path.to_owned()),
        );
        assert!(!complete);
        assert_eq!((found, errors), (1, vec![missing]));
    }
}
