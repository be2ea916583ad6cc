use std::arch::x86_64::{__m512i, _mm512_cvtepi32_ps, _mm512_dpbusd_epi32, _mm512_loadu_si512, _mm512_set1_epi32};

use super::{DOT_TERMS, Int8Kernel, Int8Lanes, pack_side_by_side};
use crate::simd::{Avx512, Lanes};

/// AVX-512 lanes with VNNI, which sums four products in one instruction.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Vnni(Avx512);

impl Vnni {
    /// Returns the lanes if this processor has them.
    pub(crate) fn detect() -> Option<Self> {
        if is_x86_feature_detected!("avx512vnni") { Avx512::detect().map(Self) } else { None }
    }
}

/// # Safety
/// The processor must have the features, and the kernel's pointers must be valid.
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512vnni,avx2,fma")]
#[inline(never)]
unsafe fn call<K: Int8Kernel>(lanes: Vnni, kernel: K) {
    // SAFETY: passed on to the caller.
    unsafe { kernel.run(lanes) }
}

impl Int8Lanes for Vnni {
    type Floats = Avx512;
    type Input = __m512i;
    type Weights = __m512i;
    type Sums = __m512i;

    const PACKED_DOT_BYTES: usize = DOT_TERMS;

    #[inline(always)]
    fn floats(self) -> Avx512 {
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
    unsafe fn splat(self, from: *const u8) -> __m512i {
        // SAFETY: `self` proves the features; the pointer is the caller's promise.
        unsafe { _mm512_set1_epi32(from.cast::<i32>().read_unaligned()) }
    }

    #[inline(always)]
    unsafe fn load_weights(self, from: *const u8) -> __m512i {
        // SAFETY: `self` proves the features; the pointer is the caller's promise.
        unsafe { _mm512_loadu_si512(from.cast()) }
    }

    #[inline(always)]
    unsafe fn load_sums(self, from: *const i32) -> __m512i {
        // SAFETY: `self` proves the features; the pointer is the caller's promise.
        unsafe { _mm512_loadu_si512(from.cast()) }
    }

    #[inline(always)]
    fn dot(self, input: __m512i, weights: __m512i, sums: __m512i) -> __m512i {
        // SAFETY: a value of this type exists only where the features were detected.
        unsafe { _mm512_dpbusd_epi32(sums, input, weights) }
    }

    #[inline(always)]
    fn to_floats(self, sums: __m512i) -> <Avx512 as Lanes>::Vector {
        // SAFETY: a value of this type exists only where the features were detected.
        unsafe { _mm512_cvtepi32_ps(sums) }
    }
}
