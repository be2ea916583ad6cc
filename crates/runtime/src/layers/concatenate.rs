use super::{MapIndex, Run};
use crate::gemm::{Tiles, part};

/// Fewest pixels of a thread's part.
const MIN_PIXELS: usize = 64;

/// Concatenation of several maps of one size along the channels.
pub(crate) struct Concatenate {
    pub(crate) inputs: Vec<MapIndex>,
    pub(crate) output: MapIndex,
}

impl Concatenate {
    /// # Safety
    /// The network must have been checked, and the arena be its own.
    pub(crate) unsafe fn run<L: Tiles>(&self, run: &Run<'_, L>) {
        let output = run.view(self.output);
        let pixels = output.shape.pixels();
        let parts = run.parts(pixels.div_ceil(MIN_PIXELS), 2 * output.groups());
        for frame in 0..output.frames {
            let inputs: Vec<_> = self.inputs.iter().map(|&input| run.view(input)).collect();
            run.split(parts, |index, _| {
                for pixel in part(pixels, parts, index) {
                    let mut to = output.frame(frame).wrapping_add(pixel * output.pixel_stride);
                    for input in &inputs {
                        let from = input.frame(frame).wrapping_add(pixel * input.pixel_stride);
                        let channels = input.shape.channels;
                        // SAFETY: the output has as many channels as all inputs together, and pixels are not shared.
                        unsafe {
                            to.copy_from_nonoverlapping(from, channels);
                            to = to.add(channels);
                        }
                    }
                    let padding = output.shape.padded_channels() - output.shape.channels;
                    // SAFETY: the padding is part of the pixel.
                    unsafe { to.write_bytes(0, padding) };
                }
            });
        }
    }
}
