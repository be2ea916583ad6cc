use super::{MapIndex, Run, View};
use crate::gemm::part;
use crate::quantization::ByteScale;
use crate::shape::{MapShape, Window};
use crate::simd::{Kernel, Lanes};

/// What becomes of the numbers under a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pooling {
    /// The largest; pixels outside the map never win.
    Maximum,
    /// Their mean; windows do not leave the map.
    Average,
}

/// One number of each channel for each window.
pub(crate) struct Pool {
    pub(crate) input: MapIndex,
    pub(crate) output: MapIndex,
    pub(crate) pooling: Pooling,
    pub(crate) window: Window,
    /// A map of the output's shape that is added.
    pub(crate) residual: Option<MapIndex>,
}

impl Pool {
    /// # Safety
    /// The network must have been checked, and the arena be its own.
    pub(crate) unsafe fn run<L: Lanes>(&self, run: &Run<'_, L>) {
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
                    match (self.pooling, input.bytes) {
                        (Pooling::Maximum, None) => {
                            lanes.call(PoolRow::<true> { window, input, output, residual, frame, y });
                        }
                        (Pooling::Maximum, Some(scale)) => {
                            let row = PoolRow::<true> { window, input, output, residual, frame, y };
                            lanes.call(PoolBytesRow { row, scale });
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

/// One row of the output, of maxima or of means.
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

/// The same of maxima, from a map of bytes.
struct PoolBytesRow {
    row: PoolRow<true>,
    scale: ByteScale,
}

impl Kernel for PoolBytesRow {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self, lanes: L) {
        let Self { row, scale } = self;
        let pixel_bytes = row.input.pixel_stride * size_of::<f32>();
        // SAFETY: passed on to the caller; the pixel is inside the input.
        let load = |pixel: usize, channel: usize| unsafe {
            lanes.load_bytes(row.input.frame(row.frame).cast::<u8>().add(pixel * pixel_bytes + channel))
        };
        // The largest byte is that of the largest number, so it alone is turned back.
        let (zero, step) = (lanes.splat(f32::from(scale.zero)), lanes.splat(scale.step));
        let number = |byte| lanes.multiply(lanes.subtract(byte, zero), step);
        // SAFETY: passed on to the caller.
        unsafe { row.windows(lanes, load, number) }
    }
}

impl<const MAXIMUM: bool> PoolRow<MAXIMUM> {
    /// Every window of the row: `load` gives the numbers of a pixel from a channel on, `finish` what their maximum or mean
    /// stands for.
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
            let place = self.y * self.output.shape.width + x;
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
                // SAFETY: the place is inside the output, and the residual is of its shape.
                unsafe {
                    if let Some(residual) = self.residual {
                        let residual = residual.frame(self.frame).add(place * residual.pixel_stride + channel);
                        number = lanes.add(number, lanes.load(residual));
                    }
                    let to = self.output.frame(self.frame).add(place * self.output.pixel_stride + channel);
                    lanes.store(to, number);
                }
            }
        }
    }
}
