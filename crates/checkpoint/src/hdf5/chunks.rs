//! Chunked datasets: pieces of one size, each compressed, found through a version 1 B-tree.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::UNDEFINED;
use super::header::position;
use crate::archive::inflate;
use crate::budget::Budget;
use crate::bytes::Reader;
use crate::error::Fault;

const MAX_TREE_DEPTH: u8 = 32;

/// Chunks of a dataset and the filters that were applied to each.
pub(crate) struct Chunking<'s> {
    tree: u64,
    shape: &'s [usize],
    chunk_shape: Vec<usize>,
    element_bytes: usize,
    filters: Vec<Filter>,
}

#[derive(Clone, Copy)]
enum Filter {
    Deflate,
    /// The first bytes of all elements, then the second bytes, ...
    Shuffle(usize),
}

impl<'s> Chunking<'s> {
    /// Reads what follows version and class of a chunked layout message, and the filter message.
    pub(crate) fn read(
        mut layout: Reader,
        filters: Option<Reader>,
        shape: &'s [usize],
        element_bytes: usize,
    ) -> Result<Chunking<'s>, Fault> {
        let rank = usize::from(layout.u8()?).checked_sub(1);
        if rank != Some(shape.len()) || shape.is_empty() {
            return Err(layout.damaged("chunks have another number of axes than the dataset"));
        }
        let tree = layout.u64()?;
        let chunk_shape = shape.iter().map(|_| Ok(layout.u32()? as usize)).collect::<Result<Vec<_>, Fault>>()?;
        if layout.u32()? as usize != element_bytes || chunk_shape.contains(&0) {
            return Err(layout.damaged(format!("chunks of shape {chunk_shape:?} do not fit the datatype")));
        }
        let filters = filters.map(read_filters).transpose()?.unwrap_or_default();
        Ok(Chunking { tree, shape, chunk_shape, element_bytes, filters })
    }

    /// The number of chunks that cover the dataset.
    fn count(&self) -> Option<usize> {
        let pairs = self.shape.iter().zip(&self.chunk_shape);
        pairs.map(|(axis, chunk)| axis.div_ceil(*chunk)).try_fold(1_usize, usize::checked_mul)
    }

    fn chunk_bytes(&self) -> Option<usize> {
        self.chunk_shape.iter().try_fold(self.element_bytes, |bytes, axis| bytes.checked_mul(*axis))
    }
}

/// One chunk as the tree gives it.
struct Chunk {
    at: u64,
    stored_bytes: usize,
    skipped_filters: u32,
    offsets: Vec<usize>,
}

/// All elements of a chunked dataset of `length` bytes, row-major.
///
/// Each chunk of the grid must be there exactly once: a missing one would be zeros that nobody trained.
pub(crate) fn read(bytes: &[u8], chunking: &Chunking, length: usize, budget: &Budget) -> Result<Vec<u8>, Fault> {
    let mut data = budget.vec(length, "chunked values")?;
    if length == 0 {
        return Ok(data);
    }
    data.resize(length, 0);
    let chunk_bytes = chunking.chunk_bytes().ok_or_else(|| budget.too_costly("chunks"))?;
    if chunking.tree == UNDEFINED {
        return Err(Fault::damaged("chunked values", "the values were never written"));
    }
    let mut chunks = Vec::new();
    collect(bytes, chunking.tree, MAX_TREE_DEPTH, chunking, budget, &mut chunks)?;
    let mut seen = BTreeSet::new();
    for chunk in &chunks {
        let is_in_grid = chunk.offsets.iter().zip(chunking.shape).all(|(offset, axis)| offset < axis)
            && chunk.offsets.iter().zip(&chunking.chunk_shape).all(|(offset, axis)| offset % axis == 0);
        if !is_in_grid || !seen.insert(chunk.offsets.as_slice()) {
            let what = format!("the chunk at {:?} is there twice or outside of the dataset", chunk.offsets);
            return Err(Fault::damaged("chunk B-tree", what));
        }
    }
    if Some(chunks.len()) != chunking.count() {
        return Err(Fault::damaged("chunk B-tree", format!("has {} chunks, not all", chunks.len())));
    }
    for chunk in &chunks {
        let stored = Reader::at(bytes, position(chunk.at)?, "chunk").take(chunk.stored_bytes)?;
        let plain = unfilter(stored, chunk, chunking, chunk_bytes, budget)?;
        place(&plain, chunk, chunking, &mut data)?;
    }
    Ok(data)
}

fn read_filters(mut reader: Reader) -> Result<Vec<Filter>, Fault> {
    let (version, count) = (reader.u8()?, reader.u8()?);
    if !matches!(version, 1 | 2) {
        return Err(reader.damaged(format!("filter version {version}")));
    }
    reader.skip(if version == 1 { 6 } else { 0 })?;
    let mut filters = Vec::new();
    for _ in 0..count {
        let id = reader.u16()?;
        let name_bytes = if version == 1 || id >= 256 { usize::from(reader.u16()?) } else { 0 };
        reader.skip(2)?;
        let value_count = usize::from(reader.u16()?);
        reader.skip(if version == 1 { name_bytes.next_multiple_of(8) } else { name_bytes })?;
        let first_value = if value_count > 0 { reader.u32()? as usize } else { 0 };
        reader.skip(4 * value_count.saturating_sub(1))?;
        reader.skip(if version == 1 && value_count % 2 == 1 { 4 } else { 0 })?;
        filters.push(match id {
            1 => Filter::Deflate,
            2 if first_value > 0 => Filter::Shuffle(first_value),
            _ => return Err(reader.not_read(format!("filter {id}"))),
        });
    }
    Ok(filters)
}

