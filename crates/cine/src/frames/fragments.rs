//! The items of encapsulated pixel data, found by their headers alone (PS3.5 annex A.4).

use crate::error::CineError;
use crate::scan::{ITEM, SEQUENCE_DELIMITER, Source};
use domain::{Finding, FindingCode};

/// More items than this is an attack, not a loop.
const MAX_FRAGMENTS: usize = 1 << 20;

/// A run of bytes in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extent {
    pub offset: u64,
    pub length: u64,
}

impl Extent {
    /// Returns the offset of the first byte behind the extent.
    pub(crate) fn end(&self) -> u64 {
        self.offset.saturating_add(self.length)
    }
}

/// Content at an offset where an item should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ItemHeader {
    /// An item with its value.
    Item(Extent),
    /// The delimiter that ends the pixel data.
    Delimiter,
    /// The file ends here, or inside this header.
    EndOfFile,
    /// Anything else.
    NotAnItem,
}

/// End of a run of items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FragmentsEnd {
    /// With the sequence delimiter, or where an element of defined length ends; the offset is that of the byte behind
    /// it.
    Delimiter { end: u64 },
    /// With the end of the file, exactly behind an item.
    NoDelimiter,
    /// The file ends inside an item or its header.
    CutItem,
    /// Bytes that are no item stand where one should be.
    NotAnItem,
}

impl FragmentsEnd {
    /// Returns the finding about an odd end.
    pub(crate) fn finding(self) -> Option<Finding> {
        let (code, message) = match self {
            Self::Delimiter { .. } => return None,
            Self::NoDelimiter => (FindingCode::NoSequenceDelimiter, "the pixel data ends without its delimiter"),
            Self::CutItem => (FindingCode::Truncated, "the file ends inside a fragment of the pixel data"),
            Self::NotAnItem => {
                (FindingCode::CorruptItem, "the pixel data holds bytes that are no item; frames behind them are lost")
            }
        };
        Some(Finding::new(code, message))
    }
}

/// All fragments from an offset on.
#[derive(Debug, Clone)]
pub(crate) struct Fragments {
    /// The whole fragments in file order.
    pub extents: Vec<Extent>,
    /// Their end.
    pub end: FragmentsEnd,
}

/// Reads the 8 bytes of an item header; pixel data in items is always little endian.
pub(crate) fn item_header_at(source: &Source, offset: u64) -> Result<ItemHeader, CineError> {
    let mut header = [0; 8];
    let count = source
        .read_up_to(offset, &mut header)
        .map_err(|source| CineError::Io { doing: "reading an item header", source })?;
    if count < header.len() {
        return Ok(ItemHeader::EndOfFile);
    }
    let [g0, g1, e0, e1, length @ ..] = header;
    let tag = dicom_core::Tag(u16::from_le_bytes([g0, g1]), u16::from_le_bytes([e0, e1]));
    Ok(match tag {
        ITEM => ItemHeader::Item(Extent { offset: offset + 8, length: u64::from(u32::from_le_bytes(length)) }),
        SEQUENCE_DELIMITER => ItemHeader::Delimiter,
        _ => ItemHeader::NotAnItem,
    })
}

/// Walks the item headers from `offset` on, seeking over every value, up to the delimiter or to `element_end`.
pub(crate) fn walk_fragments(source: &Source, offset: u64, element_end: Option<u64>) -> Result<Fragments, CineError> {
    let mut extents = Vec::new();
    let mut position = offset;
    let end = loop {
        if let Some(end) = element_end.filter(|end| position >= *end) {
            break FragmentsEnd::Delimiter { end };
        }
        match item_header_at(source, position)? {
            ItemHeader::Item(extent) if extent.end() > source.len() => break FragmentsEnd::CutItem,
            ItemHeader::Item(extent) => {
                position = extent.end();
                extents.push(extent);
            }
            ItemHeader::Delimiter => break FragmentsEnd::Delimiter { end: position + 8 },
            ItemHeader::EndOfFile if position == source.len() => break FragmentsEnd::NoDelimiter,
            ItemHeader::EndOfFile => break FragmentsEnd::CutItem,
            ItemHeader::NotAnItem => break FragmentsEnd::NotAnItem,
        }
        if extents.len() > MAX_FRAGMENTS {
            return Err(CineError::TooLarge {
                what: "the list of pixel data fragments",
                bytes: extents.len() as u64,
                limit: MAX_FRAGMENTS as u64,
            });
        }
    };
    Ok(Fragments { extents, end })
}
