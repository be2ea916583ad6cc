use std::arch::x86_64::{__m256i, _mm256_cvtepi32_ps, _mm256_dpbusd_avx_epi32, _mm256_loadu_si256, _mm256_set1_epi32};

use super::{DOT_TERMS, Int8Kernel, Int8Lanes, pack_side_by_side};
use crate::simd::{Avx2, Lanes};

/// AVX2 lanes with AVX-VNNI, which sums four products in one instruction. Intel's processors without AVX-512 have it from
/// Alder Lake on. Its speed has not been measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AvxVnni(Avx2);

impl AvxVnni {
    /// Returns the lanes if this processor has them.
    pub(crate) fn detect() -> Option<Self> {
        if is_x86_feature_detected!("avxvnni") { Avx2::detect().map(Self) } else { None }
    }
}

/// # Safety
/// The processor must have the features, and the kernel's pointers must be valid.
#[target_feature(enable = "avx2,fma,avxvnni")]
#[inline(never)]
unsafe fn call<K: Int8Kernel>(lanes: AvxVnni, kernel: K) {
    // SAFETY: passed on to the caller.
    unsafe { kernel.run(lanes) }
}

impl Int8Lanes for AvxVnni {
    type Floats = Avx2;
    type Input = __m256i;
    type Weights = __m256i;
    type Sums = __m256i;

    const PACKED_DOT_BYTES: usize = DOT_TERMS;

    #[inline(always)]
    fn floats(self) -> Avx2 {
        self.0
    }

    #[inline(always)]
    unsafe fn call<K: Int8Kernel>(self, kernel: K) {
        // SAFETY: `self` proves the features; the pointers are the caller's promise.
        unsafe { call(self, kernel) }
    }

    fn pack(to: &mut [u8], weight: impl Fn(usize, usize) -> i8) {
        pack_side_by_side(to, weight);
    }

    #[inline(always)]
    unsafe fn splat(self, from: *const u8) -> __m256i {
        // SAFETY: `self` proves the features; the pointer is the caller's promise.
        unsafe { _mm256_set1_epi32(from.cast::<i32>().read_unaligned()) }
    }

    #[inline(always)]
    unsafe fn load_weights(self, from: *const u8) -> __m256i {
        // SAFETY: `self` proves the features; the pointer is the caller's promise.
        unsafe { _mm256_loadu_si256(from.cast()) }
    }

    #[inline(always)]
    unsafe fn load_sums(self, from: *const i32) -> __m256i {
        // SAFETY: `self` proves the features; the pointer is the caller's promise.
        unsafe { _mm256_loadu_si256(from.cast()) }
    }

    #[inline(always)]
    fn dot(self, input: __m256i, weights: __m256i, sums: __m256i) -> __m256i {
        // SAFETY: a value of this type exists only where the features were detected.
        unsafe { _mm256_dpbusd_avx_epi32(sums, input, weights) }
    }

    #[inline(always)]
    fn to_floats(self, sums: __m256i) -> <Avx2 as Lanes>::Vector {
        // SAFETY: a value of this type exists only where the features were detected.
        unsafe { _mm256_cvtepi32_ps(sums) }
    }
}
