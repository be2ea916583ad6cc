//! Layers, one kind a file: packed weights, and the code that runs them on maps in an arena.
//!
//! A network is checked when it is built: every map that a layer names exists, has the shape that the layer's weights ask
//! for, and overlaps no other map that is live at that time. The kernels rely on that.

mod attention;
mod average;
mod combine;
mod concatenate;
mod depthwise;
mod expand_depthwise;
mod layer_norm;
mod planar;
mod pointwise;
mod pool;
mod quantized;
mod separable;
mod standard_convolution;
mod temporal_convolution;
mod tokens;

use std::cell::RefCell;

pub(crate) use attention::{Attention, Window as AttentionWindow};
pub(crate) use average::GlobalAverage;
pub(crate) use combine::Combine;
pub(crate) use concatenate::Concatenate;
pub(crate) use depthwise::{Depthwise, PackedDepthwise};
pub(crate) use expand_depthwise::ExpandDepthwise;
pub(crate) use layer_norm::LayerNorm;
pub(crate) use planar::{from_planar, to_planar};
pub(crate) use pointwise::Pointwise;
pub(crate) use pool::{Pool, Pooling};
pub(crate) use quantized::{QuantizedConvolution, QuantizedSeparable};
pub(crate) use separable::Separable;
pub(crate) use standard_convolution::{InputAccess, MIN_TILED_WIDTH, StandardConvolution};
pub(crate) use temporal_convolution::TemporalConvolution;
pub(crate) use tokens::{Pixels, PrependToken};

use crate::gemm::Tiles;
use crate::quantization::AffineQuantization;
use crate::shape::MapShape;
use crate::simd::CHANNEL_GROUP;
use crate::thread_pool::ThreadPool;

/// Fewest vector operations that are worth handing to another thread: about a microsecond.
const MIN_OPERATIONS: usize = 4000;

/// Index of a map in the network.
pub(crate) type MapIndex = usize;

/// Buffer of a map within the arena.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct MapBuffer {
    pub(crate) shape: MapShape,
    /// Frames of a clip; one where frames are independent.
    pub(crate) frames: usize,
    /// Numbers from one pixel to the next: the channels with their padding, or more where that avoids cache conflicts.
    pub(crate) pixel_stride: usize,
    /// Quantization of the map, if it is stored in 8 bits, four in the space of a number.
    pub(crate) quantization: Option<AffineQuantization>,
    /// Offset of the first frame, in numbers from the start of the arena.
    pub(crate) offset: usize,
    /// True if the buffer holds every clip of a group; if not, each clip overwrites the one before.
    pub(crate) holds_group: bool,
}

impl MapBuffer {
    /// Returns the numbers from one frame to the next.
    pub(crate) fn frame_length(&self) -> usize {
        self.shape.pixels() * self.pixel_stride
    }
}

/// View of the frames of a map that a layer reads or writes.
#[derive(Clone, Copy)]
pub(crate) struct View {
    pub(crate) start: Pointer,
    pub(crate) shape: MapShape,
    pub(crate) frames: usize,
    pub(crate) pixel_stride: usize,
    pub(crate) frame_stride: usize,
    pub(crate) quantization: Option<AffineQuantization>,
}

impl View {
    /// Returns the first number of a pixel's channels; pixels are counted on over the frames of the view.
    pub(crate) fn pixel(&self, pixel: usize) -> *mut f32 {
        self.start.get().wrapping_add(pixel * self.pixel_stride)
    }

    /// Returns the channel groups of all pixels of a frame: about the vector loads that reading it takes.
    pub(crate) fn groups(&self) -> usize {
        self.shape.pixels() * self.shape.padded_channels() / CHANNEL_GROUP
    }

    /// Returns the first pixel of a frame, from a channel on that is a multiple of the channel group.
    pub(crate) fn channel(&self, frame: usize, channel: usize) -> *mut f32 {
        let numbers = if self.quantization.is_some() { channel / size_of::<f32>() } else { channel };
        self.frame(frame).wrapping_add(numbers)
    }

    /// Returns the first number of a frame.
    pub(crate) fn frame(&self, frame: usize) -> *mut f32 {
        self.start.get().wrapping_add(frame * self.frame_stride)
    }
}

