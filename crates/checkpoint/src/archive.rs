//! Zip archives: the container of `.keras` files and of PyTorch since 1.6.
//!
//! Stored entries are slices of the file, so nothing is copied; deflated ones are inflated into as much as the directory
//! says. The directory must lie exactly between the entries and the end record, and each entry that is read must have
//! the directory's CRC-32. Format: PKWARE APPNOTE 6.3.10, sections 4.3.7 to 4.3.16.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::budget::Budget;
use crate::bytes::{Reader, text};
use crate::error::Fault;

const LOCAL_HEADER: &[u8] = b"PK\x03\x04";
const DIRECTORY_HEADER: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";
const END_BYTES: usize = 22;
const END_64: &[u8] = b"PK\x06\x06";
const END_64_LOCATOR: &[u8] = b"PK\x06\x07";
const END_64_LOCATOR_BYTES: usize = 20;
/// A 32-bit field with this value has its true value in the zip64 records.
const IN_ZIP64: u64 = 0xffff_ffff;
/// Memory that one entry takes beside its name.
const ENTRY_BYTES: usize = 160;

/// The directory of a zip archive.
pub(crate) struct Archive<'a> {
    bytes: &'a [u8],
    entries: BTreeMap<&'a str, Entry>,
}

/// One entry as the directory describes it.
pub(crate) struct Entry {
    is_deflated: bool,
    is_encrypted: bool,
    crc: u32,
    pub(crate) stored_bytes: usize,
    bytes: usize,
    pub(crate) header_at: usize,
}

/// The place of the directory in the file.
pub(crate) struct DirectoryPlace {
    /// Number of entries.
    pub(crate) entries: u64,
    /// Offset of its first byte.
    pub(crate) start: u64,
    /// Offset behind its last byte.
    pub(crate) end: u64,
}

impl<'a> Archive<'a> {
    /// Returns whether `bytes` start as an archive does.
    pub(crate) fn is_archive(bytes: &[u8]) -> bool {
        bytes.starts_with(LOCAL_HEADER) || bytes.starts_with(END)
    }

    /// Reads the directory of the archive that `bytes` are.
    pub(crate) fn open(bytes: &'a [u8], budget: &Budget) -> Result<Archive<'a>, Fault> {
        let place = find_directory(bytes, 0)?;
        let no_size = |_| Fault::damaged("zip end record", "the directory lies beyond the file");
        let start = usize::try_from(place.start).map_err(no_size)?;
        let end = usize::try_from(place.end).map_err(no_size)?;
        let mut directory = Reader::at(&bytes[..end], start, "zip directory");
        Ok(Archive { bytes, entries: read_directory(&mut directory, place.entries, budget)? })
    }

    /// The names of all entries, sorted.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.entries.keys().copied()
    }

    /// The content of an entry, or `None` where the archive has no entry of that name.
    pub(crate) fn read(&self, name: &str, budget: &Budget) -> Result<Option<Cow<'a, [u8]>>, Fault> {
        let Some(entry) = self.entries.get(name) else { return Ok(None) };
        self.content(name, entry, budget).map(Some).map_err(|fault| fault.within(&format!("zip entry {name}")))
    }

    fn content(&self, name: &str, entry: &Entry, budget: &Budget) -> Result<Cow<'a, [u8]>, Fault> {
        let mut reader = Reader::at(self.bytes, entry.header_at, "local header");
        let (name_bytes, extra_bytes) = read_local_header(&mut reader)?;
        if reader.take(name_bytes)? != name.as_bytes() {
            return Err(reader.damaged("has another name than in the directory"));
        }
        reader.skip(extra_bytes)?;
        entry.content(reader.take(entry.stored_bytes)?, budget)
    }
}

/// Number of bytes of a local header before its name.
pub(crate) const LOCAL_HEADER_BYTES: usize = 30;

