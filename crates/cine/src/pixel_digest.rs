//! Digests of a loop: of its pixel data, which another header leaves as it is, and of its data set.

use std::path::Path;

use domain::Sha256;
use sha2::Digest as _;

use crate::error::CineError;
use crate::frames::{Extent, basic_offset_table, walk_fragments};
use crate::open::OpenedDataSet;
use crate::scan::{PixelLocation, ReadAt, Source, find_data_set, open_file};

const CHUNK_BYTES: usize = 1 << 18;

/// Returns the SHA-256 of the pixel data of the file at `path`, as stored.
///
/// Of encapsulated pixel data only the fragments count: archives rewrite offset tables.
///
/// # Errors
/// The file cannot be read, or holds no pixel data.
pub fn pixel_sha256(path: &Path) -> Result<Sha256, CineError> {
    pixel_sha256_of(open_file(path)?)
}

/// Returns the SHA-256 of the pixel data of a file whose bytes lie anywhere, as [`pixel_sha256`] does.
///
/// # Errors
/// As for [`pixel_sha256`].
pub fn pixel_sha256_of(bytes: impl ReadAt + 'static) -> Result<Sha256, CineError> {
    let opened = OpenedDataSet::from_source(Source::new(bytes)?, &mut Vec::new())?;
    let source = &opened.source;
    let extents = match opened.scan.pixels {
        None => return Err(CineError::NoPixelData { sop_class_uid: String::new() }),
        Some(PixelLocation::Native { offset, length, .. } | PixelLocation::Bare { offset, length }) => {
            vec![Extent { offset, length }]
        }
        Some(PixelLocation::Encapsulated { offset, end }) => {
            let (_, first_item) = basic_offset_table(source, offset)?;
            walk_fragments(source, first_item, end)?.extents
        }
    };
    let mut hasher = sha2::Sha256::new();
    for extent in extents {
        hash(source, extent, &mut hasher)?;
    }
    Ok(<[u8; 32]>::from(hasher.finalize()).into())
}

/// Returns the SHA-256 of the data set of the file at `path`, as stored: all that follows the file meta group, which every
/// system that passes a file on writes anew.
///
/// # Errors
/// The file cannot be read, or is not DICOM.
pub fn data_set_sha256(path: &Path) -> Result<Sha256, CineError> {
    let source = Source::new(open_file(path)?)?;
    let offset = find_data_set(&source, &mut Vec::new())?.data_set_offset;
    let mut hasher = sha2::Sha256::new();
    hash(&source, Extent { offset, length: source.len().saturating_sub(offset) }, &mut hasher)?;
    Ok(<[u8; 32]>::from(hasher.finalize()).into())
}

fn hash(source: &Source, extent: Extent, hasher: &mut sha2::Sha256) -> Result<(), CineError> {
    let end = extent.end().min(source.len());
    let mut position = extent.offset;
    let mut buffer = vec![0; CHUNK_BYTES];
    while position < end {
        let wanted = usize::try_from(end - position).unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES);
        let chunk = buffer.get_mut(..wanted).unwrap_or_default();
        let count =
            source.read_up_to(position, chunk).map_err(|source| CineError::Io { doing: "reading the file", source })?;
        if count == 0 {
            return Ok(());
        }
        hasher.update(chunk.get(..count).unwrap_or_default());
        position += count as u64;
    }
    Ok(())
}
