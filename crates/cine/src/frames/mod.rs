//! Index of the frames' bytes, and reading of one frame's bytes and nothing else.

mod extent_reader;
mod fragments;
mod grouping;
mod index;
mod markers;
mod native;
mod offset_table;
mod planes;

pub(crate) use extent_reader::ExtentReader;
pub(crate) use fragments::{Extent, Fragments, FragmentsEnd, ItemHeader, item_header_at, walk_fragments};
pub(crate) use grouping::group_fragments;
pub(crate) use index::FrameIndex;
pub(crate) use markers::{Codestream, FrameTail, codestream_at, codestream_of, frame_tail};
pub(crate) use native::{NativeFrames, WordOrder, from_planes, in_true_order, interleaved, stored_layout};
pub(crate) use offset_table::basic_offset_table;

use crate::error::CineError;
use crate::scan::Source;

/// Reads the extents of one frame, one after the other, into one buffer.
pub(crate) fn read_extents(source: &Source, extents: &[Extent]) -> Result<Vec<u8>, CineError> {
    let mut bytes = Vec::new();
    for extent in extents {
        bytes.extend(source.read_vec(extent.offset, extent.length, "a frame")?);
    }
    Ok(bytes)
}
