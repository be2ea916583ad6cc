//! PALETTE COLOR look-up tables, plain and segmented (PS3.3 C.7.6.3.1.5, .6 and C.7.9.2).

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use crate::scan::DataSet;

/// A table never has more entries than this.
const MAX_ENTRIES: usize = 1 << 16;

/// Red, green and blue look-up tables with 8-bit entries.
#[derive(Debug, Clone)]
pub(crate) struct Palette {
    channels: [Channel; 3],
}

#[derive(Debug, Clone)]
struct Channel {
    /// The index that the first entry stands for.
    first_index: i32,
    entries: Vec<u8>,
}

impl Palette {
    /// Reads the three tables; nothing where one is absent or empty.
    pub(crate) fn read(data_set: &DataSet, is_signed: bool) -> Option<Self> {
        let channel = |descriptor, data, segmented| Channel::read(data_set, descriptor, data, segmented, is_signed);
        Some(Self {
            channels: [
                channel(
                    tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
                    tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
                    tags::SEGMENTED_RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
                )?,
                channel(
                    tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
                    tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
                    tags::SEGMENTED_GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
                )?,
                channel(
                    tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
                    tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
                    tags::SEGMENTED_BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
                )?,
            ],
        })
    }

    /// Indices of 1 or 2 bytes to RGB8. An index outside a table takes its nearest entry.
    pub(crate) fn to_rgb(&self, indices: &[u8], bytes_per_sample: u16) -> Vec<u8> {
        let mut rgb = Vec::with_capacity(indices.len() / usize::from(bytes_per_sample.max(1)) * 3);
        let mut push = |index: i32| rgb.extend(self.channels.iter().map(|channel| channel.at(index)));
        if bytes_per_sample == 1 {
            indices.iter().for_each(|index| push(i32::from(*index)));
        } else {
            let (words, _) = indices.as_chunks::<2>();
            words.iter().for_each(|word| push(i32::from(u16::from_le_bytes(*word))));
        }
        rgb
    }
}

impl Channel {
    fn read(data_set: &DataSet, descriptor: Tag, data: Tag, segmented: Tag, is_signed: bool) -> Option<Self> {
        let &[count, first, bits, ..] = data_set.u16s(descriptor).as_slice() else {
            return None;
        };
        let count = if count == 0 { MAX_ENTRIES } else { usize::from(count) };
        let first_index = if is_signed { i32::from(first.cast_signed()) } else { i32::from(first) };
        let wide = match data_set.bytes(data).filter(|bytes| !bytes.is_empty()) {
            Some(bytes) => plain_entries(bytes, &data_set.u16s(data), count, bits),
            None => expand_segments(&data_set.u16s(segmented), count),
        };
        let entries = eight_bit_entries(&wide, bits);
        (!entries.is_empty()).then_some(Self { first_index, entries })
    }

    fn at(&self, index: i32) -> u8 {
        let last = self.entries.len().saturating_sub(1);
        let at = usize::try_from(index - self.first_index).unwrap_or(0).min(last);
        self.entries.get(at).copied().unwrap_or(0)
    }
}

/// Returns the entries as 16-bit numbers: 8-bit tables may be stored one entry a byte or one entry a word.
fn plain_entries(bytes: &[u8], words: &[u16], count: usize, bits: u16) -> Vec<u16> {
    if bits == 8 && bytes.len() < count * 2 {
        bytes.iter().take(count).map(|byte| u16::from(*byte)).collect()
    } else {
        words.iter().take(count).copied().collect()
    }
}

/// Returns the high byte of 16-bit entries. Tables that say 16 bits and hold nothing above 255 are 8-bit tables.
fn eight_bit_entries(entries: &[u16], bits: u16) -> Vec<u8> {
    let is_narrow = bits == 8 || entries.iter().all(|entry| *entry <= 0xFF);
    let shift = if is_narrow { 0 } else { 8 };
    entries.iter().map(|entry| (entry >> shift).min(0xFF) as u8).collect()
}

/// Expands discrete (0), linear (1) and indirect (2) segments (PS3.3 C.7.9.2.2). Stops at the first that is damaged.
fn expand_segments(words: &[u16], count: usize) -> Vec<u16> {
    let mut entries = Vec::new();
    let mut rest = words;
    while let [opcode, length, after @ ..] = rest {
        let consumed = match opcode {
            0 | 1 => expand_simple(*opcode, usize::from(*length), after, &mut entries),
            2 => expand_indirect(words, usize::from(*length), after, count, &mut entries),
            _ => None,
        };
        match consumed.and_then(|words| after.get(words..)) {
            Some(next) if entries.len() < count => rest = next,
            _ => break,
        }
    }
    entries.truncate(count);
    entries
}

/// Expands a discrete or linear segment; returns the number of words it took behind its length.
fn expand_simple(opcode: u16, length: usize, after: &[u16], entries: &mut Vec<u16>) -> Option<usize> {
    if opcode == 0 {
        entries.extend_from_slice(after.get(..length)?);
        return Some(length);
    }
    let (end, start) = (i64::from(*after.first()?), i64::from(entries.last().copied()?));
    let steps = length as i64;
    entries.extend((1..=steps).map(|step| (start + (end - start) * step / steps) as u16));
    Some(1)
}

/// Repeats `segments` simple segments that stand earlier, at a byte offset.
fn expand_indirect(
    words: &[u16],
    segments: usize,
    after: &[u16],
    count: usize,
    entries: &mut Vec<u16>,
) -> Option<usize> {
    let [low, high, ..] = after else {
        return None;
    };
    let byte_offset = usize::from(*high) << 16 | usize::from(*low);
    let mut rest = words.get(byte_offset / 2..)?;
    for _ in 0..segments {
        let [opcode @ (0 | 1), length, data @ ..] = rest else {
            return None;
        };
        let used = expand_simple(*opcode, usize::from(*length), data, entries)?;
        rest = data.get(used..)?;
        if entries.len() >= count {
            break;
        }
    }
    Some(2)
}

#[cfg(test)]
mod tests {
    use super::{eight_bit_entries, expand_segments, plain_entries};

    #[test]
    fn segments_expand() {
        // Two discrete entries, a line over four to 8, then both again.
        let words = [0, 2, 0, 4, 1, 4, 8, 2, 2, 0, 0];
        assert_eq!(expand_segments(&words, 100), [0, 4, 5, 6, 7, 8, 0, 4, 5, 6, 7, 8]);
        assert_eq!(expand_segments(&words, 3), [0, 4, 5]);
        assert!(expand_segments(&[1, 4, 8], 10).is_empty(), "a line needs a start");
    }

    #[test]
    fn entries_narrow_to_their_high_byte() {
        assert_eq!(eight_bit_entries(&[0x1234, 0xFFFF], 16), [0x12, 0xFF]);
        assert_eq!(eight_bit_entries(&[0x12, 0xFF], 16), [0x12, 0xFF]);
        assert_eq!(plain_entries(&[1, 2, 3, 4], &[0x0201, 0x0403], 4, 8), [1, 2, 3, 4]);
        assert_eq!(plain_entries(&[1, 0, 3, 0], &[1, 3], 2, 8), [1, 3]);
    }
}