fn collect(
    bytes: &[u8],
    address: u64,
    depth_left: u8,
    chunking: &Chunking,
    budget: &Budget,
    chunks: &mut Vec<Chunk>,
) -> Result<(), Fault> {
    budget.visit("chunk B-tree")?;
    let mut reader = Reader::at(bytes, position(address)?, "chunk B-tree");
    reader.expect(b"TREE\x01")?;
    let level = reader.u8()?;
    if level >= depth_left {
        return Err(reader.damaged("does not get lower from node to node, or is too deep"));
    }
    let children = reader.u16()?;
    reader.skip(16)?;
    for _ in 0..children {
        budget.work(1, "chunk B-tree")?;
        let (stored_bytes, skipped_filters) = (reader.u32()? as usize, reader.u32()?);
        if level > 0 {
            reader.skip(8 * (chunking.shape.len() + 1))?;
            collect(bytes, reader.u64()?, level, chunking, budget, chunks)?;
            continue;
        }
        // Twice: the offsets are also remembered as seen.
        budget.grow::<Chunk>(2, "chunk B-tree")?;
        budget.allocate(8 * chunking.shape.len(), "chunk B-tree")?;
        let offsets = chunking.shape.iter().map(|_| reader.size()).collect::<Result<Vec<_>, Fault>>()?;
        reader.skip(8)?;
        chunks.push(Chunk { at: reader.u64()?, stored_bytes, skipped_filters, offsets });
    }
    Ok(())
}

/// Undoes the filters of a chunk, the last one first.
fn unfilter<'a>(
    stored: &'a [u8],
    chunk: &Chunk,
    chunking: &Chunking,
    chunk_bytes: usize,
    budget: &Budget,
) -> Result<Cow<'a, [u8]>, Fault> {
    let mut plain = Cow::Borrowed(stored);
    let mut buffer_bytes = 0;
    for (index, filter) in chunking.filters.iter().enumerate().rev() {
        if chunk.skipped_filters.checked_shr(index as u32).unwrap_or(0) & 1 != 0 {
            continue;
        }
        plain = Cow::Owned(match filter {
            Filter::Deflate => inflate(&plain, chunk_bytes, true, budget)?,
            Filter::Shuffle(width) => unshuffle(&plain, *width, budget)?,
        });
        budget.work(plain.len() / 16, "chunk")?;
        buffer_bytes += plain.len();
    }
    // These buffers are gone before the next chunk is read.
    budget.release(buffer_bytes);
    if plain.len() != chunk_bytes {
        return Err(Fault::damaged("chunk", format!("{} bytes instead of {chunk_bytes}", plain.len())));
    }
    Ok(plain)
}

/// Puts the bytes of each element together again; a rest that is no whole element stays where it is.
fn unshuffle(shuffled: &[u8], width: usize, budget: &Budget) -> Result<Vec<u8>, Fault> {
    let count = shuffled.len() / width;
    let mut plain = budget.vec(shuffled.len(), "shuffled chunk")?;
    plain.resize(shuffled.len(), 0);
    let (whole, rest) = shuffled.split_at(count * width);
    for (byte, column) in whole.chunks_exact(count.max(1)).enumerate() {
        for (element, value) in column.iter().enumerate() {
            plain[element * width + byte] = *value;
        }
    }
    plain[count * width..].copy_from_slice(rest);
    Ok(plain)
}

/// Copies the rows of a chunk that lie inside the dataset to where they belong.
fn place(plain: &[u8], chunk: &Chunk, chunking: &Chunking, data: &mut [u8]) -> Result<(), Fault> {
    let Some(last) = chunking.shape.len().checked_sub(1) else { return Ok(()) };
    let inside: Vec<usize> = (0..=last)
        .map(|axis| chunking.chunk_shape[axis].min(chunking.shape[axis].saturating_sub(chunk.offsets[axis])))
        .collect();
    let row_bytes = inside[last] * chunking.element_bytes;
    let rows: usize = inside[..last].iter().product();
    for row in 0..rows {
        let (mut rest, mut from, mut to, mut from_stride, mut to_stride) = (row, 0, chunk.offsets[last], 1, 1);
        for axis in (0..=last).rev() {
            if axis < last {
                let index = rest % inside[axis];
                rest /= inside[axis];
                from += index * from_stride;
                to += (chunk.offsets[axis] + index) * to_stride;
            }
            from_stride *= chunking.chunk_shape[axis];
            to_stride *= chunking.shape[axis];
        }
        let (from, to) = (from * chunking.element_bytes, to * chunking.element_bytes);
        let source = plain.get(from..from + row_bytes);
        let target = data.get_mut(to..to + row_bytes);
        let (Some(source), Some(target)) = (source, target) else {
            return Err(Fault::damaged("chunk", "does not lie in the dataset"));
        };
        target.copy_from_slice(source);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unshuffling_puts_the_bytes_of_an_element_together() {
        let budget = Budget::for_file_of(100);
        assert_eq!(unshuffle(&[1, 4, 2, 5, 3, 6, 9], 3, &budget).unwrap(), [1, 2, 3, 4, 5, 6, 9]);
        assert_eq!(unshuffle(&[7, 8], 4, &budget).unwrap(), [7, 8]);
    }

    #[test]
    fn an_edge_chunk_is_cut_to_the_dataset() {
        let chunking =
            Chunking { tree: 0, shape: &[3, 3], chunk_shape: vec![2, 2], element_bytes: 1, filters: Vec::new() };
        let mut data = vec![0; 9];
        let chunk = Chunk { at: 0, stored_bytes: 4, skipped_filters: 0, offsets: vec![0, 2] };
        place(&[1, 2, 3, 4], &chunk, &chunking, &mut data).unwrap();
        assert_eq!(data, [0, 0, 1, 0, 0, 3, 0, 0, 0]);
        assert_eq!(chunking.count(), Some(4));
    }
}
