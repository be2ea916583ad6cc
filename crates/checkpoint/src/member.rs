//! One weight file out of a large zip archive, read without the rest of it.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::archive::{self, Archive, Entry, LOCAL_HEADER_BYTES};
use crate::budget::Budget;
use crate::bytes::Reader;
use crate::error::Fault;
use crate::{Checkpoint, CheckpointError, read_any};

/// Bytes at the end of an archive that hold its end records, whatever its comment.
const MAX_END_BYTES: u64 = 65_535 + 22 + 20 + 56;
/// Bytes of a directory: more than a hundred thousand names.
const MAX_DIRECTORY_BYTES: u64 = 16 << 20;

/// Reads the weight file in the zip archive at `path` whose name is `name` or ends with `/name`.
///
/// Memory is taken for that file alone, not for the archive. `None` where `path` is no zip archive or holds no such file.
///
/// # Errors
/// Any [`CheckpointError`]; also where two files end with that name.
pub fn read_member(path: &Path, name: &str) -> Result<Option<Checkpoint>, CheckpointError> {
    let open_error = |source| CheckpointError::Open { path: path.to_owned(), source };
    let mut file = SizedFile::open(path).map_err(open_error)?;
    let stored = match file.stored_member(name) {
        Ok(Some(stored)) => stored,
        Ok(None) => return Ok(None),
        Err(Unread::Io(source)) => return Err(open_error(source)),
        Err(Unread::Fault(fault)) => return Err(fault.of_file(&path.display().to_string())),
    };
    let budget = Budget::for_file_of(stored.bytes.len());
    let read = stored.entry.content(&stored.bytes, &budget).and_then(|content| read_any(&content, &budget));
    read.map(Some).map_err(|fault| fault.within(&format!("zip entry {name}")).of_file(&path.display().to_string()))
}

/// A file that can be read in parts.
struct SizedFile {
    file: File,
    bytes: u64,
}

/// An entry and its bytes as they are stored.
struct StoredMember {
    entry: Entry,
    bytes: Vec<u8>,
}

/// Reason why a part of the file could not be had.
enum Unread {
    Io(io::Error),
    Fault(Fault),
}

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Fault> for Unread {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl SizedFile {
    fn open(path: &Path) -> io::Result<Self> {
        let metadata = std::fs::metadata(path)?;
        if !metadata.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        Ok(Self { file: File::open(path)?, bytes: metadata.len() })
    }

    /// The `length` bytes at offset `start`; an error where they are not all there.
    fn part(&mut self, start: u64, length: u64) -> Result<Vec<u8>, Unread> {
        if start.checked_add(length).is_none_or(|end| end > self.bytes) {
            let what = format!("{length} bytes at offset {start} do not lie in a file of {} bytes", self.bytes);
            return Err(Fault::damaged("zip archive", what).into());
        }
        self.file.seek(SeekFrom::Start(start))?;
        let mut part = Vec::new();
        let read = self.file.by_ref().take(length).read_to_end(&mut part)?;
        if (read as u64) < length {
            return Err(Fault::damaged("zip archive", "became shorter while it was read").into());
        }
        Ok(part)
    }

    fn stored_member(&mut self, name: &str) -> Result<Option<StoredMember>, Unread> {
        if !Archive::is_archive(&self.part(0, self.bytes.min(4))?) {
            return Ok(None);
        }
        let base = self.bytes.saturating_sub(MAX_END_BYTES);
        let place = archive::find_directory(&self.part(base, self.bytes - base)?, base)?;
        let length = place.end - place.start;
        if length > MAX_DIRECTORY_BYTES {
            return Err(Fault::not_read("zip directory", format!("a directory of {length} bytes")).into());
        }
        let directory = self.part(place.start, length)?;
        let mut reader = Reader::at(&directory, 0, "zip directory");
        let entries = archive::read_directory(&mut reader, place.entries, &Budget::for_file_of(directory.len()))?;
        let ending = format!("/{name}");
        let mut found = entries.into_iter().filter(|(path, _)| *path == name || path.ends_with(&ending));
        let Some((path, entry)) = found.next() else { return Ok(None) };
        if let Some((other, _)) = found.next() {
            return Err(Fault::not_read("zip directory", format!("both {path} and {other} could be meant")).into());
        }
        let header_at = entry.header_at as u64;
        let header = self.part(header_at, LOCAL_HEADER_BYTES as u64)?;
        let lengths = archive::read_local_header(&mut Reader::at(&header, 0, "local header"))?;
        let start = header_at + (LOCAL_HEADER_BYTES + lengths.0 + lengths.1) as u64;
        let bytes = self.part(start, entry.stored_bytes as u64)?;
        Ok(Some(StoredMember { entry, bytes }))
    }
}
