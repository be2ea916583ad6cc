//! The tag that stands for a path.

use std::path::Path;

use sha2::Digest as _;

/// Eight hex digits that stand for a path in logs and events: a path may hold a patient's name.
pub fn path_tag(path: &Path) -> String {
    let hash = sha2::Sha256::digest(path.as_os_str().as_encoded_bytes());
    hash.iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

/// A message with the path in it replaced by its tag: errors like to name the file they are about.
pub(crate) fn without_path(message: &str, path: &Path) -> String {
    message.replace(&*path.to_string_lossy(), &format!("file {}", path_tag(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_tag_tells_paths_apart_and_shows_none_of_them() {
        let tag = path_tag(Path::new("/inbox/DOE^JANE/1.dcm"));
        assert_eq!(tag.len(), 8);
        assert!(tag.chars().all(|c| c.is_ascii_hexdigit()));
        assert_ne!(tag, path_tag(Path::new("/inbox/DOE^JANE/2.dcm")));
    }
}
