//! Hashes that stand for a file's content and for a path.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

/// Eight hex digits that stand for a path in logs and events: a path may hold a patient's name.
pub fn path_tag(path: &Path) -> String {
    let hash = Sha256::digest(path.as_os_str().as_encoded_bytes());
    hex(hash.get(..4).unwrap_or_default())
}

/// A message with the path in it replaced by its tag: errors like to name the file they are about.
pub(crate) fn without_path(message: &str, path: &Path) -> String {
    message.replace(&*path.to_string_lossy(), &format!("file {}", path_tag(path)))
}

/// SHA-256 of a file's bytes, lower-case hex.
pub(crate) fn content_sha256(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&hasher.finalize())),
            length => hasher.update(buffer.get(..length).unwrap_or_default()),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_sha_256() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abc");
        std::fs::write(&path, "abc").unwrap();
        // FIPS 180-2, appendix B.1.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(content_sha256(&path).unwrap(), expected);
    }

    #[test]
    fn a_path_tag_tells_paths_apart_and_shows_none_of_them() {
        let tag = path_tag(Path::new("/inbox/DOE^JANE/1.dcm"));
        assert_eq!(tag.len(), 8);
        assert!(tag.chars().all(|c| c.is_ascii_hexdigit()));
        assert_ne!(tag, path_tag(Path::new("/inbox/DOE^JANE/2.dcm")));
    }
}
