use super::{MapIndex, Run};
use crate::buffer::Buffer;
use crate::gemm::{Tiles, part};
use crate::simd::{Kernel, Lanes};

/// Fewest pixels of a thread's part.
const MIN_PIXELS: usize = 32;

/// Layer norm over every pixel's channels, then scale, shift and the sum with another map.
pub(crate) struct LayerNorm {
    pub(crate) input: MapIndex,
    pub(crate) output: MapIndex,
    /// One for each channel, padded with zeros.
    pub(crate) scale: Buffer,
    /// One for each channel, padded with zeros.
    pub(crate) shift: Buffer,
    /// Added to the variance.
    pub(crate) epsilon: f32,
    /// Map that is added to the result.
    pub(crate) residual: Option<MapIndex>,
}

impl LayerNorm {
    /// # Safety
    /// The network must have been checked, and the arena be its own.
    pub(crate) unsafe fn run<L: Tiles>(&self, run: &Run<'_, L>) {
        let (input, output) = (run.view(self.input), run.view(self.output));
        let residual = self.residual.map(|residual| run.view(residual));
        let pixels = input.frames * input.shape.pixels();
        let parts = run.parts(pixels.div_ceil(MIN_PIXELS), 6 * input.frames * input.groups());
        let lanes = run.lanes;
        run.split(parts, |index, _| {
            for pixel in part(pixels, parts, index) {
                let kernel = NormPixel {
                    layer: self,
                    channels: input.shape.channels,
                    input: input.pixel(pixel),
                    residual: residual.map_or(std::ptr::null(), |residual| residual.pixel(pixel).cast_const()),
                    output: output.pixel(pixel),
                };
                // SAFETY: parts are disjoint pixels of checked maps of one shape.
                unsafe { lanes.call(kernel) };
            }
        });
    }
}

/// Layer norm of one pixel.
struct NormPixel<'a> {
    layer: &'a LayerNorm,
    channels: usize,
    input: *const f32,
    /// Null where nothing is added.
    residual: *const f32,
    output: *mut f32,
}

impl Kernel for NormPixel<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self, lanes: L) {
        let whole = self.channels / L::COUNT * L::COUNT;
        // SAFETY: channels and their padding are inside the pixel that the creator guarantees.
        unsafe {
            let mut sums = lanes.zero();
            for channel in (0..whole).step_by(L::COUNT) {
                sums = lanes.add(sums, lanes.load(self.input.add(channel)));
            }
            let mut sum = lanes.sum(sums);
            for channel in whole..self.channels {
                sum += *self.input.add(channel);
            }
            let mean = sum / self.channels as f32;
            let means = lanes.splat(mean);
            let mut squares = lanes.zero();
            for channel in (0..whole).step_by(L::COUNT) {
                let deviation = lanes.subtract(lanes.load(self.input.add(channel)), means);
                squares = lanes.multiply_add(deviation, deviation, squares);
            }
            let mut square = lanes.sum(squares);
            for channel in whole..self.channels {
                square += (*self.input.add(channel) - mean).powi(2);
            }
            let factor = lanes.splat(1.0 / (square / self.channels as f32 + self.layer.epsilon).sqrt());
            let (scale, shift) = (self.layer.scale.as_ptr(), self.layer.shift.as_ptr());
            for channel in (0..self.layer.scale.len()).step_by(L::COUNT) {
                let deviation = lanes.subtract(lanes.load(self.input.add(channel)), means);
                let scale = lanes.multiply(factor, lanes.load(scale.add(channel)));
                let mut number = lanes.multiply_add(deviation, scale, lanes.load(shift.add(channel)));
                if !self.residual.is_null() {
                    number = lanes.add(number, lanes.load(self.residual.add(channel)));
                }
                lanes.store(self.output.add(channel), number);
            }
        }
    }
}
