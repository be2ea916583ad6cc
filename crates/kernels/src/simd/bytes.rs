//! Products of bytes: four of an input and four weights at a time, summed in 32 bits, exactly in every instruction set.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    __m256i, __m512i, _mm256_add_epi32, _mm256_and_si256, _mm256_cvtepi32_ps, _mm256_loadu_si256, _mm256_madd_epi16,
    _mm256_set1_epi16, _mm256_set1_epi32, _mm256_srli_epi16, _mm512_cvtepi32_ps, _mm512_dpbusd_epi32,
    _mm512_loadu_si512, _mm512_set1_epi32,
};

#[cfg(target_arch = "x86_64")]
use super::{Avx2, Avx512};
use super::{Lanes, Portable};
use crate::InstructionSet;

/// Inputs and weights that are multiplied at a time.
pub(crate) const BYTES: usize = 4;

/// Arithmetic on bytes of one instruction set. A value of a type proves that the processor has the set.
///
/// As with [`Lanes`], methods are single instructions only inside a function that was compiled for the set.
pub(crate) trait ByteLanes: Copy + Send + Sync + 'static {
    /// The set for everything that is not bytes; a vector of sums has as many lanes as its vectors.
    type Floats: Lanes;

    /// Four inputs, in every lane.
    type Input: Copy;
    /// Four weights for each lane.
    type Weights: Copy;
    /// A whole number of 32 bits in each lane.
    type Sums: Copy;

    /// Bytes in which four weights of a column are packed.
    const PACKED_BYTES: usize;

    fn floats(self) -> Self::Floats;

    /// Runs a kernel in a function of its own that is compiled for this instruction set.
    ///
    /// # Safety
    /// The kernel's pointers must be valid as its type asks for.
    unsafe fn call<K: ByteKernel>(self, kernel: K);

    /// Packs four weights of each of the lanes' columns, which `weight(lane, index)` gives.
    fn pack(to: &mut [u8], weight: impl Fn(usize, usize) -> i8);

    /// # Safety
    /// `from` must be valid for reading four bytes.
    unsafe fn splat(self, from: *const u8) -> Self::Input;

    /// # Safety
    /// `from` must be valid for reading the packed weights of as many columns as there are lanes.
    unsafe fn load_weights(self, from: *const u8) -> Self::Weights;

    /// # Safety
    /// `from` must be valid for reading as many numbers as there are lanes.
    unsafe fn load_sums(self, from: *const i32) -> Self::Sums;

    /// `sums` plus the four products of each lane.
    fn dot(self, input: Self::Input, weights: Self::Weights, sums: Self::Sums) -> Self::Sums;

    fn to_floats(self, sums: Self::Sums) -> <Self::Floats as Lanes>::Vector;
}

/// A piece of work on bytes, as [`super::Kernel`] is on numbers; the same rules of inlining hold.
pub(crate) trait ByteKernel {
    /// # Safety
    /// The pointers in `self` must be valid as the type's documentation asks for.
    unsafe fn run<B: ByteLanes>(self, lanes: B);
}

/// The instructions for products of bytes that go with an instruction set.
#[derive(Clone, Copy)]
pub(crate) enum ByteSet {
    #[cfg(target_arch = "x86_64")]
    Vnni(Vnni),
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    Portable(Portable),
}

impl ByteSet {
    /// Those of this processor; AVX-512 without VNNI has nothing better than AVX2.
    pub(crate) fn of(set: InstructionSet) -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if let (InstructionSet::Avx512, Some(lanes)) = (set, Vnni::detect()) {
                return Self::Vnni(lanes);
            }
            if let (InstructionSet::Avx512 | InstructionSet::Avx2, Some(lanes)) = (set, Avx2::detect()) {
                return Self::Avx2(lanes);
            }
        }
        let _ = set;
        Self::Portable(Portable)
    }
}

/// 16 lanes of AVX-512 with VNNI, which sums four products in one instruction.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(crate) struct Vnni(Avx512);

#[cfg(target_arch = "x86_64")]
impl Vnni {
    /// The lanes, if this processor has them.
    pub(crate) fn detect() -> Option<Self> {
        if is_x86_feature_detected!("avx512vnni") { Avx512::detect().map(Self) } else { None }
    }
}

