//! Numbers as bytes: an affine scale for the input of a layer, measured on prepared frames.

use crate::simd::{Kernel, Lanes};
use crate::{Result, RuntimeError};

/// The largest byte.
const MOST: f32 = 255.0;

/// The smallest and the largest number that a layer reads.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InputRange {
    /// The smallest.
    pub least: f32,
    /// The largest.
    pub greatest: f32,
}

impl InputRange {
    /// The range itself, if it is one of finite numbers.
    pub(crate) fn checked(self) -> Result<Self> {
        if self.least.is_finite() && self.greatest.is_finite() && self.least <= self.greatest {
            return Ok(self);
        }
        Err(RuntimeError::InputRange { least: self.least.to_string(), greatest: self.greatest.to_string() })
    }
}

/// How numbers become bytes: `byte = round(number / step + zero)`, cut to 0 to 255.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ByteScale {
    pub(crate) step: f32,
    /// The byte of the number zero, so that zeros, which padding is made of, are exact.
    pub(crate) zero: u8,
}

impl ByteScale {
    pub(crate) fn new(range: InputRange) -> Self {
        let (least, greatest) = (range.least.min(0.0), range.greatest.max(0.0));
        // Divided first, so that the difference of large numbers does not overflow.
        let step = greatest / MOST - least / MOST;
        // A range whose reciprocal would overflow holds nothing but zeros.
        if step < f32::MIN_POSITIVE {
            return Self { step: 1.0, zero: 0 };
        }
        Self { step, zero: (-least / step).round_ties_even() as u8 }
    }
}

/// Turns rows of numbers into bytes, perhaps multiplied by a factor for each column first.
pub(crate) struct QuantizeRows {
    pub(crate) scale: ByteScale,
    pub(crate) from: *const f32,
    /// Numbers from one row to the next.
    pub(crate) from_stride: usize,
    pub(crate) to: *mut u8,
    /// Bytes from one row to the next.
    pub(crate) to_stride: usize,
    pub(crate) rows: usize,
    /// A multiple of the channel group.
    pub(crate) width: usize,
    /// One factor for each column, or null.
    pub(crate) factors: *const f32,
}

impl Kernel for QuantizeRows {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self, lanes: L) {
        let scale = ScaleVectors::new(lanes, self.scale);
        // SAFETY: rows and columns are those that the creator vouched for.
        unsafe {
            for row in 0..self.rows {
                let (from, to) = (self.from.add(row * self.from_stride), self.to.add(row * self.to_stride));
                for column in (0..self.width).step_by(L::COUNT) {
                    let mut number = lanes.load(from.add(column));
                    if !self.factors.is_null() {
                        number = lanes.multiply(number, lanes.load(self.factors.add(column)));
                    }
                    scale.store(lanes, to.add(column), number);
                }
            }
        }
    }
}

/// A [`ByteScale`] in vectors.
#[derive(Clone, Copy)]
pub(crate) struct ScaleVectors<L: Lanes> {
    inverse: L::Vector,
    zero: L::Vector,
}

impl<L: Lanes> ScaleVectors<L> {
    #[inline(always)]
    pub(crate) fn new(lanes: L, scale: ByteScale) -> Self {
        Self { inverse: lanes.splat(1.0 / scale.step), zero: lanes.splat(f32::from(scale.zero)) }
    }

    /// Stores a vector as bytes; what is not a number becomes the smallest.
    ///
    /// # Safety
    /// `to` must be valid for writing as many bytes as there are lanes.
    #[inline(always)]
    pub(crate) unsafe fn store(self, lanes: L, to: *mut u8, numbers: L::Vector) {
        // Not a fused multiply-add, which would round otherwise than the portable kernels.
        let scaled = lanes.add(lanes.multiply(numbers, self.inverse), self.zero);
        let cut = lanes.minimum(lanes.maximum(scaled, lanes.zero()), lanes.splat(MOST));
        // SAFETY: passed on to the caller.
        unsafe { lanes.store_bytes(to, cut) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::InstructionSet;
    use crate::instruction_set::LanesTask;

    struct Quantize<'a> {
        scale: ByteScale,
        numbers: &'a [f32],
        factors: Option<&'a [f32]>,
    }

    impl LanesTask for Quantize<'_> {
        type Output = Vec<u8>;

        fn run<L: Lanes>(self, lanes: L) -> Vec<u8> {
            const GUARD: usize = 64;
            let mut bytes = vec![77; self.numbers.len() + GUARD];
            let kernel = QuantizeRows {
                scale: self.scale,
                from: self.numbers.as_ptr(),
                from_stride: 16,
                to: bytes.as_mut_ptr(),
                to_stride: 16,
                rows: self.numbers.len() / 16,
                width: 16,
                factors: self.factors.map_or(std::ptr::null(), <[f32]>::as_ptr),
            };
            // SAFETY: the slices hold whole rows of 16.
            unsafe { lanes.call(kernel) };
            assert!(bytes[self.numbers.len()..].iter().all(|&byte| byte == 77));
            bytes.truncate(self.numbers.len());
            bytes
        }
    }

    fn expected(scale: ByteScale, number: f32) -> u8 {
        (number * (1.0 / scale.step) + f32::from(scale.zero)).round_ties_even() as u8
    }

    #[test]
    fn every_set_gives_the_same_bytes() {
        let range = InputRange { least: -1.5, greatest: 4.0 };
        let scale = ByteScale::new(range);
        let mut numbers: Vec<f32> = (-4000..12_000).map(|step| step as f32 * 4.3e-4).collect();
        numbers.extend([f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e30, -1e30, 0.0, -0.0, 4.0, -1.5]);
        numbers.resize(numbers.len().next_multiple_of(16), 0.0);
        let factors: Vec<f32> = (0..16).map(|column| column as f32 / 15.0).collect();
        for set in InstructionSet::available() {
            let bytes = set.with_lanes(Quantize { scale, numbers: &numbers, factors: None });
            for (&number, byte) in numbers.iter().zip(bytes) {
                assert_eq!(byte, expected(scale, number), "{set:?} {number}");
            }
            let bytes = set.with_lanes(Quantize { scale, numbers: &numbers, factors: Some(&factors) });
            for (place, (&number, byte)) in numbers.iter().zip(bytes).enumerate() {
                assert_eq!(byte, expected(scale, number * factors[place % 16]), "{set:?} {number}");
            }
        }
    }

    #[test]
    fn zero_is_exact_and_the_ends_are_reached() {
        for (least, greatest) in [(-1.0, 3.0), (0.0, 6.0), (-5.0, 0.0), (2.0, 7.0), (-7.0, -2.0), (-3e38, 3e38)] {
            let scale = ByteScale::new(InputRange { least, greatest });
            assert_eq!(expected(scale, 0.0), scale.zero);
            assert_eq!(expected(scale, greatest.max(0.0)), 255, "{least} {greatest}");
            assert_eq!(expected(scale, least.min(0.0)), 0, "{least} {greatest}");
        }
        assert_eq!(ByteScale::new(InputRange { least: 0.0, greatest: 0.0 }), ByteScale { step: 1.0, zero: 0 });
        assert!(InputRange { least: f32::NAN, greatest: 1.0 }.checked().is_err());
        assert!(InputRange { least: 2.0, greatest: 1.0 }.checked().is_err());
    }
}
