//! Writing a file whole or not at all.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use crate::StoreError;

/// Writes beside the target, syncs, then renames: a reader sees the old file or the new one.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    let beside = Path::new(&beside);
    let written = File::create(beside)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(beside, path));
    written.map_err(|source| StoreError::Export { path: path.to_owned(), source })
}

/// A file name for a study. The UID came from outside: anything but letters, digits, dots and dashes is replaced, and
/// what had to be changed gets a number that keeps two such studies apart.
pub(super) fn study_file_name(study_instance_uid: &str, number: usize, extension: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
    let sound = !study_instance_uid.is_empty()
        && study_instance_uid.len() <= 64
        && !study_instance_uid.starts_with('.')
        && study_instance_uid.chars().all(is_plain);
    if sound {
        return format!("{study_instance_uid}.{extension}");
    }
    let replaced: String = study_instance_uid.chars().take(64).map(|c| if is_plain(c) { c } else { '_' }).collect();
    format!("study-{number}-{replaced}.{extension}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uid_from_outside_never_leaves_the_folder() {
        assert_eq!(study_file_name("1.2.840.3", 0, "json"), "1.2.840.3.json");
        for uid in ["../../etc/passwd", "..", "", "/abs", "a\\b", "1.2\0", ".hidden"] {
            let name = study_file_name(uid, 7, "json");
            assert!(name.starts_with("study-7-") && !name.contains(['/', '\\', '\0']), "{uid:?} -> {name}");
        }
    }
}
