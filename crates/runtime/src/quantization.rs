//! Affine int8 quantization: the range of a layer's input, measured on prepared frames, and its map to 8 bits.
//!
//! Inputs are unsigned (0 to 255, with a zero point), weights signed and symmetric (-127 to 127), as the dot product
//! instructions of x86-64 take them.

use crate::simd::{Kernel, Lanes};
use crate::{Result, RuntimeError};

/// Largest quantized input.
const MAX_QUANTIZED: f32 = 255.0;

/// Smallest and largest number that a layer reads.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InputRange {
    /// Lower end.
    pub min: f32,
    /// Upper end.
    pub max: f32,
}

impl InputRange {
    /// Returns the range if its ends are finite and in order.
    pub(crate) fn checked(self) -> Result<Self> {
        if self.min.is_finite() && self.max.is_finite() && self.min <= self.max {
            return Ok(self);
        }
        Err(RuntimeError::InputRange { min: self.min.to_string(), max: self.max.to_string() })
    }
}

/// Scale and zero point of quantized numbers: `quantized = round(number / scale + zero_point)`, clamped to 0 to 255.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct AffineQuantization {
    pub(crate) scale: f32,
    /// Quantized zero. It is a whole number, so that zeros, which padding is made of, are exact.
    pub(crate) zero_point: u8,
}

impl AffineQuantization {
    /// Chooses the scale at which the range, widened to contain zero, fills 8 bits.
    pub(crate) fn from_range(range: InputRange) -> Self {
        let (min, max) = (range.min.min(0.0), range.max.max(0.0));
        // Divided first, so that the difference of large numbers does not overflow.
        let scale = max / MAX_QUANTIZED - min / MAX_QUANTIZED;
        // A range whose reciprocal would overflow holds nothing but zeros.
        if scale < f32::MIN_POSITIVE {
            return Self { scale: 1.0, zero_point: 0 };
        }
        Self { scale, zero_point: (-min / scale).round_ties_even() as u8 }
    }
}

/// Quantizes rows of numbers, each column multiplied by a factor first where there are factors.
pub(crate) struct QuantizeRows {
    pub(crate) quantization: AffineQuantization,
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
        let quantization = QuantizationVectors::new(lanes, self.quantization);
        // SAFETY: rows and columns are those that the creator guarantees.
        unsafe {
            for row in 0..self.rows {
                let (from, to) = (self.from.add(row * self.from_stride), self.to.add(row * self.to_stride));
                for column in (0..self.width).step_by(L::COUNT) {
                    let mut number = lanes.load(from.add(column));
                    if !self.factors.is_null() {
                        number = lanes.multiply(number, lanes.load(self.factors.add(column)));
                    }
                    quantization.store(lanes, to.add(column), number);
                }
            }
        }
    }
}

/// An [`AffineQuantization`] in vectors.
#[derive(Clone, Copy)]
pub(crate) struct QuantizationVectors<L: Lanes> {
    inverse_scale: L::Vector,
    zero_point: L::Vector,
}

impl<L: Lanes> QuantizationVectors<L> {
    #[inline(always)]
    pub(crate) fn new(lanes: L, quantization: AffineQuantization) -> Self {
        Self {
            inverse_scale: lanes.splat(1.0 / quantization.scale),
            zero_point: lanes.splat(f32::from(quantization.zero_point)),
        }
    }

    /// Stores a vector, quantized; NaN becomes 0.
    ///
    /// # Safety
    /// `to` must be valid for writing as many bytes as there are lanes.
    #[inline(always)]
    pub(crate) unsafe fn store(self, lanes: L, to: *mut u8, numbers: L::Vector) {
        // No fused multiply-add: it rounds once where the portable kernels round twice.
        let scaled = lanes.add(lanes.multiply(numbers, self.inverse_scale), self.zero_point);
        let clamped = lanes.minimum(lanes.maximum(scaled, lanes.zero()), lanes.splat(MAX_QUANTIZED));
        // SAFETY: passed on to the caller.
        unsafe { lanes.store_u8(to, clamped) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::InstructionSet;
    use crate::gemm::Tiles;
    use crate::instruction_set::LanesTask;

    struct Quantize<'a> {
        quantization: AffineQuantization,
        numbers: &'a [f32],
        factors: Option<&'a [f32]>,
    }

    impl LanesTask for Quantize<'_> {
        type Output = Vec<u8>;

        fn run<L: Tiles>(self, lanes: L) -> Vec<u8> {
            const GUARD: usize = 64;
            let mut bytes = vec![77; self.numbers.len() + GUARD];
            let kernel = QuantizeRows {
                quantization: self.quantization,
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

    fn expected(quantization: AffineQuantization, number: f32) -> u8 {
        (number * (1.0 / quantization.scale) + f32::from(quantization.zero_point)).round_ties_even() as u8
    }

    #[test]
    fn every_instruction_set_quantizes_alike() {
        let range = InputRange { min: -1.5, max: 4.0 };
        let quantization = AffineQuantization::from_range(range);
        let mut numbers: Vec<f32> = (-4000..12_000).map(|step| step as f32 * 4.3e-4).collect();
        numbers.extend([f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e30, -1e30, 0.0, -0.0, 4.0, -1.5]);
        numbers.resize(numbers.len().next_multiple_of(16), 0.0);
        let factors: Vec<f32> = (0..16).map(|column| column as f32 / 15.0).collect();
        for set in InstructionSet::available() {
            let bytes = set.with_lanes(Quantize { quantization, numbers: &numbers, factors: None });
            for (&number, byte) in numbers.iter().zip(bytes) {
                assert_eq!(byte, expected(quantization, number), "{set:?} {number}");
            }
            let bytes = set.with_lanes(Quantize { quantization, numbers: &numbers, factors: Some(&factors) });
            for (place, (&number, byte)) in numbers.iter().zip(bytes).enumerate() {
                assert_eq!(byte, expected(quantization, number * factors[place % 16]), "{set:?} {number}");
            }
        }
    }

    #[test]
    fn zero_is_exact_and_the_ends_are_reached() {
        for (min, max) in [(-1.0, 3.0), (0.0, 6.0), (-5.0, 0.0), (2.0, 7.0), (-7.0, -2.0), (-3e38, 3e38)] {
            let quantization = AffineQuantization::from_range(InputRange { min, max });
            assert_eq!(expected(quantization, 0.0), quantization.zero_point);
            assert_eq!(expected(quantization, max.max(0.0)), 255, "{min} {max}");
            assert_eq!(expected(quantization, min.min(0.0)), 0, "{min} {max}");
        }
        assert_eq!(
            AffineQuantization::from_range(InputRange { min: 0.0, max: 0.0 }),
            AffineQuantization { scale: 1.0, zero_point: 0 }
        );
        assert!(InputRange { min: f32::NAN, max: 1.0 }.checked().is_err());
        assert!(InputRange { min: 2.0, max: 1.0 }.checked().is_err());
    }
}
