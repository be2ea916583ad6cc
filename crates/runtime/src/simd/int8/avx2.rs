use std::arch::x86_64::{
    __m256i, _mm256_add_epi32, _mm256_and_si256, _mm256_cvtepi32_ps, _mm256_loadu_si256, _mm256_madd_epi16,
    _mm256_set1_epi16, _mm256_set1_epi32, _mm256_srli_epi16,
};

use super::{DOT_TERMS, Int8Kernel, Int8Lanes};
use crate::simd::{Avx2, Lanes};

/// # Safety
/// The processor must have the features, and the kernel's pointers must be valid.
#[target_feature(enable = "avx2,fma")]
#[inline(never)]
unsafe fn call<K: Int8Kernel>(lanes: Avx2, kernel: K) {
    // SAFETY: passed on to the caller.
    unsafe { kernel.run(lanes) }
}

/// AVX2's own int8 product (`vpmaddubsw`) sums in 16 bits, where two products saturate; so even and odd bytes are widened
/// to 16 bits and summed apart.
impl Int8Lanes for Avx2 {
    type Floats = Self;
    /// Even bytes, odd bytes.
    type Input = [__m256i; 2];
    type Weights = [__m256i; 2];
    type Sums = __m256i;

    const PACKED_DOT_BYTES: usize = DOT_TERMS * size_of::<i16>();

    #[inline(always)]
    fn floats(self) -> Self {
        self
    }

    #[inline(always)]
    unsafe fn call<K: Int8Kernel>(self, kernel: K) {
        // SAFETY: `self` proves the features; the pointers are the caller's promise.
        unsafe { call(self, kernel) }
    }

    fn pack(to: &mut [u8], weight: impl Fn(usize, usize) -> i8) {
        let (halves, _) = to.as_chunks_mut::<{ size_of::<i16>() }>();
        for (index, half) in halves.iter_mut().enumerate() {
            let (odd, lane, second) = (index / (2 * Self::COUNT), index / 2 % Self::COUNT, index % 2);
            *half = i16::from(weight(lane, 2 * second + odd)).to_le_bytes();
        }
    }

    #[inline(always)]
    unsafe fn splat(self, from: *const u8) -> [__m256i; 2] {
        // SAFETY: `self` proves the features; the pointer is the caller's promise.
        unsafe {
            let all = _mm256_set1_epi32(from.cast::<i32>().read_unaligned());
            [_mm256_and_si256(all, _mm256_set1_epi16(0xff)), _mm256_srli_epi16::<8>(all)]
        }
    }

    #[inline(always)]
    unsafe fn load_weights(self, from: *const u8) -> [__m256i; 2] {
        // SAFETY: `self` proves the features; the pointer is the caller's promise.
        unsafe { [_mm256_loadu_si256(from.cast()), _mm256_loadu_si256(from.cast::<__m256i>().add(1))] }
    }

    #[inline(always)]
    unsafe fn load_sums(self, from: *const i32) -> __m256i {
        // SAFETY: `self` proves the features; the pointer is the caller's promise.
        unsafe { _mm256_loadu_si256(from.cast()) }
    }

    #[inline(always)]
    fn dot(self, input: [__m256i; 2], weights: [__m256i; 2], sums: __m256i) -> __m256i {
        // SAFETY: a value of this type exists only where the features were detected.
        unsafe {
            let even = _mm256_add_epi32(sums, _mm256_madd_epi16(input[0], weights[0]));
            _mm256_add_epi32(even, _mm256_madd_epi16(input[1], weights[1]))
        }
    }

    #[inline(always)]
    fn to_floats(self, sums: __m256i) -> <Self as Lanes>::Vector {
        // SAFETY: a value of this type exists only where the features were detected.
        unsafe { _mm256_cvtepi32_ps(sums) }
    }
}
