use std::arch::aarch64::{
    int8x16_t, int32x4_t, vcvtq_f32_s32, vdupq_n_u8, vdupq_n_u32, veorq_u8, vget_low_s8, vld1q_s8, vld1q_s32,
    vmull_high_s8, vmull_s8, vpadalq_s16, vpaddq_s16, vreinterpretq_s8_u8, vreinterpretq_u8_u32,
};
use std::arch::{asm, is_aarch64_feature_detected};

use super::{DOT_TERMS, Int8Kernel, Int8Lanes, pack_side_by_side};
use crate::simd::{Lanes, Neon};

/// Bit that differs between a byte and the signed byte that is 128 less.
const HIGHEST_BIT: u8 = 0x80;

/// # Safety
/// The processor must have the feature, and the kernel's pointers must be valid.
#[target_feature(enable = "neon")]
#[inline(never)]
unsafe fn call<K: Int8Kernel>(lanes: Neon, kernel: K) {
    // SAFETY: passed on to the caller.
    unsafe { kernel.run(lanes) }
}

/// NEON multiplies signed bytes only, so inputs are lowered by 128. Then two products are at most
/// 2 x 128 x 127 = 32512, which 16 bits hold.
impl Int8Lanes for Neon {
    type Floats = Self;
    type Input = int8x16_t;
    type Weights = int8x16_t;
    type Sums = int32x4_t;

    const PACKED_DOT_BYTES: usize = DOT_TERMS;
    const INPUT_OFFSET: i32 = 128;

    #[inline(always)]
    fn floats(self) -> Self {
        self
    }

    #[inline(always)]
    unsafe fn call<K: Int8Kernel>(self, kernel: K) {
        // SAFETY: `self` proves the feature; the pointers are the caller's promise.
        unsafe { call(self, kernel) }
    }

    fn pack(to: &mut [u8], weight: impl Fn(usize, usize) -> i8) {
        pack_side_by_side(to, weight);
    }

    #[inline(always)]
    unsafe fn splat(self, from: *const u8) -> int8x16_t {
        // SAFETY: `self` proves the feature; the pointer is the caller's promise.
        unsafe {
            let bytes = vreinterpretq_u8_u32(vdupq_n_u32(from.cast::<u32>().read_unaligned()));
            vreinterpretq_s8_u8(veorq_u8(bytes, vdupq_n_u8(HIGHEST_BIT)))
        }
    }

    #[inline(always)]
    unsafe fn load_weights(self, from: *const u8) -> int8x16_t {
        // SAFETY: `self` proves the feature; the pointer is the caller's promise.
        unsafe { vld1q_s8(from.cast()) }
    }

    #[inline(always)]
    unsafe fn load_sums(self, from: *const i32) -> int32x4_t {
        // SAFETY: `self` proves the feature; the pointer is the caller's promise.
        unsafe { vld1q_s32(from) }
    }

    #[inline(always)]
    fn dot(self, input: int8x16_t, weights: int8x16_t, sums: int32x4_t) -> int32x4_t {
        // SAFETY: a value of this type exists only where the feature was detected.
        unsafe {
            let first_lanes = vmull_s8(vget_low_s8(input), vget_low_s8(weights));
            let last_lanes = vmull_high_s8(input, weights);
            let pairs = vpaddq_s16(first_lanes, last_lanes);
            vpadalq_s16(sums, pairs)
        }
    }

    #[inline(always)]
    fn to_floats(self, sums: int32x4_t) -> <Self as Lanes>::Vector {
        // SAFETY: a value of this type exists only where the feature was detected.
        unsafe { vcvtq_f32_s32(sums) }
    }
}

/// NEON lanes with the dot product of signed bytes (`sdot`, from ARM v8.2 on); all else is as in [`Neon`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct DotProducts(Neon);

impl DotProducts {
    /// Returns the lanes if this processor has them.
    pub(crate) fn detect() -> Option<Self> {
        if is_aarch64_feature_detected!("dotprod") { Neon::detect().map(Self) } else { None }
    }
}

/// # Safety
/// The processor must have the features, and the kernel's pointers must be valid.
#[target_feature(enable = "neon,dotprod")]
#[inline(never)]
unsafe fn call_with_dot_products<K: Int8Kernel>(lanes: DotProducts, kernel: K) {
    // SAFETY: passed on to the caller.
    unsafe { kernel.run(lanes) }
}

/// Returns `sums` plus the four products of each lane. (The intrinsic is not in stable Rust.)
#[target_feature(enable = "neon,dotprod")]
#[inline]
fn add_dot_products(input: int8x16_t, weights: int8x16_t, mut sums: int32x4_t) -> int32x4_t {
    // SAFETY: the instruction reads and writes these three registers alone, and the function has its feature.
    unsafe {
        asm!(
            "sdot {sums:v}.4s, {input:v}.16b, {weights:v}.16b",
            sums = inout(vreg) sums,
            input = in(vreg) input,
            weights = in(vreg) weights,
            // Not `pure`: the compiler would move products about and run out of registers.
            options(nomem, nostack, preserves_flags),
        );
    }
    sums
}

impl Int8Lanes for DotProducts {
    type Floats = Neon;
    type Input = int8x16_t;
    type Weights = int8x16_t;
    type Sums = int32x4_t;

    const PACKED_DOT_BYTES: usize = Neon::PACKED_DOT_BYTES;
    const INPUT_OFFSET: i32 = Neon::INPUT_OFFSET;

    #[inline(always)]
    fn floats(self) -> Neon {
        self.0
    }

    #[inline(always)]
    unsafe fn call<K: Int8Kernel>(self, kernel: K) {
        // SAFETY: `self` proves the features; the pointers are the caller's promise.
        unsafe { call_with_dot_products(self, kernel) }
    }

    fn pack(to: &mut [u8], weight: impl Fn(usize, usize) -> i8) {
        Neon::pack(to, weight);
    }

    #[inline(always)]
    unsafe fn splat(self, from: *const u8) -> int8x16_t {
        // SAFETY: the pointer is the caller's promise.
        unsafe { Int8Lanes::splat(self.0, from) }
    }

    #[inline(always)]
    unsafe fn load_weights(self, from: *const u8) -> int8x16_t {
        // SAFETY: the pointer is the caller's promise.
        unsafe { self.0.load_weights(from) }
    }

    #[inline(always)]
    unsafe fn load_sums(self, from: *const i32) -> int32x4_t {
        // SAFETY: the pointer is the caller's promise.
        unsafe { self.0.load_sums(from) }
    }

    #[inline(always)]
    fn dot(self, input: int8x16_t, weights: int8x16_t, sums: int32x4_t) -> int32x4_t {
        // SAFETY: a value of this type exists only where the features were detected.
        unsafe { add_dot_products(input, weights, sums) }
    }

    #[inline(always)]
    fn to_floats(self, sums: int32x4_t) -> <Neon as Lanes>::Vector {
        self.0.to_floats(sums)
    }
}
