use std::cell::RefCell;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use super::fuse::fuse;
use super::graph::Node;
use super::lower::Layer;
use super::memory_plan::{GROUP_FRAMES, MemoryPlan};
use crate::buffer::Buffer;
use crate::gemm::Tiles;
use crate::instruction_set::LanesTask;
use crate::layers::{MapBuffer, MapIndex, Pointer, Run, Scratch, ScratchLength, from_planar, to_planar};
use crate::shape::MapShape;
use crate::simd::Lanes;
use crate::thread_pool::ThreadPool;
use crate::{InstructionSet, Result, RuntimeError};

mod times;

pub use times::LayerTime;

/// Packed network, ready to run. It may be shared between threads.
pub struct Network {
    set: InstructionSet,
    /// Layers with the index of the node that each came from.
    layers: Vec<(usize, Layer)>,
    buffers: Vec<MapBuffer>,
    output: MapIndex,
    grouped_from: usize,
    is_temporal: bool,
    arena_length: usize,
    scratch: ScratchLength,
    /// Memory and threads that are kept between runs; a run takes one and puts it back.
    workspaces: Mutex<Vec<Workspace>>,
}

/// Memory and threads of a run: a thread pool, and an arena with its scratch memory for each thread.
struct Workspace {
    thread_pool: RefCell<ThreadPool>,
    arenas: Vec<Buffer>,
}

/// Numbers behind each arena that no kernel may write.
const GUARD: usize = 64;

impl Workspace {
    /// Fills the arenas with NaN, so that a kernel that reads memory before it was written shows in the result.
    fn poison(&mut self) {
        for arena in &mut self.arenas {
            arena.as_mut_slice().fill(f32::NAN);
        }
    }

    fn guards_hold(&mut self) -> bool {
        self.arenas.iter_mut().all(|arena| arena.as_mut_slice().iter().rev().take(GUARD).all(|number| number.is_nan()))
    }
}

impl Network {
    pub(crate) fn new(mut nodes: Vec<Node>, output: MapIndex, set: InstructionSet) -> Self {
        fuse(&mut nodes, output);
        Self::pack(nodes, output, set)
    }

    /// Lowers the nodes without fusing any.
    pub(super) fn pack(nodes: Vec<Node>, output: MapIndex, set: InstructionSet) -> Self {
        let plan = MemoryPlan::new(&nodes, output);
        let mut scratch = ScratchLength::default();
        let mut layers = Vec::new();
        for (index, node) in nodes.into_iter().enumerate() {
            if let Some(layer) = Layer::new(node, index, &plan.buffers, set) {
                let wanted = layer.scratch(&plan.buffers);
                scratch.shared = scratch.shared.max(wanted.shared);
                scratch.own = scratch.own.max(wanted.own);
                layers.push((index, layer));
            }
        }
        let MemoryPlan { buffers, grouped_from, is_temporal, arena_length } = plan;
        // Every part begins at a cache line, so that threads that write beside each other do not share one.
        let scratch =
            ScratchLength { shared: scratch.shared.next_multiple_of(64), own: scratch.own.next_multiple_of(64) };
        let arena_length = arena_length.next_multiple_of(64);
        let workspaces = Mutex::default();
        Self { set, layers, buffers, output, grouped_from, is_temporal, arena_length, scratch, workspaces }
    }

    /// Returns the shape of a frame.
    pub fn frame_shape(&self) -> MapShape {
        self.buffers[0].shape
    }

    /// Returns the shape of a frame's result.
    pub fn output_shape(&self) -> MapShape {
        self.buffers[self.output].shape
    }

    /// Returns the frames of a clip and of its result; one where frames are independent.
    pub fn clip_frames(&self) -> (usize, usize) {
        (self.buffers[0].frames, self.buffers[self.output].frames)
    }

    /// Returns how many numbers a clip has and its result.
    pub(super) fn clip_numbers(&self) -> (usize, usize) {
        let (frames, frames_out) = self.clip_frames();
        (frames * self.frame_shape().numbers(), frames_out * self.output_shape().numbers())
    }

    /// Returns the instruction set that the network was packed for.
    pub fn instruction_set(&self) -> InstructionSet {
        self.set
    }

