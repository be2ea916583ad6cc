use std::arch::asm;
use std::arch::x86_64::{
    __m256, _MM_FROUND_NO_EXC, _MM_FROUND_TO_NEAREST_INT, _MM_HINT_T0, _mm_add_ps, _mm_add_ss, _mm_cvtss_f32,
    _mm_loadl_epi64, _mm_max_ps, _mm_max_ss, _mm_movehdup_ps, _mm_movehl_ps, _mm_packs_epi32, _mm_packus_epi16,
    _mm_prefetch, _mm_storel_epi64, _mm256_add_epi32, _mm256_add_ps, _mm256_and_ps, _mm256_andnot_ps,
    _mm256_castps_si256, _mm256_castps256_ps128, _mm256_castsi256_ps, _mm256_castsi256_si128, _mm256_cvtepi32_ps,
    _mm256_cvtepu8_epi32, _mm256_cvtps_epi32, _mm256_div_ps, _mm256_extractf128_ps, _mm256_extracti128_si256,
    _mm256_fmadd_ps, _mm256_load_si256, _mm256_loadu_ps, _mm256_max_ps, _mm256_min_ps, _mm256_mul_ps, _mm256_or_ps,
    _mm256_permutevar8x32_epi32, _mm256_round_ps, _mm256_set1_epi32, _mm256_set1_ps, _mm256_slli_epi32,
    _mm256_storeu_ps, _mm256_sub_ps,
};

use std::f32::consts::SQRT_2;

use super::lanes::EXPONENT_LIMIT;
use super::{Kernel, Lanes};

/// Constant whose addition rounds to eighths and leaves their count in the lowest bits (1.5 x 2^20).
const EIGHTHS: f32 = 1_572_864.0;
/// Shift that brings a count of eighths to the exponent, its lowest three bits into the fraction.
const EIGHTHS_SHIFT: i32 = FRACTION_BITS - 3;
/// Vector of integers.
#[repr(align(32))]
struct Integers([u32; 8]);

/// Table of 2^(n / 8) as bits, less what the shifted count `n` adds to the fraction.
static POWERS_OF_TWO: Integers = {
    let powers = [1.0f32, 1.090_507_7, 1.189_207_1, 1.296_839_6, SQRT_2, 1.542_210_8, 1.681_792_9, 1.834_008_1];
    let mut bits = [0; 8];
    let mut n = 0;
    while n < bits.len() {
        bits[n] = powers[n].to_bits() - ((n as u32) << EIGHTHS_SHIFT);
        n += 1;
    }
    Integers(bits)
};
/// Coefficients of `t`, its square and its cube in 2^t, to within 3e-8 for |t| <= 1/16 (fitted for this file).
const BETWEEN_POWERS: [f32; 3] = [0.693_147_24, 0.240_257_64, 0.055_496_223];
const ROUND: i32 = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
/// Bits of a number's fraction; the exponent stands above them.
const FRACTION_BITS: i32 = 23;
const EXPONENT_BIAS: i32 = 127;

/// 8 lanes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Avx2(());

impl Avx2 {
    /// Returns the lanes if this processor has them.
    pub(crate) fn detect() -> Option<Self> {
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(Self(()))
    }
}

/// # Safety
/// The processor must have the features, and the kernel's pointers must be valid.
#[target_feature(enable = "avx2,fma")]
#[inline(never)]
unsafe fn call<K: Kernel>(lanes: Avx2, kernel: K) -> K::Output {
    // SAFETY: passed on to the caller.
    unsafe { kernel.run(lanes) }
}

impl Lanes for Avx2 {
    const COUNT: usize = 8;

    type Vector = __m256;

    #[inline(always)]
    unsafe fn call<K: Kernel>(self, kernel: K) -> K::Output {
        // SAFETY: `self` proves the features; the pointers are the caller's promise.
        unsafe { call(self, kernel) }
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> __m256 {
        // SAFETY: `self` proves the features; the pointer is the caller's promise.
        unsafe { _mm256_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32, vector: __m256) {
        // SAFETY: `self` proves the features; the pointer is the caller's promise.
        unsafe { _mm256_storeu_ps(to, vector) }
    }

    #[inline(always)]
    unsafe fn load_u8(self, from: *const u8) -> __m256 {
        // SAFETY: `self` proves the features; the pointer is the caller's promise.
        unsafe { _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(from.cast()))) }
    }

