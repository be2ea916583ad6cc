//! Layers of transformers that only move pixels.

use super::{MapIndex, Run};
use crate::buffer::Buffer;
use crate::gemm::{Tiles, part};
use crate::simd::{Kernel, Lanes};

/// Fewest pixels of a thread's part.
const MIN_PIXELS: usize = 64;

/// Class token prepended to the map's pixels, with positional terms added to all.
pub(crate) struct PrependToken {
    pub(crate) input: MapIndex,
    pub(crate) output: MapIndex,
    /// [tokens, channels], channels padded with zeros.
    pub(crate) terms: Buffer,
}

impl PrependToken {
    /// # Safety
    /// The network must have been checked, and the arena be its own.
    pub(crate) unsafe fn run<L: Tiles>(&self, run: &Run<'_, L>) {
        let (input, output) = (run.view(self.input), run.view(self.output));
        let tokens = output.shape.pixels();
        let width = output.shape.padded_channels();
        let parts = run.parts(tokens.div_ceil(MIN_PIXELS), 2 * output.groups());
        let lanes = run.lanes;
        for frame in 0..output.frames {
            run.split(parts, |index, _| {
                for token in part(tokens, parts, index) {
                    let pixel = |before: usize| input.frame(frame).wrapping_add(before * input.pixel_stride);
                    let kernel = AddTerms {
                        input: token.checked_sub(1).map_or(std::ptr::null(), |before| pixel(before).cast_const()),
                        terms: self.terms.as_ptr().wrapping_add(token * width),
                        output: output.frame(frame).wrapping_add(token * output.pixel_stride),
                        width,
                    };
                    // SAFETY: parts are disjoint tokens, each but the first has a pixel, and there are terms for all.
                    unsafe { lanes.call(kernel) };
                }
            });
        }
    }
}

/// Sum of `width` terms and the input; null stands for zeros.
struct AddTerms {
    input: *const f32,
    terms: *const f32,
    output: *mut f32,
    width: usize,
}

impl Kernel for AddTerms {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self, lanes: L) {
        for channel in (0..self.width).step_by(L::COUNT) {
            // SAFETY: the channels are inside what the creator guarantees.
            unsafe {
                let mut number = lanes.load(self.terms.add(channel));
                if !self.input.is_null() {
                    number = lanes.add(number, lanes.load(self.input.add(channel)));
                }
                lanes.store(self.output.add(channel), number);
            }
        }
    }
}

/// Consecutive pixels of a map, as a map of their own.
pub(crate) struct Pixels {
    pub(crate) input: MapIndex,
    pub(crate) output: MapIndex,
    pub(crate) first: usize,
}

impl Pixels {
    /// # Safety
    /// The network must have been checked, and the arena be its own.
    pub(crate) unsafe fn run<L: Tiles>(&self, run: &Run<'_, L>) {
        let (input, output) = (run.view(self.input), run.view(self.output));
        let width = output.shape.padded_channels();
        for frame in 0..output.frames {
            for pixel in 0..output.shape.pixels() {
                let from = input.frame(frame).wrapping_add((self.first + pixel) * input.pixel_stride);
                let to = output.frame(frame).wrapping_add(pixel * output.pixel_stride);
                // SAFETY: both maps have the pixel with its padding, and they lie apart.
                unsafe { to.copy_from_nonoverlapping(from, width) };
            }
        }
    }
}