    /// Runs on `count` frames [count, C, H, W] and writes their results [count, C, h, w], or on as many clips
    /// [count, T, C, H, W].
    ///
    /// Several frames are distributed among `threads`; a single one or a clip is split layer by layer. Threads and memory are
    /// kept for the next run. Concurrent runs have threads and memory of their own.
    ///
    /// # Errors
    /// [`RuntimeError::BufferLength`] where `frames` or `output` do not hold as many numbers as the shapes ask for.
    pub fn run(&self, frames: &[f32], count: usize, output: &mut [f32], threads: usize) -> Result<()> {
        let (clip_numbers, output_numbers) = self.clip_numbers();
        check_length("frames", count * clip_numbers, frames.len())?;
        check_length("output", count * output_numbers, output.len())?;
        let threads = threads.max(1);
        let mut workspace = self.take_workspace(threads);
        if cfg!(debug_assertions) {
            workspace.poison();
        }
        self.set.with_lanes(RunTask { network: self, frames, count, output, threads, workspace: &mut workspace });
        debug_assert!(workspace.guards_hold(), "a kernel wrote beyond its arena");
        self.workspaces.lock().unwrap_or_else(PoisonError::into_inner).push(workspace);
        Ok(())
    }

    /// Runs on one frame on this thread, and calls `before_layer` with the index of the node that each layer computes.
    pub(super) fn run_observed<L: Tiles>(
        &self,
        lanes: L,
        frame: &[f32],
        mut before_layer: impl FnMut(usize, &Run<'_, L>),
    ) {
        assert_eq!(frame.len(), self.clip_numbers().0);
        let mut workspace = self.take_workspace(1);
        let arena = Pointer::new(workspace.arenas[0].as_mut_ptr());
        let run = self.run_in(lanes, arena, None);
        // SAFETY: the arena is this workspace's, and the frame is as long as the network's.
        unsafe {
            from_planar(&run, frame.as_ptr(), run.view(0));
            for (index, layer) in &self.layers {
                before_layer(*index, &run);
                layer.run(&run);
            }
        }
        self.workspaces.lock().unwrap_or_else(PoisonError::into_inner).push(workspace);
    }

    /// Returns a run of one frame in an arena of this network.
    fn run_in<'a, L: Lanes>(
        &'a self,
        lanes: L,
        arena: Pointer,
        thread_pool: Option<&'a RefCell<ThreadPool>>,
    ) -> Run<'a, L> {
        let shared = arena.get().wrapping_add(self.arena_length);
        let own = shared.wrapping_add(self.scratch.shared);
        let scratch = Scratch { shared: Pointer::new(shared), own: Pointer::new(own), own_length: self.scratch.own };
        Run { lanes, arena, buffers: &self.buffers, first_clip: 0, clips: 1, scratch, thread_pool }
    }

    /// Takes a kept workspace of so many threads, or creates one.
    fn take_workspace(&self, threads: usize) -> Workspace {
        let mut kept = self.workspaces.lock().unwrap_or_else(PoisonError::into_inner);
        match kept.iter().position(|workspace| workspace.arenas.len() == threads) {
            Some(index) => kept.swap_remove(index),
            None => {
                let ScratchLength { shared, own } = self.scratch;
                let length = self.arena_length + shared + own + GUARD;
                // The first arena serves all threads when they share one frame.
                let first = Buffer::zeroed(length + (threads - 1) * own);
                let others = (1..threads).map(|_| Buffer::zeroed(length));
                Workspace {
                    thread_pool: RefCell::new(ThreadPool::new(threads)),
                    arenas: std::iter::once(first).chain(others).collect(),
                }
            }
        }
    }

    /// Runs on one group of clips; an independent frame is a clip of one.
    ///
    /// # Safety
    /// `arena` must be an arena of this network that nothing else uses; `clips` must be valid for reading `count` of them
    /// and `output` for writing as many results. `after_layer` is called with the position of each layer when it has run.
    unsafe fn run_group<L: Tiles>(
        &self,
        lanes: L,
        arena: Pointer,
        (clips, count, output): (*const f32, usize, *mut f32),
        thread_pool: Option<&RefCell<ThreadPool>>,
        mut after_layer: impl FnMut(usize),
    ) {
        let mut run = self.run_in(lanes, arena, thread_pool);
        let split = self.layers.partition_point(|(index, _)| *index < self.grouped_from);
        let (single, grouped) = self.layers.split_at(split);
        let (clip_numbers, output_numbers) = self.clip_numbers();
        // SAFETY: passed on to the caller; the memory plan keeps maps and scratch apart in the arena.
        unsafe {
            for clip in 0..count {
                run.first_clip = clip;
                from_planar(&run, clips.wrapping_add(clip * clip_numbers), run.view(0));
                for (position, (_, layer)) in single.iter().enumerate() {
                    layer.run(&run);
                    after_layer(position);
                }
            }
            (run.first_clip, run.clips) = (0, count);
            for (position, (_, layer)) in grouped.iter().enumerate() {
                layer.run(&run);
                after_layer(split + position);
            }
            for clip in 0..count {
                (run.first_clip, run.clips) = (clip, 1);
                to_planar(&run, run.view(self.output), output.wrapping_add(clip * output_numbers));
            }
        }
    }
}