    #[inline(always)]
    unsafe fn store_u8(self, to: *mut u8, vector: __m256) {
        // SAFETY: `self` proves the features; the pointer is the caller's promise.
        unsafe {
            let whole = _mm256_cvtps_epi32(vector);
            let (low, high) = (_mm256_castsi256_si128(whole), _mm256_extracti128_si256::<1>(whole));
            let pairs = _mm_packs_epi32(low, high);
            _mm_storel_epi64(to.cast(), _mm_packus_epi16(pairs, pairs));
        }
    }

    #[inline(always)]
    fn prefetch(self, at: *const f32) {
        // SAFETY: a prefetch has no effect that a program can see, and every x86-64 processor has it.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
    }

    #[inline(always)]
    fn splat(self, number: f32) -> __m256 {
        // SAFETY: a value of this type exists only where the features were detected.
        unsafe { _mm256_set1_ps(number) }
    }

    #[inline(always)]
    fn constant(self, number: f32) -> __m256 {
        let mut number = number;
        // SAFETY: the assembly is empty; it only hides the value of the number from the compiler.
        unsafe { asm!("/* {0} */", inout(xmm_reg) number, options(pure, nomem, nostack, preserves_flags)) };
        self.splat(number)
    }

    /// Looks up the nearest of eight powers between 1 and 2 and multiplies it by a short polynomial: fewer multiplications than
    /// a polynomial alone, and the exponent is added in integers.
    #[inline(always)]
    fn one_and_power_of_two(self, t: __m256) -> __m256 {
        let (magic, one) = (self.constant(EIGHTHS), self.constant(1.0));
        let (least, most) = (self.constant(-EXPONENT_LIMIT), self.constant(EXPONENT_LIMIT));
        // The second argument wins over NaN, so that NaN propagates.
        let t = self.minimum(most, self.maximum(least, t));
        let shifted = self.add(t, magic);
        let rest = self.subtract(t, self.subtract(shifted, magic));
        // SAFETY: a value of this type exists only where the features were detected, and the table is an aligned vector.
        let power = unsafe {
            let eighths = _mm256_castps_si256(shifted);
            let table = _mm256_load_si256(POWERS_OF_TWO.0.as_ptr().cast());
            // The permutation reads the lowest three bits of the index.
            let power = _mm256_permutevar8x32_epi32(table, eighths);
            _mm256_castsi256_ps(_mm256_add_epi32(power, _mm256_slli_epi32::<EIGHTHS_SHIFT>(eighths)))
        };
        let [first, second, third] = BETWEEN_POWERS.map(|coefficient| self.constant(coefficient));
        let between = self.multiply_add(self.multiply_add(third, rest, second), rest, first);
        self.multiply_add(power, self.multiply_add(between, rest, one), one)
    }

    #[inline(always)]
    fn sum(self, a: __m256) -> f32 {
        // SAFETY: a value of this type exists only where the features were detected.
        unsafe {
            let four = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps::<1>(a));
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
        }
    }

    #[inline(always)]
    fn largest(self, a: __m256) -> f32 {
        // SAFETY: a value of this type exists only where the features were detected.
        unsafe {
            let four = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps::<1>(a));
            let two = _mm_max_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)))
        }
    }

    operations! { __m256:
        add(a, b) = _mm256_add_ps(a, b);
        subtract(a, b) = _mm256_sub_ps(a, b);
        multiply(a, b) = _mm256_mul_ps(a, b);
        maximum(a, b) = _mm256_max_ps(a, b);
        minimum(a, b) = _mm256_min_ps(a, b);
        multiply_add(a, b, c) = _mm256_fmadd_ps(a, b, c);
        round(a) = _mm256_round_ps::<ROUND>(a);
        scale_by_power_of_two(a, exponent) = {
            let biased = _mm256_add_epi32(_mm256_cvtps_epi32(exponent), _mm256_set1_epi32(EXPONENT_BIAS));
            _mm256_mul_ps(a, _mm256_castsi256_ps(_mm256_slli_epi32::<FRACTION_BITS>(biased)))
        };
        divide(a, b) = _mm256_div_ps(a, b);
        absolute(a) = _mm256_andnot_ps(_mm256_set1_ps(-0.0), a);
        with_sign_of(magnitude, sign) = _mm256_or_ps(magnitude, _mm256_and_ps(sign, _mm256_set1_ps(-0.0)));
    }
}
