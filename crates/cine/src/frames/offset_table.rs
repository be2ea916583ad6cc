//! The basic and the extended offset table, both taken as hints only (PS3.5 annex A.4).

use crate::error::CineError;
use crate::frames::fragments::{FragmentsEnd, ItemHeader, item_header_at};
use crate::frames::{Extent, fragments};
use crate::scan::Source;

/// Longer tables than this are ignored: the frames are found without them.
const MAX_TABLE_BYTES: u64 = 16 << 20;

/// Returns the basic offset table, empty where it is, and the offset of the first item behind it.
pub(crate) fn basic_offset_table(source: &Source, offset: u64) -> Result<(Vec<u64>, u64), CineError> {
    let truncated = || CineError::Truncated { inside: "the basic offset table".into() };
    match item_header_at(source, offset)? {
        ItemHeader::Item(extent) if extent.end() > source.len() => Err(truncated()),
        ItemHeader::Item(extent) if extent.length > MAX_TABLE_BYTES => Ok((Vec::new(), extent.end())),
        ItemHeader::Item(extent) => {
            let bytes = source.read_vec(extent.offset, extent.length, "the basic offset table")?;
            let (entries, _) = bytes.as_chunks::<4>();
            let table = entries.iter().map(|entry| u64::from(u32::from_le_bytes(*entry))).collect();
            Ok((table, extent.end()))
        }
        ItemHeader::EndOfFile => Err(truncated()),
        ItemHeader::Delimiter | ItemHeader::NotAnItem => Err(CineError::CorruptHeader {
            tag: dicom_dictionary_std::tags::PIXEL_DATA,
            reason: "encapsulated pixel data does not begin with an offset table".into(),
        }),
    }
}

/// Returns whether a table is plausible enough to do without a walk over all items: one ascending entry a frame from 0
/// on, with an item behind the first and the last entry, and the last frame whole.
///
/// Several fragments behind the only entry may be as many frames, of which the header knows one.
pub(crate) fn is_trustworthy(
    source: &Source,
    table: &[u64],
    first_item: u64,
    element_end: Option<u64>,
    frames: u32,
) -> Result<bool, CineError> {
    let ascending = table.is_sorted_by(|a, b| a < b);
    if table.len() != frames as usize || table.first() != Some(&0) || !ascending {
        return Ok(false);
    }
    let first_is_item = matches!(item_header_at(source, first_item)?, ItemHeader::Item(_));
    let last = first_item.saturating_add(table.last().copied().unwrap_or(0));
    if !first_is_item || last >= source.len() {
        return Ok(false);
    }
    let rest = fragments::walk_fragments(source, last, element_end)?;
    let [_, behind @ ..] = rest.extents.as_slice() else {
        return Ok(false);
    };
    if frames == 1 && !behind.is_empty() {
        return Ok(false);
    }
    Ok(matches!(rest.end, FragmentsEnd::Delimiter { .. }))
}

/// Returns the fragments of frame `index` as the table says; nothing where its offset is not that of an item.
pub(crate) fn frame_from_table(
    source: &Source,
    table: &[u64],
    first_item: u64,
    element_end: Option<u64>,
    index: u32,
) -> Result<Option<Vec<Extent>>, CineError> {
    let Some(start) = table.get(index as usize) else {
        return Ok(None);
    };
    let next = table.get(index as usize + 1).map(|offset| first_item.saturating_add(*offset)).or(element_end);
    let mut position = first_item.saturating_add(*start);
    let mut extents = Vec::new();
    while next.is_none_or(|next| position < next) {
        match item_header_at(source, position)? {
            ItemHeader::Item(extent) if extent.end() <= source.len() => {
                position = extent.end();
                if extent.length > 0 {
                    extents.push(extent);
                }
            }
            ItemHeader::Delimiter if next.is_none() => break,
            _ => return Ok(None),
        }
    }
    let lands_on_next = next.is_none_or(|next| position == next);
    Ok((lands_on_next && !extents.is_empty()).then_some(extents))
}
