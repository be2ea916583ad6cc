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
struct Entry {
    is_deflated: bool,
    is_encrypted: bool,
    crc: u32,
    stored_bytes: usize,
    bytes: usize,
    header_at: usize,
}

impl<'a> Archive<'a> {
    /// Returns whether `bytes` start as an archive does.
    pub(crate) fn is_archive(bytes: &[u8]) -> bool {
        bytes.starts_with(LOCAL_HEADER) || bytes.starts_with(END)
    }

    /// Reads the directory of the archive that `bytes` are.
    pub(crate) fn open(bytes: &'a [u8], budget: &Budget) -> Result<Archive<'a>, Fault> {
        let (count, mut directory, end) = find_directory(bytes)?;
        let mut entries = BTreeMap::new();
        for _ in 0..count {
            budget.allocate(ENTRY_BYTES, "zip directory")?;
            let at = directory.position();
            let (name, entry) = read_directory_entry(&mut directory)?;
            if entries.insert(name, entry).is_some() {
                return Err(Fault::damaged(format!("zip directory at offset {at}"), format!("{name} is there twice")));
            }
        }
        if directory.position() != end {
            return Err(directory.damaged(format!("{count} entries do not end at offset {end}")));
        }
        Ok(Archive { bytes, entries })
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
        if entry.is_encrypted {
            return Err(Fault::not_read("flags", "encryption"));
        }
        let mut reader = Reader::at(self.bytes, entry.header_at, "local header");
        reader.expect(LOCAL_HEADER)?;
        reader.skip(22)?;
        let (name_bytes, extra_bytes) = (reader.u16()?, reader.u16()?);
        if reader.take(name_bytes.into())? != name.as_bytes() {
            return Err(reader.damaged("has another name than in the directory"));
        }
        reader.skip(extra_bytes.into())?;
        let stored = reader.take(entry.stored_bytes)?;
        budget.work(entry.bytes / 16, "content")?;
        let content = match entry.is_deflated {
            false => Cow::Borrowed(stored),
            true => Cow::Owned(inflate(stored, entry.bytes, false, budget)?),
        };
        if content.len() != entry.bytes {
            return Err(Fault::damaged("content", format!("{} bytes instead of {}", content.len(), entry.bytes)));
        }
        if crc32fast::hash(&content) != entry.crc {
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

/// Number of entries, the directory, and the offset it must end at.
fn find_directory(bytes: &[u8]) -> Result<(u64, Reader<'_>, usize), Fault> {
    let end_at = find_end(bytes)?;
    let mut end = Reader::at(bytes, end_at, "zip end record");
    end.skip(4)?;
    let (disk, directory_disk) = (end.u16()?, end.u16()?);
    let (count_here, mut count) = (u64::from(end.u16()?), u64::from(end.u16()?));
    let (mut length, mut start) = (u64::from(end.u32()?), u64::from(end.u32()?));
    if disk != 0 || directory_disk != 0 || count_here != count {
        return Err(end.not_read("an archive in several parts"));
    }
    let mut directory_end = end_at;
    if let Some(locator_at) = end_at.checked_sub(END_64_LOCATOR_BYTES)
        && bytes[locator_at..].starts_with(END_64_LOCATOR)
    {
        let mut locator = Reader::at(bytes, locator_at, "zip64 locator");
        locator.skip(8)?;
        directory_end = locator.size()?;
        let mut end = Reader::at(bytes, directory_end, "zip64 end record");
        end.expect(END_64)?;
        let record_end = end.size()?.checked_add(end.position());
        if record_end != Some(locator_at) {
            return Err(end.damaged("does not end where the locator starts"));
        }
        end.skip(12)?;
        end.skip(8)?;
        (count, length, start) = (end.u64()?, end.u64()?, end.u64()?);
    }
    if start.checked_add(length) != Some(directory_end as u64) {
        let what = format!("a directory of {length} bytes at {start} does not end at {directory_end}");
        return Err(Fault::damaged("zip end record", format!("{what}: something was cut out or added")));
    }
    let start = usize::try_from(start).map_err(|_| end.damaged("the directory lies beyond the file"))?;
    Ok((count, Reader::at(&bytes[..directory_end], start, "zip directory"), directory_end))
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
