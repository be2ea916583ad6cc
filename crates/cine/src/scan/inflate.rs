//! The inflated form of a deflated data set (PS3.5 annex A.5): in memory while small, else in an unnamed file.

use std::io::{self, Read, Seek as _, SeekFrom, Write};
use std::sync::{Mutex, PoisonError};

use crate::error::CineError;
use crate::scan::{ReadAt, Source};

/// Up to here the inflated bytes stay in memory.
const IN_MEMORY_BYTES: usize = 8 << 20;
/// No loop inflates to more; a deflate bomb would.
const MAX_BYTES: u64 = 1 << 30;
/// Images of ultrasound inflate to five or ten times their size, a black screen to a thousand times. Small ones may.
const MAX_RATIO: u64 = 64;
const MAX_BYTES_OF_ANY_RATIO: u64 = 64 << 20;
const CHUNK_BYTES: usize = 64 << 10;

/// Inflates everything from `offset` on. The error, if the stream is damaged, comes with what was inflated before it.
pub(crate) fn inflated(source: &Source, offset: u64) -> Result<(Source, Option<CineError>), CineError> {
    let spool_error = |source| CineError::Io { doing: "writing the inflated data set", source };
    let mut spool = tempfile::SpooledTempFile::new(IN_MEMORY_BYTES);
    let mut inflater = flate2::read::DeflateDecoder::new(SourceReader { source, position: offset });
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut inflated_bytes = 0_u64;
    let deflated_bytes = source.len().saturating_sub(offset);
    let limit = deflated_bytes.saturating_mul(MAX_RATIO).clamp(MAX_BYTES_OF_ANY_RATIO, MAX_BYTES);
    let damage = loop {
        match inflater.read(&mut chunk) {
            Ok(0) => break None,
            Ok(count) => {
                inflated_bytes += count as u64;
                if inflated_bytes > limit {
                    return Err(CineError::TooLarge { what: "the inflated data set", bytes: inflated_bytes, limit });
                }
                spool.write_all(chunk.get(..count).unwrap_or_default()).map_err(spool_error)?;
            }
            Err(source) => break Some(CineError::CorruptDeflate { inflated_bytes, source }),
        }
    };
    Ok((Source::new(Inflated { size_bytes: inflated_bytes, spool: Mutex::new(spool) })?, damage))
}

/// Inflated bytes. Their place is shared, so readers take turns.
struct Inflated {
    size_bytes: u64,
    spool: Mutex<tempfile::SpooledTempFile>,
}

impl ReadAt for Inflated {
    fn size_bytes(&self) -> io::Result<u64> {
        Ok(self.size_bytes)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        // A panic in another holder leaves the file usable: every read seeks first.
        let mut spool = self.spool.lock().unwrap_or_else(PoisonError::into_inner);
        spool.seek(SeekFrom::Start(offset))?;
        spool.read(buffer)
    }
}

/// Reads a source from a position on.
struct SourceReader<'a> {
    source: &'a Source,
    position: u64,
}

impl Read for SourceReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.source.read_up_to(self.position, buffer)?;
        self.position += count as u64;
        Ok(count)
    }
}
