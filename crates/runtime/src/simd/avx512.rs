use std::arch::asm;
use std::arch::x86_64::{
    __m512, _MM_FROUND_NO_EXC, _MM_FROUND_TO_NEAREST_INT, _MM_HINT_T0, _mm_loadu_si128, _mm_prefetch, _mm_storeu_si128,
    _mm512_abs_ps, _mm512_add_ps, _mm512_and_ps, _mm512_castps_si512, _mm512_cvtepi32_ps, _mm512_cvtepu8_epi32,
    _mm512_cvtps_epi32, _mm512_cvtusepi32_epi8, _mm512_div_ps, _mm512_fmadd_ps, _mm512_load_ps, _mm512_loadu_ps,
    _mm512_max_ps, _mm512_min_ps, _mm512_mul_ps, _mm512_or_ps, _mm512_permutexvar_ps, _mm512_reduce_add_ps,
    _mm512_reduce_max_ps, _mm512_roundscale_ps, _mm512_scalef_ps, _mm512_set1_ps, _mm512_storeu_ps, _mm512_sub_ps,
};

use std::f32::consts::SQRT_2;

use super::{Kernel, Lanes};

/// Constant whose addition rounds to sixteenths and leaves their count in the lowest bits (1.5 x 2^19).
const SIXTEENTHS: f32 = 786_432.0;
/// Cache line.
#[repr(align(64))]
struct Line([f32; 16]);

/// Table of 2^(n / 16).
#[rustfmt::skip]
static POWERS_OF_TWO: Line = Line([
    1.0, 1.044_273_7, 1.090_507_7, 1.138_788_6, 1.189_207_1, 1.241_857_8, 1.296_839_6, 1.354_255_6,
    SQRT_2, 1.476_826_2, 1.542_210_8, 1.610_490_3, 1.681_792_9, 1.756_252_2, 1.834_008_1, 1.915_206_6,
]);
/// Coefficients of `t` and `t` squared in 2^t, to within 4.3e-7 for |t| <= 1/32 (fitted for this file).
const BETWEEN_POWERS: [f32; 2] = [0.693_187_7, 0.240_226_43];
const ROUND: i32 = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;

/// 16 lanes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Avx512(());

impl Avx512 {
    /// Returns the lanes if this processor has them.
    pub(crate) fn detect() -> Option<Self> {
        let has_all = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("fma");
        has_all.then_some(Self(()))
    }
}

/// # Safety
/// The processor must have the features, and the kernel's pointers must be valid.
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")]
#[inline(never)]
unsafe fn call<K: Kernel>(lanes: Avx512, kernel: K) -> K::Output {
    // SAFETY: passed on to the caller.
    unsafe { kernel.run(lanes) }
}

impl Lanes for Avx512 {
    const COUNT: usize = 16;

    type Vector = __m512;

    #[inline(always)]
    unsafe fn call<K: Kernel>(self, kernel: K) -> K::Output {
        // SAFETY: `self` proves the features; the pointers are the caller's promise.
        unsafe { call(self, kernel) }
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> __m512 {
        // SAFETY: `self` proves the features; the pointer is the caller's promise.
        unsafe { _mm512_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32, vector: __m512) {
        // SAFETY: `self` proves the features; the pointer is the caller's promise.
        unsafe { _mm512_storeu_ps(to, vector) }
    }

    #[inline(always)]
    unsafe fn load_u8(self, from: *const u8) -> __m512 {
        // SAFETY: `self` proves the features; the pointer is the caller's promise.
        unsafe { _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(from.cast()))) }
    }

    #[inline(always)]
    unsafe fn store_u8(self, to: *mut u8, vector: __m512) {
        // SAFETY: `self` proves the features; the pointer is the caller's promise.
        unsafe { _mm_storeu_si128(to.cast(), _mm512_cvtusepi32_epi8(_mm512_cvtps_epi32(vector))) }
    }

    #[inline(always)]
    fn prefetch(self, at: *const f32) {
        // SAFETY: a prefetch has no effect that a program can see, and every x86-64 processor has it.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
    }

    #[inline(always)]
    fn splat(self, number: f32) -> __m512 {
        // SAFETY: a value of this type exists only where the features were detected.
        unsafe { _mm512_set1_ps(number) }
    }

    #[inline(always)]
    fn constant(self, number: f32) -> __m512 {
        let mut number = number;
        // SAFETY: the assembly is empty; it only hides the value of the number from the compiler.
        unsafe { asm!("/* {0} */", inout(xmm_reg) number, options(pure, nomem, nostack, preserves_flags)) };
        self.splat(number)
    }

    #[inline(always)]
    fn sum(self, a: __m512) -> f32 {
        // SAFETY: a value of this type exists only where the features were detected.
        unsafe { _mm512_reduce_add_ps(a) }
    }

    #[inline(always)]
    fn largest(self, a: __m512) -> f32 {
        // SAFETY: a value of this type exists only where the features were detected.
        unsafe { _mm512_reduce_max_ps(a) }
    }

    /// Looks up the nearest of sixteen powers between 1 and 2 and multiplies it by a short polynomial. SiLU on Zen 4 is bound
    /// by the multipliers, which the division uses too; the table, the scaling and the additions run on other units.
    #[inline(always)]
    fn one_and_power_of_two(self, t: __m512) -> __m512 {
        let (magic, one) = (self.constant(SIXTEENTHS), self.constant(1.0));
        let shifted = self.add(t, magic);
        let sixteenths = self.subtract(shifted, magic);
        let rest = self.subtract(t, sixteenths);
        // SAFETY: a value of this type exists only where the features were detected, and the table is a vector long.
        let power = unsafe {
            let table = _mm512_load_ps(POWERS_OF_TWO.0.as_ptr());
            // The permutation reads the lowest four bits of the index, the scaling the whole number below the exponent.
            let power = _mm512_permutexvar_ps(_mm512_castps_si512(shifted), table);
            _mm512_scalef_ps(power, sixteenths)
        };
        let [first, second] = BETWEEN_POWERS.map(|coefficient| self.constant(coefficient));
        let between = self.multiply_add(self.multiply_add(second, rest, first), rest, one);
        self.multiply_add(power, between, one)
    }

    operations! { __m512:
        add(a, b) = _mm512_add_ps(a, b);
        subtract(a, b) = _mm512_sub_ps(a, b);
        multiply(a, b) = _mm512_mul_ps(a, b);
        maximum(a, b) = _mm512_max_ps(a, b);
        minimum(a, b) = _mm512_min_ps(a, b);
        multiply_add(a, b, c) = _mm512_fmadd_ps(a, b, c);
        round(a) = _mm512_roundscale_ps::<ROUND>(a);
        scale_by_power_of_two(a, exponent) = _mm512_scalef_ps(a, exponent);
        divide(a, b) = _mm512_div_ps(a, b);
        absolute(a) = _mm512_abs_ps(a);
        with_sign_of(magnitude, sign) = _mm512_or_ps(magnitude, _mm512_and_ps(sign, _mm512_set1_ps(-0.0)));
    }
}
