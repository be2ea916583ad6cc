//! Interface to bytes that lie anywhere: a file, memory, an object of a store.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::Path;

/// Bytes that can be read at any offset, by several threads.
pub trait ReadAt: Send + Sync {
    /// Returns the number of bytes.
    ///
    /// # Errors
    /// It cannot be told.
    fn size_bytes(&self) -> io::Result<u64>;

    /// Reads bytes at `offset` into the buffer and returns how many; 0 only at the end.
    ///
    /// # Errors
    /// The bytes cannot be read.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;
}

impl ReadAt for Vec<u8> {
    fn size_bytes(&self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let rest = self.get(start..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(rest) {
            *to = *from;
        }
        Ok(count)
    }
}

impl ReadAt for File {
    fn size_bytes(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        #[cfg(unix)]
        return std::os::unix::fs::FileExt::read_at(self, buffer, offset);
        #[cfg(windows)]
        return std::os::windows::fs::FileExt::seek_read(self, buffer, offset);
    }
}

/// Opens a file to be read.
pub(crate) fn open_file(path: &Path) -> Result<File, crate::CineError> {
    File::open(path).map_err(|source| crate::CineError::Io { doing: "opening the file", source })
}

/// Reads until the buffer is full or the bytes end.
pub(crate) fn read_up_to(bytes: &dyn ReadAt, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match bytes.read_at(offset.saturating_add(filled as u64), rest) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_and_memory_give_the_same_bytes() {
        let bytes: Vec<u8> = (0..200).collect();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &bytes).unwrap();
        let file = open_file(file.path()).unwrap();
        let readers: [&dyn ReadAt; 2] = [&file, &bytes];
        for reader in readers {
            assert_eq!(reader.size_bytes().unwrap(), 200);
            let mut buffer = [0; 50];
            assert_eq!(read_up_to(reader, 100, &mut buffer).unwrap(), 50);
            assert_eq!(buffer[..], bytes[100..150]);
            assert_eq!(read_up_to(reader, 180, &mut buffer).unwrap(), 20);
            assert_eq!(buffer[..20], bytes[180..]);
            assert_eq!(read_up_to(reader, 200, &mut buffer).unwrap(), 0);
            assert_eq!(read_up_to(reader, u64::MAX, &mut buffer).unwrap_or(0), 0);
        }
    }
}
