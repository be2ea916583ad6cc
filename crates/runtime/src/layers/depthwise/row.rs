use crate::quantization::QuantizationVectors;
use crate::shape::Window;
use crate::simd::{Lanes, math};

/// Output pixels whose sums are kept in registers together: each weight that is loaded serves all of them.
const PIXELS: usize = 8;

/// Output row of one vector of channels, under a window whose size the compiler knows; zeros stand for any size.
#[derive(Clone, Copy)]
pub(super) struct Row<L: Lanes, const KERNEL: usize, const STRIDE: usize> {
    /// Ring buffer of padded input rows; row `y` is in slot `y % kernel`.
    pub(super) input: *const f32,
    pub(super) row_length: usize,
    /// First padded input row under the output row.
    pub(super) first: usize,
    pub(super) weights: *const f32,
    /// Numbers from the weights of one tap to those of the next.
    pub(super) weights_stride: usize,
    pub(super) bias: L::Vector,
    pub(super) window: Window,
    /// Pixels of the output row.
    pub(super) width: usize,
}

/// Conversion and store of the sums of a row.
pub(super) trait Finish<L: Lanes>: Copy {
    /// Writes pixel `x` and returns the number that goes into the mean.
    ///
    /// # Safety
    /// The pixel must be inside the row that this was made for.
    unsafe fn finish(self, lanes: L, x: usize, sum: L::Vector) -> L::Vector;
}

/// Numbers, `stride` apart, none below the floor.
#[derive(Clone, Copy)]
pub(super) struct Floored<L: Lanes> {
    pub(super) to: *mut f32,
    pub(super) stride: usize,
    pub(super) floor: L::Vector,
}

impl<L: Lanes> Finish<L> for Floored<L> {
    #[inline(always)]
    unsafe fn finish(self, lanes: L, x: usize, sum: L::Vector) -> L::Vector {
        let number = lanes.maximum(self.floor, sum);
        // SAFETY: passed on to the caller.
        unsafe { lanes.store(self.to.add(x * self.stride), number) };
        number
    }
}

/// Numbers, `stride` apart, with SiLU applied.
#[derive(Clone, Copy)]
pub(super) struct Silu {
    pub(super) to: *mut f32,
    pub(super) stride: usize,
}

impl<L: Lanes> Finish<L> for Silu {
    #[inline(always)]
    unsafe fn finish(self, lanes: L, x: usize, sum: L::Vector) -> L::Vector {
        let number = math::silu(lanes, sum);
        // SAFETY: passed on to the caller.
        unsafe { lanes.store(self.to.add(x * self.stride), number) };
        number
    }
}

/// Quantized numbers, `stride` apart, none below the floor.
#[derive(Clone, Copy)]
pub(super) struct Quantized<L: Lanes> {
    pub(super) to: *mut u8,
    pub(super) stride: usize,
    pub(super) floor: L::Vector,
    pub(super) quantization: QuantizationVectors<L>,
}

impl<L: Lanes> Finish<L> for Quantized<L> {
    #[inline(always)]
    unsafe fn finish(self, lanes: L, x: usize, sum: L::Vector) -> L::Vector {
        let number = lanes.maximum(self.floor, sum);
        // SAFETY: passed on to the caller.
        unsafe { self.quantization.store(lanes, self.to.add(x * self.stride), number) };
        number
    }
}

impl<L: Lanes, const KERNEL: usize, const STRIDE: usize> Row<L, KERNEL, STRIDE> {
    /// Computes the row and returns its sum.
    ///
    /// # Safety
    /// As for [`super::depthwise_rows`].
    #[inline(always)]
    pub(super) unsafe fn compute(&self, lanes: L, finish: impl Finish<L>) -> L::Vector {
        let width = self.width;
        let mut total = lanes.zero();
        let mut done = 0;
        // SAFETY: as for the function; every block ends at or before the row's last pixel.
        unsafe {
            while done + PIXELS <= width {
                total = self.compute_pixels::<PIXELS>(lanes, finish, (done, done), total);
                done += PIXELS;
            }
            // The remainder is computed together with pixels before it, rather than alone.
            while done < width {
                if width - done > 4 && width >= PIXELS {
                    total = self.compute_pixels::<PIXELS>(lanes, finish, (width - PIXELS, done), total);
                    done = width;
                } else if width >= 4 {
                    total = self.compute_pixels::<4>(lanes, finish, (done.min(width - 4), done), total);
                    done += 4;
                } else {
                    total = self.compute_pixels::<1>(lanes, finish, (done, done), total);
                    done += 1;
                }
            }
        }
        total
    }

    /// Computes pixels from `x` on and writes those from `done` on, whose sum is added to `total`.
    ///
    /// # Safety
    /// As for [`super::depthwise_rows`]; `x + COUNT` must not be beyond the row.
    #[inline(always)]
    unsafe fn compute_pixels<const COUNT: usize>(
        &self,
        lanes: L,
        finish: impl Finish<L>,
        (x, done): (usize, usize),
        mut total: L::Vector,
    ) -> L::Vector {
        let kernel = if KERNEL > 0 { KERNEL } else { self.window.kernel };
        let stride = if STRIDE > 0 { STRIDE } else { self.window.stride };
        let mut sums = [self.bias; COUNT];
        // SAFETY: the kept rows hold all input columns of the output columns, for every row of the window.
        unsafe {
            for ky in 0..kernel {
                let input = self.input.add((self.first + ky) % kernel * self.row_length + x * stride * L::COUNT);
                for kx in 0..kernel {
                    let weight = lanes.load(self.weights.add((ky * kernel + kx) * self.weights_stride));
                    for (pixel, sum) in sums.iter_mut().enumerate() {
                        let number = lanes.load(input.add((pixel * stride + kx) * L::COUNT));
                        *sum = lanes.multiply_add(number, weight, *sum);
                    }
                }
            }
            for (pixel, sum) in sums.into_iter().enumerate() {
                if x + pixel >= done {
                    total = lanes.add(total, finish.finish(lanes, x + pixel, sum));
                }
            }
        }
        total
    }
}
