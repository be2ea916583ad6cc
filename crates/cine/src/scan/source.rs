//! The bytes of a file, readable at any offset, shared between the frame reader and a video decoder.

use std::io::{Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::CineError;

/// Anything that can be read at an offset and sent to another thread.
pub trait ReadSeek: Read + Seek + Send {}

impl<T: Read + Seek + Send> ReadSeek for T {}

/// A file's bytes with their length, cheap to clone.
#[derive(Clone)]
pub(crate) struct Source {
    reader: Arc<Mutex<Box<dyn ReadSeek>>>,
    len: u64,
}

impl Source {
    /// Wraps a reader and asks it for its length.
    pub(crate) fn new(mut reader: Box<dyn ReadSeek>) -> Result<Self, CineError> {
        let len = reader
            .seek(SeekFrom::End(0))
            .map_err(|source| CineError::Io { doing: "asking for the file's length", source })?;
        Ok(Self { reader: Arc::new(Mutex::new(reader)), len })
    }

    /// Returns the number of bytes there are.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Reads up to `buffer.len()` bytes at `offset`; fewer only at the end of the file.
    pub(crate) fn read_up_to(&self, offset: u64, buffer: &mut [u8]) -> std::io::Result<usize> {
        // A panic in another holder leaves the reader usable: every read seeks first.
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        reader.seek(SeekFrom::Start(offset))?;
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match reader.read(rest) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    /// Reads exactly `len` bytes at `offset`, never allocating more than the file holds.
    pub(crate) fn read_vec(&self, offset: u64, len: u64, inside: &str) -> Result<Vec<u8>, CineError> {
        let truncated = || CineError::Truncated { inside: inside.into() };
        let end = offset.checked_add(len).ok_or_else(truncated)?;
        if end > self.len {
            return Err(truncated());
        }
        let size = usize::try_from(len).map_err(|_| truncated())?;
        let mut bytes = vec![0; size];
        let count = self
            .read_up_to(offset, &mut bytes)
            .map_err(|source| CineError::Io { doing: "reading the file", source })?;
        if count < size {
            return Err(truncated());
        }
        Ok(bytes)
    }
}

impl std::fmt::Debug for Source {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Source({} bytes)", self.len)
    }
}
