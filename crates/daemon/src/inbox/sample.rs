//! Digest of parts of a file, which tells two versions of the same size and time apart.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use domain::Sha256;
use sha2::Digest as _;

/// Bytes of one block of a sample.
const SAMPLE_BLOCK_BYTES: usize = 16 * 1024;
/// Blocks of a sample, the first and the last of the file among them.
const SAMPLE_BLOCKS: u64 = 8;

/// Returns the SHA-256 of blocks from the head to the tail of a file: cheap, and enough to notice that another file of
/// the same size stands there.
///
/// # Errors
/// The file cannot be read.
pub fn sample_sha256(path: &Path) -> io::Result<Sha256> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    let last_start = size.saturating_sub(SAMPLE_BLOCK_BYTES as u64);
    let mut hasher = sha2::Sha256::new();
    hasher.update(size.to_le_bytes());
    let mut block = vec![0; SAMPLE_BLOCK_BYTES];
    for number in 0..SAMPLE_BLOCKS {
        let is_last = number == SAMPLE_BLOCKS - 1;
        let start = if is_last { last_start } else { last_start / (SAMPLE_BLOCKS - 1) * number };
        file.seek(SeekFrom::Start(start))?;
        let mut filled = 0;
        while let Some(rest) = block.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match file.read(rest)? {
                0 => break,
                length => filled += length,
            }
        }
        hasher.update(block.get(..filled).unwrap_or_default());
    }
    Ok(<[u8; 32]>::from(hasher.finalize()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_tells_head_middle_and_tail() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let sample = |changed: Option<usize>| {
            let mut bytes = vec![7; 1_000_000];
            changed.into_iter().for_each(|at| bytes[at] = 8);
            std::fs::write(&path, bytes).unwrap();
            sample_sha256(&path).unwrap()
        };
        let plain = sample(None);
        assert_eq!(sample(None), plain);
        for changed in [0, 16_000, 999_999] {
            assert_ne!(sample(Some(changed)), plain, "{changed}");
        }
        std::fs::write(&path, "").unwrap();
        sample_sha256(&path).unwrap();
    }
}
