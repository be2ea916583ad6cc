use super::{MapIndex, Run};
use crate::gemm::{Tiles, part};
use crate::simd::{CHANNEL_GROUP, Kernel, Lanes};

/// Partial sums that are accumulated side by side: additions do not wait for each other, and rounding errors stay small.
const SUMS: usize = 8;

/// Mean of each channel over the map.
pub(crate) struct GlobalAverage {
    pub(crate) input: MapIndex,
    pub(crate) output: MapIndex,
}

impl GlobalAverage {
    /// # Safety
    /// The network must have been checked, and the arena be its own.
    pub(crate) unsafe fn run<L: Tiles>(&self, run: &Run<'_, L>) {
        let (input, output) = (run.view(self.input), run.view(self.output));
        let groups = input.shape.padded_channels() / CHANNEL_GROUP;
        let parts = run.parts(groups, input.groups());
        let lanes = run.lanes;
        for frame in 0..output.frames {
            run.split(parts, |index, _| {
                for group in part(groups, parts, index) {
                    let channel = group * CHANNEL_GROUP;
                    let kernel = ChannelMeans {
                        input: input.frame(frame).wrapping_add(channel),
                        stride: input.pixel_stride,
                        pixels: input.shape.pixels(),
                        output: output.frame(frame).wrapping_add(channel),
                    };
                    // SAFETY: parts are disjoint channels of checked maps.
                    unsafe { lanes.call(kernel) };
                }
            });
        }
    }
}

/// Means of one group of channels.
struct ChannelMeans {
    input: *const f32,
    stride: usize,
    pixels: usize,
    output: *mut f32,
}

impl Kernel for ChannelMeans {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self, lanes: L) {
        // SAFETY: pixels and channels are inside the map that the creator guarantees.
        unsafe {
            for offset in (0..CHANNEL_GROUP).step_by(L::COUNT) {
                let mut sums = [lanes.zero(); SUMS];
                let mut pixel = 0;
                while pixel < self.pixels {
                    for (index, sum) in sums.iter_mut().enumerate().take(self.pixels - pixel) {
                        *sum = lanes.add(*sum, lanes.load(self.input.add((pixel + index) * self.stride + offset)));
                    }
                    pixel += SUMS;
                }
                let mut total = lanes.zero();
                for sum in sums {
                    total = lanes.add(total, sum);
                }
                let mean = lanes.multiply(total, lanes.splat(1.0 / self.pixels as f32));
                lanes.store(self.output.add(offset), mean);
            }
        }
    }
}
