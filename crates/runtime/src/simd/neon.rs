use std::arch::aarch64::{
    float32x4_t, vabsq_f32, vaddq_f32, vaddq_s32, vaddvq_f32, vbslq_f32, vcgtq_f32, vcltq_f32, vcombine_u16,
    vcreate_u8, vcreate_u16, vcvtnq_s32_f32, vcvtnq_u32_f32, vcvtq_f32_u32, vdivq_f32, vdupq_n_f32, vdupq_n_s32,
    vdupq_n_u32, vfmaq_f32, vget_lane_u32, vget_low_u16, vld1q_f32, vmaxvq_f32, vmovl_u8, vmovl_u16, vmulq_f32,
    vqmovn_u16, vqmovn_u32, vreinterpret_u32_u8, vreinterpretq_f32_s32, vrndnq_f32, vshlq_n_s32, vst1q_f32, vsubq_f32,
};
use std::arch::{asm, is_aarch64_feature_detected};

use super::{Kernel, Lanes};

/// Bits of a number's fraction; the exponent stands above them.
const FRACTION_BITS: i32 = 23;
const EXPONENT_BIAS: i32 = 127;
const SIGN_BIT: u32 = 1 << 31;

/// 4 lanes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Neon(());

impl Neon {
    /// Returns the lanes if this processor has them, as all do that run ARM's 64-bit Linux, macOS or Windows.
    pub(crate) fn detect() -> Option<Self> {
        is_aarch64_feature_detected!("neon").then_some(Self(()))
    }
}

/// # Safety
/// The processor must have the feature, and the kernel's pointers must be valid.
#[target_feature(enable = "neon")]
#[inline(never)]
unsafe fn call<K: Kernel>(lanes: Neon, kernel: K) -> K::Output {
    // SAFETY: passed on to the caller.
    unsafe { kernel.run(lanes) }
}

impl Lanes for Neon {
    const COUNT: usize = 4;

    type Vector = float32x4_t;

    #[inline(always)]
    unsafe fn call<K: Kernel>(self, kernel: K) -> K::Output {
        // SAFETY: `self` proves the feature; the pointers are the caller's promise.
        unsafe { call(self, kernel) }
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> float32x4_t {
        // SAFETY: `self` proves the feature; the pointer is the caller's promise.
        unsafe { vld1q_f32(from) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32, vector: float32x4_t) {
        // SAFETY: `self` proves the feature; the pointer is the caller's promise.
        unsafe { vst1q_f32(to, vector) }
    }

    #[inline(always)]
    unsafe fn load_u8(self, from: *const u8) -> float32x4_t {
        // SAFETY: `self` proves the feature; the pointer is the caller's promise.
        unsafe {
            let bytes = vcreate_u8(u64::from(from.cast::<u32>().read_unaligned()));
            vcvtq_f32_u32(vmovl_u16(vget_low_u16(vmovl_u8(bytes))))
        }
    }

    #[inline(always)]
    unsafe fn store_u8(self, to: *mut u8, vector: float32x4_t) {
        // SAFETY: `self` proves the feature; the pointer is the caller's promise.
        unsafe {
            let halves = vcombine_u16(vqmovn_u32(vcvtnq_u32_f32(vector)), vcreate_u16(0));
            let bytes = vreinterpret_u32_u8(vqmovn_u16(halves));
            to.cast::<u32>().write_unaligned(vget_lane_u32::<0>(bytes));
        }
    }

    #[inline(always)]
    fn prefetch(self, at: *const f32) {
        // SAFETY: a prefetch has no effect that a program can see, and every 64-bit ARM processor has it. (Its intrinsic is
        // not in stable Rust.)
        unsafe { asm!("prfm pldl1keep, [{at}]", at = in(reg) at, options(readonly, nostack, preserves_flags)) }
    }

    #[inline(always)]
    fn splat(self, number: f32) -> float32x4_t {
        // SAFETY: a value of this type exists only where the feature was detected.
        unsafe { vdupq_n_f32(number) }
    }

    #[inline(always)]
    fn sum(self, a: float32x4_t) -> f32 {
        // SAFETY: a value of this type exists only where the feature was detected.
        unsafe { vaddvq_f32(a) }
    }

    #[inline(always)]
    fn largest(self, a: float32x4_t) -> f32 {
        // SAFETY: a value of this type exists only where the feature was detected.
        unsafe { vmaxvq_f32(a) }
    }

    operations! { float32x4_t:
        add(a, b) = vaddq_f32(a, b);
        subtract(a, b) = vsubq_f32(a, b);
        multiply(a, b) = vmulq_f32(a, b);
        // NEON's own maximum returns NaN if either side is NaN, where the other sets return `b`, so this compares.
        maximum(a, b) = vbslq_f32(vcgtq_f32(a, b), a, b);
        minimum(a, b) = vbslq_f32(vcltq_f32(a, b), a, b);
        multiply_add(a, b, c) = vfmaq_f32(c, a, b);
        round(a) = vrndnq_f32(a);
        scale_by_power_of_two(a, exponent) = {
            let biased = vaddq_s32(vcvtnq_s32_f32(exponent), vdupq_n_s32(EXPONENT_BIAS));
            vmulq_f32(a, vreinterpretq_f32_s32(vshlq_n_s32::<FRACTION_BITS>(biased)))
        };
        divide(a, b) = vdivq_f32(a, b);
        absolute(a) = vabsq_f32(a);
        with_sign_of(magnitude, sign) = vbslq_f32(vdupq_n_u32(SIGN_BIT), sign, magnitude);
    }
}
