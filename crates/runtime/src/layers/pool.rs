use super::{MapIndex, Run, View};
use crate::gemm::{Tiles, part};
use crate::quantization::AffineQuantization;
use crate::shape::{MapShape, Window};
use crate::simd::{Kernel, Lanes};

/// Reduction of the numbers under a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pooling {
    /// Maximum; pixels outside the map never win.
    Maximum,
    /// Mean; windows do not leave the map.
    Average,
}

/// Pooling of each channel under each window.
pub(crate) struct Pool {
    pub(crate) input: MapIndex,
    pub(crate) output: MapIndex,
    pub(crate) pooling: Pooling,
    pub(crate) window: Window,
    /// Map of the output's shape that is added.
    pub(crate) residual: Option<MapIndex>,
}

impl Pool {
    /// # Safety
    /// The network must have been checked, and the arena be its own.
    pub(crate) unsafe fn run<L: Tiles>(&self, run: &Run<'_, L>) {
        let (input, output) = (run.view(self.input), run.view(self.output));
        let residual = self.residual.map(|residual| run.view(residual));
        let rows = output.frames * output.shape.height;
        let parts = run.parts(rows, output.frames * output.groups() * self.window.kernel * self.window.kernel);
        let (lanes, window) = (run.lanes, self.window);
        run.split(parts, |index, _| {
            for row in part(rows, parts, index) {
                let (frame, y) = (row / output.shape.height, row % output.shape.height);
                // SAFETY: parts are disjoint rows of checked maps.
                unsafe {
                    match (self.pooling, input.quantization) {
                        (Pooling::Maximum, None) => {
                            lanes.call(PoolRow::<true> { window, input, output, residual, frame, y });
                        }
                        (Pooling::Maximum, Some(quantization)) => {
                            let row = PoolRow::<true> { window, input, output, residual, frame, y };
                            lanes.call(QuantizedPoolRow { row, quantization });
                        }
                        (Pooling::Average, _) => {
                            lanes.call(PoolRow::<false> { window, input, output, residual, frame, y });
                        }
                    }
                }
            }
        });
    }
}

/// Output row of maxima or of means.
struct PoolRow<const MAXIMUM: bool> {
    window: Window,
    input: View,
    output: View,
    residual: Option<View>,
    frame: usize,
    y: usize,
}

impl<const MAXIMUM: bool> Kernel for PoolRow<MAXIMUM> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self, lanes: L) {
        // SAFETY: passed on to the caller; the pixel is inside the input.
        let load = |pixel: usize, channel: usize| unsafe {
            lanes.load(self.input.frame(self.frame).add(pixel * self.input.pixel_stride + channel))
        };
        // SAFETY: passed on to the caller.
        unsafe { self.windows(lanes, load, |number| number) }
    }
}

/// Output row of maxima, from a quantized map.
struct QuantizedPoolRow {
    row: PoolRow<true>,
    quantization: AffineQuantization,
}

impl Kernel for QuantizedPoolRow {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self, lanes: L) {
        let Self { row, quantization } = self;
        let pixel_bytes = row.input.pixel_stride * size_of::<f32>();
        // SAFETY: passed on to the caller; the pixel is inside the input.
        let load = |pixel: usize, channel: usize| unsafe {
            lanes.load_u8(row.input.frame(row.frame).cast::<u8>().add(pixel * pixel_bytes + channel))
        };
        // Quantization keeps the order of numbers, so only the maximum is dequantized.
        let (zero_point, scale) = (lanes.splat(f32::from(quantization.zero_point)), lanes.splat(quantization.scale));
        let dequantize = |quantized| lanes.multiply(lanes.subtract(quantized, zero_point), scale);
        // SAFETY: passed on to the caller.
        unsafe { row.windows(lanes, load, dequantize) }
    }
}

impl<const MAXIMUM: bool> PoolRow<MAXIMUM> {
    /// Computes every window of the row: `load` returns the numbers of a pixel from a channel on, `finish` converts their
    /// maximum or mean.
    ///
    /// # Safety
    /// The maps must have been checked and the row be inside the output.
    #[inline(always)]
    unsafe fn windows<L: Lanes>(
        &self,
        lanes: L,
        load: impl Fn(usize, usize) -> L::Vector,
        finish: impl Fn(L::Vector) -> L::Vector,
    ) {
        let Window { kernel, stride, padding } = self.window;
        let MapShape { height, width, .. } = self.input.shape;
        let inside = |at: usize, before: usize, length: usize| {
            let start = (at * stride).saturating_sub(before);
            start..(at * stride + kernel).saturating_sub(before).min(length)
        };
        let rows = inside(self.y, padding.top, height);
        let share = lanes.splat(1.0 / (kernel * kernel) as f32);
        for x in 0..self.output.shape.width {
            let columns = inside(x, padding.left, width);
            let pixel = self.y * self.output.shape.width + x;
            for channel in (0..self.output.shape.padded_channels()).step_by(L::COUNT) {
                let mut number = lanes.splat(if MAXIMUM { f32::NEG_INFINITY } else { 0.0 });
                for row in rows.clone() {
                    for column in columns.clone() {
                        let next = load(row * width + column, channel);
                        number = if MAXIMUM { lanes.maximum(number, next) } else { lanes.add(number, next) };
                    }
                }
                if !MAXIMUM {
                    number = lanes.multiply(number, share);
                }
                number = finish(number);
                // SAFETY: the pixel is inside the output, and the residual is of its shape.
                unsafe {
                    if let Some(residual) = self.residual {
                        let residual = residual.frame(self.frame).add(pixel * residual.pixel_stride + channel);
                        number = lanes.add(number, lanes.load(residual));
                    }
                    let to = self.output.frame(self.frame).add(pixel * self.output.pixel_stride + channel);
                    lanes.store(to, number);
                }
            }
        }
    }
}
