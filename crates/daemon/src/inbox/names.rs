//! Which names are never looked at.

use std::ffi::OsStr;
use std::path::{Component, Path};

const UNFINISHED: [&str; 3] = ["part", "tmp", "filepart"];

/// Returns whether a file or folder name is that of something hidden, unfinished or no loop by convention.
pub fn is_ignored(name: &OsStr) -> bool {
    let bytes = name.as_encoded_bytes();
    let extension = Path::new(name).extension();
    bytes.starts_with(b".")
        || name.eq_ignore_ascii_case("DICOMDIR")
        || extension.is_some_and(|extension| UNFINISHED.iter().any(|known| extension.eq_ignore_ascii_case(known)))
}

/// Returns whether any part of a path below a watch folder has such a name.
pub(crate) fn is_ignored_below(root: &Path, path: &Path) -> bool {
    path.strip_prefix(root)
        .is_ok_and(|below| below.components().any(|part| matches!(part, Component::Normal(name) if is_ignored(name))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_and_unfinished_names_are_ignored() {
        for name in [".a.dcm", ".snapshot", "a.part", "a.dcm.tmp", "A.FILEPART", "DICOMDIR", "dicomdir"] {
            assert!(is_ignored(OsStr::new(name)), "{name}");
        }
        for name in ["a.dcm", "part", "tmp", "IM0001", "a.b.c", "DICOMDIR.dcm"] {
            assert!(!is_ignored(OsStr::new(name)), "{name}");
        }
        let root = Path::new("/home/.lab/inbox.tmp");
        assert!(is_ignored_below(root, &root.join("study/.cache/a.dcm")));
        assert!(!is_ignored_below(root, &root.join("study/a.dcm")));
    }
}
