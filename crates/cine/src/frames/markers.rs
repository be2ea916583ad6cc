//! Codestream marks: where a compressed frame begins and ends.

use crate::error::CineError;
use crate::frames::Extent;
use crate::scan::Source;

/// Enough bytes to recognize the start of any codestream.
const START_BYTES: usize = 12;
const CHUNK_BYTES: usize = 64 << 10;
const START_OF_IMAGE: [u8; 2] = [0xFF, 0xD8];
const END_OF_IMAGE: [u8; 2] = [0xFF, 0xD9];

/// The compression that a codestream's first bytes show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codestream {
    /// JPEG or JPEG-LS.
    Jpeg,
    /// JPEG 2000 or HTJ2K.
    Jpeg2000,
    JpegXl,
    Rle,
}

impl Codestream {
    /// Returns whether the codestream ends with FFD9.
    pub(crate) fn has_end_mark(self) -> bool {
        matches!(self, Self::Jpeg | Self::Jpeg2000)
    }
}

/// Recognizes a codestream by its first bytes.
pub(crate) fn codestream_of(start: &[u8]) -> Option<Codestream> {
    const JPEG_2000: [u8; 4] = [0xFF, 0x4F, 0xFF, 0x51];
    const JPEG_2000_FILE: [u8; 8] = [0, 0, 0, 0x0C, b'j', b'P', b' ', b' '];
    const JPEG_XL_FILE: [u8; 8] = [0, 0, 0, 0x0C, b'J', b'X', b'L', b' '];
    if start.starts_with(&[0xFF, 0xD8, 0xFF]) {
        Some(Codestream::Jpeg)
    } else if start.starts_with(&JPEG_2000) || start.starts_with(&JPEG_2000_FILE) {
        Some(Codestream::Jpeg2000)
    } else if start.starts_with(&[0xFF, 0x0A]) || start.starts_with(&JPEG_XL_FILE) {
        Some(Codestream::JpegXl)
    } else if start.len() >= 8 && (1..=15).contains(&start[0]) && start[1..8] == [0, 0, 0, 64, 0, 0, 0] {
        Some(Codestream::Rle)
    } else {
        None
    }
}

/// Recognizes a codestream at the start of an extent, reading a few bytes.
pub(crate) fn codestream_at(source: &Source, extent: Extent) -> Result<Option<Codestream>, CineError> {
    let length = extent.length.min(START_BYTES as u64);
    Ok(codestream_of(&source.read_vec(extent.offset, length, "a frame")?))
}

/// The end of a frame's bytes, as far as it tells whether the frame is all there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FrameTail {
    /// The end mark, padding aside.
    EndMark,
    /// Zeros only: a copy that reserved its space may still fill them.
    Hole,
    /// Other bytes: the writer left the end mark out, or the frame was damaged before it was written.
    NoEndMark,
}

/// Reads the last bytes of an extent.
pub(crate) fn frame_tail(source: &Source, extent: Extent) -> Result<FrameTail, CineError> {
    // Encoders pad to an even length, and some to a block of zeros.
    let length = extent.length.min(64);
    let tail = source.read_vec(extent.end() - length, length, "a frame")?;
    let end = tail.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let unpadded = tail.get(..end).unwrap_or_default();
    // A pad byte may also be 0xFF.
    let without_fill = unpadded.strip_suffix(&[0xFF]).unwrap_or(unpadded);
    Ok(if unpadded.ends_with(&END_OF_IMAGE) || without_fill.ends_with(&END_OF_IMAGE) {
        FrameTail::EndMark
    } else if unpadded.is_empty() {
        FrameTail::Hole
    } else {
        FrameTail::NoEndMark
    })
}

/// Returns whether an extent ends with an end mark, padding aside.
pub(super) fn ends_with_end_mark(source: &Source, extent: Extent) -> Result<bool, CineError> {
    Ok(frame_tail(source, extent)? == FrameTail::EndMark)
}

/// Cuts one extent behind every end mark that another start mark follows; reads the bytes in small chunks.
pub(crate) fn split_at_end_marks(source: &Source, extent: Extent) -> Result<Vec<Extent>, CineError> {
    let mut pieces = Vec::new();
    let mut piece_start = extent.offset;
    let mut end_mark_seen = false;
    let mut previous = 0_u8;
    let mut position = extent.offset;
    while position < extent.end() {
        let length = (extent.end() - position).min(CHUNK_BYTES as u64);
        let chunk = source.read_vec(position, length, "a frame")?;
        for (index, &byte) in chunk.iter().enumerate() {
            let pair = [previous, byte];
            if pair == END_OF_IMAGE {
                end_mark_seen = true;
            } else if pair == START_OF_IMAGE && end_mark_seen {
                let next_start = (position + index as u64).saturating_sub(1);
                pieces.push(Extent { offset: piece_start, length: next_start - piece_start });
                piece_start = next_start;
                end_mark_seen = false;
            } else if byte != 0 && byte != 0xFF {
                // Anything but padding behind an end mark: it was no end of a frame.
                end_mark_seen = false;
            }
            previous = byte;
        }
        position += length;
    }
    pieces.push(Extent { offset: piece_start, length: extent.end() - piece_start });
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::{Extent, Source, split_at_end_marks};

    #[test]
    fn several_pictures_in_one_fragment_come_apart() {
        // An end mark that no start mark follows, padding aside, ends no picture.
        let bytes = b"\xFF\xD8a\xFF\xD9b\xFF\xD8c\xFF\xD9\0\xFF\xD8d\xFF\xD9".to_vec();
        let length = bytes.len() as u64;
        let source = Source::new(bytes).expect("a source in memory");
        let pieces = split_at_end_marks(&source, Extent { offset: 0, length }).expect("memory can be read");
        assert_eq!(pieces, [Extent { offset: 0, length: 12 }, Extent { offset: 12, length: 5 }]);
    }
}
