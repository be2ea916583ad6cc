//! Tags that stand for paths.

use std::path::Path;

use sha2::Digest as _;

/// Eight hex digits that stand for a path in logs, events and inventories: a path may hold a patient's name.
pub fn path_tag(path: &Path) -> String {
    let hash = sha2::Sha256::digest(path.as_os_str().as_encoded_bytes());
    hash.iter().take(4).map(|byte| format!("{byte:02x}")).collect()
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