/// Reads a local header up to its name and returns the lengths of the name and of the extra field behind it.
pub(crate) fn read_local_header(reader: &mut Reader<'_>) -> Result<(usize, usize), Fault> {
    reader.expect(LOCAL_HEADER)?;
    reader.skip(22)?;
    Ok((reader.u16()?.into(), reader.u16()?.into()))
}

impl Entry {
    /// Returns the content of which `stored` are the bytes in the file.
    pub(crate) fn content<'a>(&self, stored: &'a [u8], budget: &Budget) -> Result<Cow<'a, [u8]>, Fault> {
        if self.is_encrypted {
            return Err(Fault::not_read("flags", "encryption"));
        }
        budget.work(self.bytes / 16, "content")?;
        let content = match self.is_deflated {
            false => Cow::Borrowed(stored),
            true => Cow::Owned(inflate(stored, self.bytes, false, budget)?),
        };
        if content.len() != self.bytes {
            return Err(Fault::damaged("content", format!("{} bytes instead of {}", content.len(), self.bytes)));
        }
        if crc32fast::hash(&content) != self.crc {
            return Err(Fault::damaged("content", "does not have the checksum that the directory gives"));
        }
        Ok(content)
    }
}

/// Inflates `stored` into exactly `bytes` bytes; with `has_zlib_header` for zlib streams, else raw deflate.
pub(crate) fn inflate(stored: &[u8], bytes: usize, has_zlib_header: bool, budget: &Budget) -> Result<Vec<u8>, Fault> {
    let mut content = budget.vec::<u8>(bytes, "deflated content")?;
    let mut inflater = flate2::Decompress::new(has_zlib_header);
    let status = inflater
        .decompress_vec(stored, &mut content, flate2::FlushDecompress::Finish)
        .map_err(|error| Fault::damaged("deflated content", error.to_string()))?;
    if status != flate2::Status::StreamEnd || content.len() != bytes {
        return Err(Fault::damaged("deflated content", format!("does not inflate to {bytes} bytes")));
    }
    Ok(content)
}

/// Reads the entries of a directory, which must end where they do.
pub(crate) fn read_directory<'a>(
    directory: &mut Reader<'a>,
    count: u64,
    budget: &Budget,
) -> Result<BTreeMap<&'a str, Entry>, Fault> {
    let mut entries = BTreeMap::new();
    for _ in 0..count {
        budget.allocate(ENTRY_BYTES, "zip directory")?;
        let at = directory.position();
        let (name, entry) = read_directory_entry(directory)?;
        if entries.insert(name, entry).is_some() {
            return Err(Fault::damaged(format!("zip directory at offset {at}"), format!("{name} is there twice")));
        }
    }
    if directory.left() > 0 {
        return Err(directory.damaged(format!("{count} entries end {} bytes too early", directory.left())));
    }
    Ok(entries)
}

/// Finds the directory of an archive of which `bytes` are the end, from offset `base` on.
pub(crate) fn find_directory(bytes: &[u8], base: u64) -> Result<DirectoryPlace, Fault> {
    let end_at = find_end(bytes)?;
    let mut end = Reader::at(bytes, end_at, "zip end record");
    end.skip(4)?;
    let (disk, directory_disk) = (end.u16()?, end.u16()?);
    let (count_here, mut entries) = (u64::from(end.u16()?), u64::from(end.u16()?));
    let (mut length, mut start) = (u64::from(end.u32()?), u64::from(end.u32()?));
    if disk != 0 || directory_disk != 0 || count_here != entries {
        return Err(end.not_read("an archive in several parts"));
    }
    let mut directory_end = base + end_at as u64;
    if let Some(locator_at) = end_at.checked_sub(END_64_LOCATOR_BYTES)
        && bytes[locator_at..].starts_with(END_64_LOCATOR)
    {
        let mut locator = Reader::at(bytes, locator_at, "zip64 locator");
        locator.skip(8)?;
        directory_end = locator.u64()?;
        let at = directory_end.checked_sub(base).and_then(|at| usize::try_from(at).ok());
        let at = at.ok_or_else(|| locator.damaged("the zip64 end record is not before its locator"))?;
        let mut end = Reader::at(bytes, at, "zip64 end record");
        end.expect(END_64)?;
        let record_end = end.size()?.checked_add(end.position());
        if record_end != Some(locator_at) {
            return Err(end.damaged("does not end where the locator starts"));
        }
        end.skip(12)?;
        end.skip(8)?;
        (entries, length, start) = (end.u64()?, end.u64()?, end.u64()?);
    }
    if start.checked_add(length) != Some(directory_end) {
        let what = format!("a directory of {length} bytes at {start} does not end at {directory_end}");
        return Err(Fault::damaged("zip end record", format!("{what}: something was cut out or added")));
    }
    Ok(DirectoryPlace { entries, start, end: directory_end })
}

