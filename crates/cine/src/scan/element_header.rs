//! One element header: tag, value representation, length (PS3.5 section 7.1).

use dicom_core::Tag;

use crate::error::CineError;
use crate::scan::cursor::Cursor;
use crate::scan::{Encoding, ITEM};

/// A value representation's two letters; `None` in implicit encodings.
pub(crate) type VrLetters = Option<[u8; 2]>;

/// One element header and where its value begins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ElementHeader {
    pub tag: Tag,
    pub vr: VrLetters,
    pub length: u32,
    pub value_offset: u64,
}

/// Returns whether two bytes are a value representation of PS3.5 section 6.2.
pub(crate) fn is_known_vr(letters: [u8; 2]) -> bool {
    const SHORT: [&[u8; 2]; 21] = [
        b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"LT", b"PN", b"SH", b"SL", b"SS",
        b"ST", b"TM", b"UI", b"UL", b"US",
    ];
    SHORT.contains(&&letters) || has_long_length(letters)
}

/// Returns whether the value representation has two reserved bytes and a 32-bit length.
fn has_long_length(letters: [u8; 2]) -> bool {
    const LONG: [&[u8; 2]; 13] =
        [b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"];
    LONG.contains(&&letters)
}

/// Returns whether two bytes stand where a value representation should and are none: some writers put `??` there, with
/// a 16-bit length behind it. As the low half of an implicit length they would be odd, which no length is.
pub(crate) fn is_placeholder_vr(letters: [u8; 2]) -> bool {
    letters == *b"??"
}

/// Returns the encoding of a sequence's items, from the header of the first item and of the first element in it.
///
/// `stated` is what the standard says of the sequence; it stands where the bytes decide nothing.
pub(crate) fn encoding_of_first_item(bytes: [u8; 16], stated: Encoding) -> Encoding {
    let [i0, i1, i2, i3, _, _, _, _, t0, t1, _, _, v0, v1, _, _] = bytes;
    let big_endian = match [false, true].map(|big_endian| tag_from([i0, i1, i2, i3], big_endian) == ITEM) {
        [true, _] => false,
        [_, true] => true,
        // No item: a delimiter or nonsense, which the walk names.
        [false, false] => return stated,
    };
    let is_item_mark = |group: u16| group == 0xFFFE;
    let group = if big_endian { u16::from_be_bytes([t0, t1]) } else { u16::from_le_bytes([t0, t1]) };
    // An empty item is followed by a mark, which has no value representation in any encoding.
    let explicit_vr =
        if is_item_mark(group) { stated.explicit_vr } else { stated.explicit_vr || is_known_vr([v0, v1]) };
    Encoding { explicit_vr, big_endian }
}

/// Returns the tag in four bytes.
pub(crate) fn tag_from(bytes: [u8; 4], big_endian: bool) -> Tag {
    let [a, b, c, d] = bytes;
    if big_endian {
        Tag(u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]))
    } else {
        Tag(u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]))
    }
}

fn u32_from(bytes: [u8; 4], big_endian: bool) -> u32 {
    if big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
}

/// Reads the element header at the cursor; nothing where the file ends before it is whole.
pub(crate) fn read_element_header(
    cursor: &mut Cursor<'_>,
    encoding: Encoding,
) -> Result<Option<ElementHeader>, CineError> {
    let Some([t0, t1, t2, t3, a, b, c, d]) = cursor.take::<8>()? else {
        return Ok(None);
    };
    let tag = tag_from([t0, t1, t2, t3], encoding.big_endian);
    let letters = [a, b];
    // Item and delimiter tags carry no value representation in any encoding. Some writers drop into implicit
    // elements inside an explicit data set; two bytes that are not letters can then only be part of a length.
    let implicit = !encoding.explicit_vr
        || tag.group() == 0xFFFE
        || !(letters.iter().all(u8::is_ascii_uppercase) || is_placeholder_vr(letters));
    let (vr, length) = if implicit {
        (None, u32_from([a, b, c, d], encoding.big_endian))
    } else if has_long_length(letters) {
        let Some(long) = cursor.take::<4>()? else {
            return Ok(None);
        };
        (Some(letters), u32_from(long, encoding.big_endian))
    } else {
        let short = if encoding.big_endian { u16::from_be_bytes([c, d]) } else { u16::from_le_bytes([c, d]) };
        (Some(letters), u32::from(short))
    };
    Ok(Some(ElementHeader { tag, vr, length, value_offset: cursor.position }))
}
