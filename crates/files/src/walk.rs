//! Finding files below folders.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::io;
use std::path::PathBuf;

use file_id::FileId;
use walkdir::{DirEntry, WalkDir};

/// Treatment of symbolic links below the folders; the folders themselves may be links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// They are followed, and each folder is entered once, so that none is entered in a circle.
    Follow,
    /// They are passed over.
    Ignore,
}

/// Something that could not be read during a walk.
#[derive(Debug)]
pub struct Unreadable {
    /// The folder, mostly.
    pub path: PathBuf,
    /// Error of the system.
    pub error: io::Error,
}

/// Files below folders, name by name.
pub struct Walk<'a> {
    folders: std::vec::IntoIter<PathBuf>,
    links: Links,
    is_entered: Box<dyn Fn(&OsStr) -> bool + 'a>,
    current: Option<walkdir::IntoIter>,
    /// Every folder that was entered.
    entered: HashSet<FileId>,
}

/// Walks some folders with their sub-folders.
///
/// `is_entered` is asked for the name of every folder below the folders, with whose files the walk goes on. Pipes, sockets
/// and devices are passed over, and so are links to nowhere and what is deleted during the walk.
pub fn walk<'a>(folders: &[PathBuf], links: Links, is_entered: impl Fn(&OsStr) -> bool + 'a) -> Walk<'a> {
    Walk {
        folders: Vec::from(folders).into_iter(),
        links,
        is_entered: Box::new(is_entered),
        current: None,
        entered: HashSet::new(),
    }
}

impl Iterator for Walk<'_> {
    type Item = Result<PathBuf, Unreadable>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let Some(current) = &mut self.current else {
                let follow = self.links == Links::Follow;
                let walk = WalkDir::new(self.folders.next()?).follow_links(follow).sort_by_file_name();
                self.current = Some(walk.into_iter());
                continue;
            };
            match current.next() {
                None => self.current = None,
                Some(Err(error)) => match unreadable(error) {
                    Some(unreadable) => return Some(Err(unreadable)),
                    None => continue,
                },
                Some(Ok(entry)) if entry.file_type().is_dir() => {
                    if !self.is_to_be_entered(&entry)
                        && let Some(current) = &mut self.current
                    {
                        current.skip_current_dir();
                    }
                }
                Some(Ok(entry)) => {
                    if entry.file_type().is_file() {
                        return Some(Ok(entry.into_path()));
                    }
                }
            }
        }
    }
}

impl Walk<'_> {
    fn is_to_be_entered(&mut self, folder: &DirEntry) -> bool {
        if folder.depth() > 0 && !(self.is_entered)(folder.file_name()) {
            return false;
        }
        // A folder whose identity cannot be read cannot be listed either, and is told of then.
        file_id::get_file_id(folder.path()).map_or(true, |id| self.entered.insert(id))
    }
}

/// Returns `None` for what is no fault: a circle of links, a link to nowhere, something deleted during the walk.
fn unreadable(error: walkdir::Error) -> Option<Unreadable> {
    if error.loop_ancestor().is_some() {
        return None;
    }
    let (depth, path) = (error.depth(), error.path().map(ToOwned::to_owned).unwrap_or_default());
    let error = io::Error::from(error);
    // A walk's own folder should be there.
    if error.kind() == io::ErrorKind::NotFound && depth > 0 {
        return None;
    }
    Some(Unreadable { path, error: inner(error) })
}

/// The system's error without the path that the walk puts before it.
fn inner(error: io::Error) -> io::Error {
    let kind = error.kind();
    match error.into_inner().and_then(|inner| inner.downcast::<walkdir::Error>().ok()) {
        Some(walk_error) => walk_error.into_io_error().unwrap_or_else(|| kind.into()),
        None => kind.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use super::*;

    fn found(root: &Path, links: Links) -> Vec<PathBuf> {
        let is_entered = |name: &OsStr| !name.as_encoded_bytes().starts_with(b".");
        walk(&[root.to_owned()], links, is_entered)
            .map(|file| file.unwrap_or_else(|unreadable| panic!("{unreadable:?}")))
            .map(|file| file.strip_prefix(root).unwrap().to_owned())
            .collect()
    }

    #[test]
    fn links_are_followed_but_never_in_circles() {
        let folder = tempfile::tempdir().unwrap();
        let [root, elsewhere] = ["root", "elsewhere"].map(|name| folder.path().join(name));
        fs::create_dir_all(root.join("study")).unwrap();
        fs::create_dir_all(root.join(".hidden")).unwrap();
        fs::create_dir_all(&elsewhere).unwrap();
        for file in [root.join("study/a"), root.join(".hidden/c"), elsewhere.join("b")] {
            fs::write(file, "x").unwrap();
        }
        symlink(&root, root.join("study/up")).unwrap();
        symlink(&elsewhere, root.join("elsewhere")).unwrap();
        symlink(&elsewhere, root.join("the same again")).unwrap();
        symlink("nowhere", root.join("dangling")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(root.join("socket")).unwrap();
        assert_eq!(found(&root, Links::Follow), [Path::new("elsewhere/b"), Path::new("study/a")]);
        assert_eq!(found(&root, Links::Ignore), [Path::new("study/a")]);
    }

    #[test]
    fn a_missing_folder_is_told_and_the_others_are_walked() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), "x").unwrap();
        let missing = folder.path().join("missing");
        let walked: Vec<_> = walk(&[missing.clone(), folder.path().to_owned()], Links::Follow, |_| true).collect();
        let [Err(unreadable), Ok(file)] = &walked[..] else { panic!("{walked:?}") };
        assert_eq!((&unreadable.path, unreadable.error.kind()), (&missing, io::ErrorKind::NotFound));
        assert_eq!(*file, folder.path().join("a"));
    }
}
