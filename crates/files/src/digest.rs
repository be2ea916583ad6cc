//! The digest of a file.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use domain::Sha256;
use sha2::Digest as _;

/// Bytes that are read at once: network file systems answer few large reads faster than many small ones.
const CHUNK_BYTES: usize = 256 * 1024;

/// Returns the SHA-256 of a file's bytes.
///
/// # Errors
/// The file cannot be read.
pub fn sha256(path: &Path) -> io::Result<Sha256> {
    sha256_of(File::open(path)?)
}

/// Returns the SHA-256 of everything that a reader gives.
///
/// # Errors
/// The reader fails.
pub fn sha256_of(reader: impl Read) -> io::Result<Sha256> {
    let mut hasher = sha2::Sha256::new();
    io::copy(&mut BufReader::with_capacity(CHUNK_BYTES, reader), &mut hasher)?;
    Ok(<[u8; 32]>::from(hasher.finalize()).into())
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
        assert_eq!(sha256(&path).unwrap().to_string(), expected);
    }

    #[test]
    fn a_long_reader_is_read_to_its_end() {
        let bytes = vec![b'a'; 1_000_000];
        // FIPS 180-2, appendix B.3.
        let expected = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
        assert_eq!(sha256_of(&bytes[..]).unwrap().to_string(), expected);
    }
}
