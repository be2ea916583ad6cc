//! Where maps lie in the arena, and which layers run on several frames at once.

use super::graph::{Node, Operation};
use crate::layers::{MapIndex, Place};
use crate::simd::CHANNEL_GROUP;

/// Frames that are worked on together at most; of clips there is one at a time, whose frames are.
pub(crate) const GROUP_FRAMES: usize = 4;
/// Layers whose maps have at most this many pixels run on all frames of a group at once, so that their weights, larger
/// than a cache, are read once for all. Layers before them run frame by frame, so that their maps stay in the cache.
const GROUPED_PIXELS: usize = 400;
/// Pixels this far apart (a page) fall on the same few places of a first-level cache.
const PAGE_NUMBERS: usize = 4096 / size_of::<f32>();

/// The plan of a network.
pub(crate) struct Plan {
    pub(crate) places: Vec<Place>,
    /// The first node that runs on all frames of a group at once; so do all after it.
    pub(crate) grouped_from: usize,
    /// Whether frames are seen together.
    pub(crate) is_of_clips: bool,
    /// Numbers that the arena needs.
    pub(crate) arena_length: usize,
}

impl Plan {
    pub(crate) fn new(nodes: &[Node], output: MapIndex) -> Self {
        let lives = lives(nodes, output);
        let grouped_from = grouped_from(nodes);
        let is_of_clips = nodes.iter().any(|node| node.frames > 1);
        let group_clips = if is_of_clips { 1 } else { GROUP_FRAMES };
        let mut places: Vec<Place> = Vec::new();
        let mut alive: Vec<(usize, usize, usize, usize)> = Vec::new();
        let mut arena_length = 0;
        for (map, node) in nodes.iter().enumerate() {
            let mut place = Place {
                shape: node.shape,
                frames: node.frames,
                pixel_stride: pixel_stride(nodes, map),
                bytes: node.bytes,
                ..Place::default()
            };
            if let Some((mut start, end)) = lives[map] {
                place.holds_group = end >= grouped_from;
                if place.holds_group && start < grouped_from {
                    // The first frame's is written before the last frame's first layer runs.
                    start = 0;
                }
                let clips = if place.holds_group { group_clips } else { 1 };
                let length = (clips * place.frames * place.frame_length()).next_multiple_of(CHANNEL_GROUP);
                place.offset = free_offset(&alive, (start, end), length);
                alive.push((start, end, place.offset, length));
                arena_length = arena_length.max(place.offset + length);
            }
            places.push(place);
        }
        Self { places, grouped_from, is_of_clips, arena_length }
    }
}

/// The first and the last node during which each map holds something, if any does.
fn lives(nodes: &[Node], output: MapIndex) -> Vec<Option<(usize, usize)>> {
    let mut lives: Vec<Option<(usize, usize)>> = vec![None; nodes.len()];
    for (index, node) in nodes.iter().enumerate() {
        let Some(operation) = &node.operation else { continue };
        lives[index] = Some((index, index));
        if let Operation::Depthwise { means: Some(means), .. } = operation {
            lives[*means] = Some((index, index));
        }
        for input in operation.inputs() {
            if let Some((_, end)) = &mut lives[input] {
                *end = index;
            }
        }
    }
    if let Some((_, end)) = &mut lives[output] {
        *end = nodes.len();
    }
    lives
}

/// The lowest offset at which `length` numbers overlap nothing that is alive at the same time.
fn free_offset(alive: &[(usize, usize, usize, usize)], (start, end): (usize, usize), length: usize) -> usize {
    let mut taken: Vec<(usize, usize)> = alive
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

fn grouped_from(nodes: &[Node]) -> usize {
    let is_large = |node: &Node| {
        let inputs = node.operation.iter().flat_map(Operation::inputs);
        node.operation.is_some()
            && inputs.map(|input| nodes[input].shape).chain([node.shape]).any(|shape| shape.pixels() > GROUPED_PIXELS)
    };
    nodes.iter().rposition(is_large).map_or(0, |last| last + 1)
}

fn pixel_stride(nodes: &[Node], map: MapIndex) -> usize {
    let shape = nodes[map].shape;
    let mut users = nodes.iter().filter_map(|node| node.operation.as_ref()).filter(|user| user.inputs().contains(&map));
    let is_frame = matches!(nodes[map].operation, Some(Operation::Input));
    let only_windows = |user: &Operation| matches!(user, Operation::Convolution { input, residual, gates: None, .. } if *input == map && *residual != Some(map));
    if is_frame && users.all(only_windows) {
        // Padding three channels to sixteen would cost the first convolution five times the work.
        return shape.channels;
    }
    let padded = match nodes[map].bytes {
        Some(_) => shape.padded_channels() / size_of::<f32>(),
        None => shape.padded_channels(),
    };
    if padded.is_multiple_of(PAGE_NUMBERS) { padded + CHANNEL_GROUP } else { padded }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_reused_only_after_their_maps() {
        let alive = [(0, 2, 0, 100), (1, 5, 100, 50)];
        assert_eq!(free_offset(&alive, (2, 3), 10), 150);
        assert_eq!(free_offset(&alive, (3, 4), 100), 0);
        assert_eq!(free_offset(&alive, (3, 4), 101), 150);
        assert_eq!(free_offset(&alive, (6, 7), 500), 0);
    }
}