fn check_length(name: &'static str, expected: usize, found: usize) -> Result<()> {
    if expected == found { Ok(()) } else { Err(RuntimeError::BufferLength { name, expected, found }) }
}

/// Splits frames into groups, large ones first: large ones read the weights less often, and small ones at the end keep
/// threads of unequal speed from waiting for each other.
fn groups(count: usize, threads: usize) -> Vec<Range<usize>> {
    let mut groups = Vec::new();
    let mut first = 0;
    while first < count {
        let share = if threads == 1 { GROUP_FRAMES } else { (count - first).div_ceil(2 * threads) };
        let end = count.min(first + share.clamp(1, GROUP_FRAMES));
        groups.push(first..end);
        first = end;
    }
    groups
}

struct RunTask<'a> {
    network: &'a Network,
    frames: &'a [f32],
    count: usize,
    output: &'a mut [f32],
    threads: usize,
    workspace: &'a mut Workspace,
}

impl LanesTask for RunTask<'_> {
    type Output = ();

    fn run<L: Tiles>(self, lanes: L) {
        let Self { network, frames, count, output, threads, workspace: Workspace { thread_pool, arenas } } = self;
        let (clip_numbers, output_numbers) = network.clip_numbers();
        let output = Pointer::new(output.as_mut_ptr());
        let arenas: Vec<Pointer> = arenas.iter_mut().map(|arena| Pointer::new(arena.as_mut_ptr())).collect();
        let piece = |frames_of_group: Range<usize>| {
            let first = frames_of_group.start;
            let frames = frames.as_ptr().wrapping_add(first * clip_numbers);
            (frames, frames_of_group.len(), output.get().wrapping_add(first * output_numbers))
        };
        if threads > 1 && (count == 1 || network.is_temporal) {
            for clip in 0..count {
                // SAFETY: the arena is this workspace's, lengths were checked.
                unsafe { network.run_group(lanes, arenas[0], piece(clip..clip + 1), Some(thread_pool), |_| ()) };
            }
            return;
        }
        let groups = match network.is_temporal {
            true => (0..count).map(|clip| clip..clip + 1).collect(),
            false => groups(count, threads),
        };
        let work = |worker: usize, group: usize| {
            // SAFETY: workers have arenas of their own, groups are disjoint frames, lengths were checked.
            unsafe { network.run_group(lanes, arenas[worker], piece(groups[group].clone()), None, |_| ()) };
        };
        if threads == 1 {
            (0..groups.len()).for_each(|group| work(0, group));
        } else {
            thread_pool.borrow_mut().run(groups.len(), &work);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_cover_all_frames_and_end_small() {
        assert_eq!(groups(6, 2), [0..2, 2..3, 3..4, 4..5, 5..6]);
        assert_eq!(groups(9, 1), [0..4, 4..8, 8..9]);
        assert_eq!(groups(1, 2), vec![0..1]);
        assert_eq!(groups(0, 2), Vec::<Range<usize>>::new());
        let sizes: Vec<usize> = groups(100, 2).iter().map(ExactSizeIterator::len).collect();
        assert_eq!(sizes.iter().sum::<usize>(), 100);
        assert!(sizes.is_sorted_by(|a, b| a >= b) && sizes[0] == GROUP_FRAMES);
    }
}