/// The end record: the last thing in the file but for a comment of at most 65535 bytes.
fn find_end(bytes: &[u8]) -> Result<usize, Fault> {
    let last = bytes.len().checked_sub(END_BYTES);
    let first = bytes.len().saturating_sub(END_BYTES + usize::from(u16::MAX));
    let found = last.and_then(|last| {
        (first..=last).rev().find(|&at| {
            let comment_bytes = u16::from_le_bytes([bytes[at + 20], bytes[at + 21]]);
            bytes[at..].starts_with(END) && at + END_BYTES + usize::from(comment_bytes) == bytes.len()
        })
    });
    found
        .ok_or_else(|| Fault::damaged("zip archive", "the end record is missing: truncated, or something was appended"))
}

fn read_directory_entry<'a>(directory: &mut Reader<'a>) -> Result<(&'a str, Entry), Fault> {
    directory.expect(DIRECTORY_HEADER)?;
    directory.skip(4)?;
    let flags = directory.u16()?;
    let is_deflated = match directory.u16()? {
        0 => false,
        8 => true,
        method => return Err(directory.not_read(format!("compression method {method}"))),
    };
    directory.skip(4)?;
    let crc = directory.u32()?;
    let (stored_bytes, bytes) = (u64::from(directory.u32()?), u64::from(directory.u32()?));
    let (name_bytes, extra_bytes, comment_bytes) = (directory.u16()?, directory.u16()?, directory.u16()?);
    directory.skip(8)?;
    let header_at = u64::from(directory.u32()?);
    let name = text(directory.take(name_bytes.into())?, "a name in the zip directory")?;
    let extra = directory.take(extra_bytes.into())?;
    directory.skip(comment_bytes.into())?;

    let [bytes, stored_bytes, header_at] = resolve_zip64([bytes, stored_bytes, header_at], extra)?;
    if !is_deflated && stored_bytes != bytes {
        return Err(directory.damaged(format!("{name} is stored in {stored_bytes} bytes, but has {bytes}")));
    }
    Ok((name, Entry { is_deflated, is_encrypted: flags & 1 != 0, crc, stored_bytes, bytes, header_at }))
}

/// Replaces those of size, stored size and header offset that stand in the zip64 extra field.
fn resolve_zip64(mut fields: [u64; 3], extra: &[u8]) -> Result<[usize; 3], Fault> {
    let mut extra = Reader::at(extra, 0, "zip extra field");
    while extra.left() >= 4 && fields.contains(&IN_ZIP64) {
        let (id, length) = (extra.u16()?, extra.u16()?);
        let mut content = Reader::at(extra.take(length.into())?, 0, "zip64 extra field");
        if id == 1 {
            for field in fields.iter_mut().filter(|field| **field == IN_ZIP64) {
                *field = content.u64()?;
            }
            break;
        }
    }
    let mut sizes = [0; 3];
    for (size, field) in sizes.iter_mut().zip(fields) {
        *size = usize::try_from(field).map_err(|_| Fault::damaged("zip directory", format!("{field} is no size")))?;
    }
    Ok(sizes)
}