/// Pointer into an arena, of which several threads use disjoint parts.
#[derive(Clone, Copy)]
pub(crate) struct Pointer(*mut f32);

impl Pointer {
    pub(crate) fn new(pointer: *mut f32) -> Self {
        Self(pointer)
    }

    /// Returns the raw pointer. A method, so that a closure which uses it captures the whole and may go to another thread.
    pub(crate) fn get(self) -> *mut f32 {
        self.0
    }
}

// SAFETY: a pointer by itself does nothing; the layers give each thread parts of maps that no other writes.
unsafe impl Send for Pointer {}
// SAFETY: as above.
unsafe impl Sync for Pointer {}

/// State that a layer needs to run on some frames.
pub(crate) struct Run<'a, L> {
    pub(crate) lanes: L,
    pub(crate) arena: Pointer,
    pub(crate) buffers: &'a [MapBuffer],
    /// First clip of the group that is computed, for maps that hold the whole group. An independent frame is a clip of one.
    pub(crate) first_clip: usize,
    pub(crate) clips: usize,
    pub(crate) scratch: Scratch,
    /// Threads that share the layer; without, it runs on the calling one.
    pub(crate) thread_pool: Option<&'a RefCell<ThreadPool>>,
}

/// Scratch memory that layers use while they run.
#[derive(Clone, Copy)]
pub(crate) struct Scratch {
    /// Memory for all workers together.
    pub(crate) shared: Pointer,
    /// Memory of the first worker.
    pub(crate) own: Pointer,
    /// Numbers from the memory of one worker to that of the next.
    pub(crate) own_length: usize,
}

/// Length of a layer's scratch memory, in numbers.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ScratchLength {
    /// Length for all workers together.
    pub(crate) shared: usize,
    /// Length for each worker.
    pub(crate) own: usize,
}

impl<L: Tiles> Run<'_, L> {
    /// Returns the view of a map's frames in this run.
    pub(crate) fn view(&self, map: MapIndex) -> View {
        let buffer = &self.buffers[map];
        let first_frame = if buffer.holds_group { self.first_clip * buffer.frames } else { 0 };
        let start = self.arena.get().wrapping_add(buffer.offset + first_frame * buffer.frame_length());
        View {
            start: Pointer(start),
            shape: buffer.shape,
            frames: self.clips * buffer.frames,
            pixel_stride: buffer.pixel_stride,
            frame_stride: buffer.frame_length(),
            quantization: buffer.quantization,
        }
    }

    /// Returns how many threads share a layer.
    pub(crate) fn workers(&self) -> usize {
        self.thread_pool.map_or(1, |thread_pool| thread_pool.borrow().size())
    }

    /// Returns how many parts to split a layer into that could have `max_parts` and takes about `operations` on vectors: more
    /// than there are threads, as these may be of unequal speed, but none too small to be worth handing over. A multiple of
    /// the threads, because equal threads would wait for whoever computes an odd part.
    pub(crate) fn parts(&self, max_parts: usize, operations: usize) -> usize {
        if self.thread_pool.is_none() {
            return max_parts.min(1);
        }
        let workers = self.workers();
        let parts = max_parts.min(4 * workers).min((operations / MIN_OPERATIONS).max(1));
        if parts > workers { parts - parts % workers } else { parts }
    }

    /// Returns how many parts to split a layer into that consists of so many units, which cannot be split and cost nothing more
    /// for being handed over one by one: parts of several would leave threads waiting for the last of them.
    pub(crate) fn parts_of_units(&self, units: usize, operations: usize) -> usize {
        match &self.thread_pool {
            Some(_) => units.min((operations / MIN_OPERATIONS).max(1)),
            None => units.min(1),
        }
    }

    /// Calls `work(part, own scratch)` once for each part.
    pub(crate) fn split(&self, parts: usize, work: impl Fn(usize, *mut f32) + Sync) {
        let Scratch { own, own_length, .. } = self.scratch;
        match &self.thread_pool {
            Some(thread_pool) if parts > 1 => thread_pool.borrow_mut().run(parts, &|worker, part| {
                work(part, own.get().wrapping_add(worker * own_length));
            }),
            _ => (0..parts).for_each(|part| work(part, own.get())),
        }
    }
}
