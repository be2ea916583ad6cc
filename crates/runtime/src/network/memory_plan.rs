//! Memory plan: the offset of each map's buffer in the arena, and which layers run on several frames at once.

use super::graph::{Node, Operation};
use crate::layers::{MapBuffer, MapIndex};
use crate::simd::CHANNEL_GROUP;

/// Most frames that are computed together. Clips are computed one at a time, all frames together.
pub(crate) const GROUP_FRAMES: usize = 4;
/// Layers whose maps have at most this many pixels run on all frames of a group at once, so that their weights, larger
/// than a cache, are read once for all. Layers before them run frame by frame, so that their maps stay in the cache.
const GROUPED_PIXELS: usize = 400;
/// Distance (a page) at which pixels fall into the same few sets of a first-level cache and evict each other.
const PAGE_NUMBERS: usize = 4096 / size_of::<f32>();

/// Memory plan of a network.
pub(crate) struct MemoryPlan {
    pub(crate) buffers: Vec<MapBuffer>,
    /// First node that runs on all frames of a group at once; so do all after it.
    pub(crate) grouped_from: usize,
    /// True if maps hold clips of several frames.
    pub(crate) is_temporal: bool,
    /// Numbers that the arena needs.
    pub(crate) arena_length: usize,
}

impl MemoryPlan {
    pub(crate) fn new(nodes: &[Node], output: MapIndex) -> Self {
        let lifetimes = lifetimes(nodes, output);
        let grouped_from = grouped_from(nodes);
        let is_temporal = nodes.iter().any(|node| node.frames > 1);
        let group_clips = if is_temporal { 1 } else { GROUP_FRAMES };
        let mut buffers: Vec<MapBuffer> = Vec::new();
        let mut live: Vec<(usize, usize, usize, usize)> = Vec::new();
        let mut arena_length = 0;
        for (map, node) in nodes.iter().enumerate() {
            let mut buffer = MapBuffer {
                shape: node.shape,
                frames: node.frames,
                pixel_stride: pixel_stride(nodes, map),
                quantization: node.quantization,
                ..MapBuffer::default()
            };
            if let Some((mut start, end)) = lifetimes[map] {
                buffer.holds_group = end >= grouped_from;
                if buffer.holds_group && start < grouped_from {
                    // The first frame's is written before the last frame's first layer runs.
                    start = 0;
                }
                let clips = if buffer.holds_group { group_clips } else { 1 };
                let length = (clips * buffer.frames * buffer.frame_length()).next_multiple_of(CHANNEL_GROUP);
                buffer.offset = free_offset(&live, (start, end), length);
                live.push((start, end, buffer.offset, length));
                arena_length = arena_length.max(buffer.offset + length);
            }
            buffers.push(buffer);
        }
        Self { buffers, grouped_from, is_temporal, arena_length }
    }
}

/// Returns the first and the last node during which each map is live, if it ever is.
fn lifetimes(nodes: &[Node], output: MapIndex) -> Vec<Option<(usize, usize)>> {
    let mut lifetimes: Vec<Option<(usize, usize)>> = vec![None; nodes.len()];
    for (index, node) in nodes.iter().enumerate() {
        let Some(operation) = &node.operation else { continue };
        lifetimes[index] = Some((index, index));
        if let Operation::Depthwise { means: Some(means), .. } = operation {
            lifetimes[*means] = Some((index, index));
        }
        for input in operation.inputs() {
            if let Some((_, end)) = &mut lifetimes[input] {
                *end = index;
            }
        }
    }
    if let Some((_, end)) = &mut lifetimes[output] {
        *end = nodes.len();
    }
    lifetimes
}

/// Returns the lowest offset at which `length` numbers overlap nothing that is live at the same time.
fn free_offset(live: &[(usize, usize, usize, usize)], (start, end): (usize, usize), length: usize) -> usize {
    let mut taken: Vec<(usize, usize)> = live
        .iter()
        .filter(|(other_start, other_end, _, _)| *other_start <= end && start <= *other_end)
        .map(|&(_, _, offset, length)| (offset, offset + length))
        .collect();
    taken.sort_unstable();
    let mut offset = 0;
    for (from, to) in taken {
        if offset + length <= from {
            break;
        }
        offset = offset.max(to);
    }
    offset
}

/// Returns the first node after the last one that reads or writes a large map.
fn grouped_from(nodes: &[Node]) -> usize {
    let is_large = |node: &Node| {
        let inputs = node.operation.iter().flat_map(Operation::inputs);
        node.operation.is_some()
            && inputs.map(|input| nodes[input].shape).chain([node.shape]).any(|shape| shape.pixels() > GROUPED_PIXELS)
    };
    nodes.iter().rposition(is_large).map_or(0, |last| last + 1)
}

/// Returns the numbers from one pixel of a map to the next.
fn pixel_stride(nodes: &[Node], map: MapIndex) -> usize {
    let shape = nodes[map].shape;
    let mut users = nodes.iter().filter_map(|node| node.operation.as_ref()).filter(|user| user.inputs().contains(&map));
    let is_frame = matches!(nodes[map].operation, Some(Operation::Input));
    let only_windows = |user: &Operation| matches!(user, Operation::Convolution { input, residual, gates: None, .. } if *input == map && *residual != Some(map));
    if is_frame && users.all(only_windows) {
        // Padding three channels to sixteen would cost the first convolution five times the work.
        return shape.channels;
    }
    let padded = match nodes[map].quantization {
        Some(_) => shape.padded_channels() / size_of::<f32>(),
        None => shape.padded_channels(),
    };
    if padded.is_multiple_of(PAGE_NUMBERS) { padded + CHANNEL_GROUP } else { padded }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_reused_only_after_their_maps() {
        let live = [(0, 2, 0, 100), (1, 5, 100, 50)];
        assert_eq!(free_offset(&live, (2, 3), 10), 150);
        assert_eq!(free_offset(&live, (3, 4), 100), 0);
        assert_eq!(free_offset(&live, (3, 4), 101), 150);
        assert_eq!(free_offset(&live, (6, 7), 500), 0);
    }
}
