//! One kind of layer a file: what it is made of, and how it runs on maps that lie in an arena.
//!
//! A network is checked when it is built: every map that a layer names exists, has the shape that the layer's weights ask
//! for, and lies in the arena beside everything else that is alive at that time. The kernels rest on that.

mod attention;
mod average;
mod combine;
mod concatenate;
mod dense;
mod depthwise;
mod expand_depthwise;
mod layer_norm;
mod over_time;
mod planar;
mod pointwise;
mod pool;
mod quantized;
mod separable;
mod tokens;

use std::cell::RefCell;

pub(crate) use attention::{Attention, Window as AttentionWindow};
pub(crate) use average::GlobalAverage;
pub(crate) use combine::Combine;
pub(crate) use concatenate::Concatenate;
pub(crate) use dense::{Dense, LEAST_WIDTH as WIDE_OUTPUT, Reading};
pub(crate) use depthwise::{Depthwise, PackedDepthwise};
pub(crate) use expand_depthwise::ExpandDepthwise;
pub(crate) use layer_norm::LayerNorm;
pub(crate) use over_time::OverTime;
pub(crate) use planar::{from_planar, to_planar};
pub(crate) use pointwise::Pointwise;
pub(crate) use pool::{Pool, Pooling};
pub(crate) use quantized::{QuantizedConvolution, QuantizedSeparable};
pub(crate) use separable::Separable;
pub(crate) use tokens::{Pixels, PrependToken};

use crate::quantization::ByteScale;
use crate::shape::MapShape;
use crate::simd::{CHANNEL_GROUP, Lanes};
use crate::team::Team;

/// Vector operations below which a part of a layer is not worth handing to another thread: about a microsecond.
const LEAST_OPERATIONS: usize = 4000;

/// A map's number in the network.
pub(crate) type MapIndex = usize;

/// Where a map lies in the arena.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Place {
    pub(crate) shape: MapShape,
    /// Frames of a clip; one where frames are seen each for itself.
    pub(crate) frames: usize,
    /// Numbers from one pixel to the next: the channels with their padding, and at times more.
    pub(crate) pixel_stride: usize,
    /// The scale, if the map is kept as bytes, four in the place of a number.
    pub(crate) bytes: Option<ByteScale>,
    /// Where the first frame begins, in numbers from the start of the arena.
    pub(crate) offset: usize,
    /// Whether every clip of a group has its own place; if not, each is overwritten by the next.
    pub(crate) holds_group: bool,
}

impl Place {
    /// Numbers from one frame to the next.
    pub(crate) fn frame_length(&self) -> usize {
        self.shape.pixels() * self.pixel_stride
    }
}

/// The frames of a map that are worked on.
#[derive(Clone, Copy)]
pub(crate) struct View {
    pub(crate) start: Pointer,
    pub(crate) shape: MapShape,
    pub(crate) frames: usize,
    pub(crate) pixel_stride: usize,
    pub(crate) frame_stride: usize,
    pub(crate) bytes: Option<ByteScale>,
}

impl View {
    /// The first number of a pixel's channels; pixels are counted on over the frames of the view.
    pub(crate) fn pixel(&self, pixel: usize) -> *mut f32 {
        self.start.get().wrapping_add(pixel * self.pixel_stride)
    }

    /// How many groups of channels all pixels of a frame have together: about the loads that reading it takes.
    pub(crate) fn groups(&self) -> usize {
        self.shape.pixels() * self.shape.padded_channels() / CHANNEL_GROUP
    }

    /// The first pixel of a frame, from a channel on that is a multiple of the channel group.
    pub(crate) fn channel(&self, frame: usize, channel: usize) -> *mut f32 {
        let numbers = if self.bytes.is_some() { channel / size_of::<f32>() } else { channel };
        self.frame(frame).wrapping_add(numbers)
    }

    /// The first number of a frame.
    pub(crate) fn frame(&self, frame: usize) -> *mut f32 {
        self.start.get().wrapping_add(frame * self.frame_stride)
    }
}