/// # Safety
/// The processor must have the features, and the kernel's pointers must be valid.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512vnni,avx2,fma")]
#[inline(never)]
unsafe fn call_vnni<K: ByteKernel>(lanes: Vnni, kernel: K) {
    // SAFETY: passed on to the caller.
    unsafe { kernel.run(lanes) }
}

#[cfg(target_arch = "x86_64")]
impl ByteLanes for Vnni {
    type Floats = Avx512;
    type Input = __m512i;
    type Weights = __m512i;
    type Sums = __m512i;

    const PACKED_BYTES: usize = BYTES;

    #[inline(always)]
    fn floats(self) -> Avx512 {
        self.0
    }

    #[inline(always)]
    unsafe fn call<K: ByteKernel>(self, kernel: K) {
        // SAFETY: `self` proves the features; the pointers are the caller's promise.
        unsafe { call_vnni(self, kernel) }
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

/// # Safety
/// The processor must have the features, and the kernel's pointers must be valid.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
#[inline(never)]
unsafe fn call_avx2<K: ByteKernel>(lanes: Avx2, kernel: K) {
    // SAFETY: passed on to the caller.
    unsafe { kernel.run(lanes) }
}

/// Products of bytes by AVX2's own instruction are summed in 16 bits, where two of them saturate; so even and odd bytes are
/// widened and summed apart.
#[cfg(target_arch = "x86_64")]
impl ByteLanes for Avx2 {
    type Floats = Self;
    /// Even bytes, odd bytes.
    type Input = [__m256i; 2];
    type Weights = [__m256i; 2];
    type Sums = __m256i;

    const PACKED_BYTES: usize = BYTES * size_of::<i16>();

    #[inline(always)]
    fn floats(self) -> Self {
        self
    }

    #[inline(always)]
    unsafe fn call<K: ByteKernel>(self, kernel: K) {
        // SAFETY: `self` proves the features; the pointers are the caller's promise.
        unsafe { call_avx2(self, kernel) }
    }

    fn pack(to: &mut [u8], weight: impl Fn(usize, usize) -> i8) {
        let (halves, _) = to.as_chunks_mut::<{ size_of::<i16>() }>();
        for (place, half) in halves.iter_mut().enumerate() {
            let (odd, lane, second) = (place / (2 * Self::COUNT), place / 2 % Self::COUNT, place % 2);
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

impl ByteLanes for Portable {
    type Floats = Self;
    type Input = [i32; BYTES];
    type Weights = [[i8; BYTES]; Self::COUNT];
    type Sums = [i32; Self::COUNT];

    const PACKED_BYTES: usize = BYTES;

    #[inline(always)]
    fn floats(self) -> Self {
        self
    }

    #[inline(always)]
    unsafe fn call<K: ByteKernel>(self, kernel: K) {
        // SAFETY: the pointers are the caller's promise.
        unsafe { kernel.run(self) }
    }

    fn pack(to: &mut [u8], weight: impl Fn(usize, usize) -> i8) {
        pack_side_by_side(to, weight);
    }

    #[inline(always)]
    unsafe fn splat(self, from: *const u8) -> [i32; BYTES] {
        // SAFETY: the pointer is the caller's promise.
        unsafe { from.cast::<[u8; BYTES]>().read().map(i32::from) }
    }

    #[inline(always)]
    unsafe fn load_weights(self, from: *const u8) -> Self::Weights {
        // SAFETY: the pointer is the caller's promise.
        unsafe { from.cast::<Self::Weights>().read() }
    }

    #[inline(always)]
    unsafe fn load_sums(self, from: *const i32) -> Self::Sums {
        // SAFETY: the pointer is the caller's promise.
        unsafe { from.cast::<Self::Sums>().read() }
    }

    #[inline(always)]
    fn dot(self, input: [i32; BYTES], weights: Self::Weights, mut sums: Self::Sums) -> Self::Sums {
        for (sum, weights) in sums.iter_mut().zip(weights) {
            for (input, weight) in input.into_iter().zip(weights) {
                *sum += input * i32::from(weight);
            }
        }
        sums
    }

    #[inline(always)]
    fn to_floats(self, sums: Self::Sums) -> <Self as Lanes>::Vector {
        sums.map(|sum| sum as f32)
    }
}

/// The four weights of each lane's column side by side.
fn pack_side_by_side(to: &mut [u8], weight: impl Fn(usize, usize) -> i8) {
    for (place, byte) in to.iter_mut().enumerate() {
        *byte = weight(place / BYTES, place % BYTES).cast_unsigned();
    }
}
