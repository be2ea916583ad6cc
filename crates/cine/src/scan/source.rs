//! The bytes of a file, readable at any offset, shared between the frame reader and a video decoder.

use std::sync::Arc;

use super::read_at::{self, ReadAt};
use crate::error::CineError;

/// A file's bytes with their length, cheap to clone.
#[derive(Clone)]
pub(crate) struct Source {
    bytes: Arc<dyn ReadAt>,
    len: u64,
}

impl Source {
    /// Asks the bytes for their number.
    pub(crate) fn new(bytes: impl ReadAt + 'static) -> Result<Self, CineError> {
        let len =
            bytes.size_bytes().map_err(|source| CineError::Io { doing: "asking for the file's length", source })?;
        Ok(Self { bytes: Arc::new(bytes), len })
    }

    /// Returns the number of bytes there are.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Reads up to `buffer.len()` bytes at `offset`; fewer only at the end of the file.
    pub(crate) fn read_up_to(&self, offset: u64, buffer: &mut [u8]) -> std::io::Result<usize> {
        read_at::read_up_to(&*self.bytes, offset, buffer)
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