/// A pointer into an arena that several threads use at places of their own.
#[derive(Clone, Copy)]
pub(crate) struct Pointer(*mut f32);

impl Pointer {
    pub(crate) fn new(pointer: *mut f32) -> Self {
        Self(pointer)
    }

    /// The pointer itself. A method, so that a closure which uses it captures the whole and may go to another thread.
    pub(crate) fn get(self) -> *mut f32 {
        self.0
    }
}

// SAFETY: a pointer by itself does nothing; the layers give each thread parts of maps that no other writes.
unsafe impl Send for Pointer {}
// SAFETY: as above.
unsafe impl Sync for Pointer {}

/// Everything a layer needs to run on some frames.
pub(crate) struct Run<'a, L> {
    pub(crate) lanes: L,
    pub(crate) arena: Pointer,
    pub(crate) places: &'a [Place],
    /// The first clip of the group that is worked on, for maps that hold all of it. A frame that is seen for itself is a
    /// clip of one.
    pub(crate) first_clip: usize,
    pub(crate) clips: usize,
    pub(crate) scratch: Scratch,
    /// The threads that share the layer; without, it runs on this one.
    pub(crate) team: Option<&'a RefCell<Team>>,
}

/// Memory that layers use while they run.
#[derive(Clone, Copy)]
pub(crate) struct Scratch {
    /// One for all workers.
    pub(crate) shared: Pointer,
    /// The first worker's own.
    pub(crate) own: Pointer,
    /// Numbers from one worker's own to the next's.
    pub(crate) own_length: usize,
}

/// How much memory a layer uses while it runs, in numbers.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ScratchLength {
    /// For all workers together.
    pub(crate) shared: usize,
    /// For each worker.
    pub(crate) own: usize,
}

impl<L: Lanes> Run<'_, L> {
    /// The frames of a map that are worked on.
    pub(crate) fn view(&self, map: MapIndex) -> View {
        let place = &self.places[map];
        let first_frame = if place.holds_group { self.first_clip * place.frames } else { 0 };
        let start = self.arena.get().wrapping_add(place.offset + first_frame * place.frame_length());
        View {
            start: Pointer(start),
            shape: place.shape,
            frames: self.clips * place.frames,
            pixel_stride: place.pixel_stride,
            frame_stride: place.frame_length(),
            bytes: place.bytes,
        }
    }

    /// How many threads share a layer.
    pub(crate) fn workers(&self) -> usize {
        self.team.map_or(1, |team| team.borrow().size())
    }

    /// How many parts to cut a layer into that could have `most` of them and takes about `operations` on vectors: more than
    /// there are threads, as these may be of unequal speed, but none too small to be worth handing over, and one where
    /// there is but one thread. As many for each thread, as equal threads would wait for one part more.
    pub(crate) fn parts(&self, most: usize, operations: usize) -> usize {
        if self.team.is_none() {
            return most.min(1);
        }
        let workers = self.workers();
        let parts = most.min(4 * workers).min((operations / LEAST_OPERATIONS).max(1));
        if parts > workers { parts - parts % workers } else { parts }
    }

    /// As `parts`, for a layer that is made of so many units which cannot be cut and cost nothing more for being handed
    /// over one by one: parts of several would leave a thread waiting for the last of them.
    pub(crate) fn parts_of_units(&self, units: usize, operations: usize) -> usize {
        match &self.team {
            Some(_) => units.min((operations / LEAST_OPERATIONS).max(1)),
            None => units.min(1),
        }
    }

    /// Calls `work(part, own scratch)` once for each part.
    pub(crate) fn split(&self, parts: usize, work: impl Fn(usize, *mut f32) + Sync) {
        let Scratch { own, own_length, .. } = self.scratch;
        match &self.team {
            Some(team) if parts > 1 => team.borrow_mut().run(parts, &|worker, part| {
                work(part, own.get().wrapping_add(worker * own_length));
            }),
            _ => (0..parts).for_each(|part| work(part, own.get())),
        }
    }
}
