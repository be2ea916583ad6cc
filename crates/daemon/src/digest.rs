//! Hashes that stand for a file's content and for a path.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use domain::Sha256;
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

/// Returns the SHA-256 of a file's bytes.
///
/// # Errors
/// The file cannot be read.
pub fn content_sha256(path: &Path) -> io::Result<Sha256> {
    let mut file = File::open(path)?;
    let mut hasher = sha2::Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(Sha256::from(<[u8; 32]>::from(hasher.finalize()))),
            length => hasher.update(buffer.get(..length).unwrap_or_default()),
        }
    }
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
        assert_eq!(content_sha256(&path).unwrap().to_string(), expected);
    }

    #[test]
    fn a_path_tag_tells_paths_apart_and_shows_none_of_them() {
        let tag = path_tag(Path::new("/inbox/DOE^JANE/1.dcm"));
        assert_eq!(tag.len(), 8);
        assert!(tag.chars().all(|c| c.is_ascii_hexdigit()));
        assert_ne!(tag, path_tag(Path::new("/inbox/DOE^JANE/2.dcm")));
    }
}
