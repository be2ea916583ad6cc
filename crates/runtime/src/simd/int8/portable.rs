use super::{DOT_TERMS, Int8Kernel, Int8Lanes, pack_side_by_side};
use crate::simd::{Lanes, Portable};

impl Int8Lanes for Portable {
    type Floats = Self;
    type Input = [i32; DOT_TERMS];
    type Weights = [[i8; DOT_TERMS]; Self::COUNT];
    type Sums = [i32; Self::COUNT];

    const PACKED_DOT_BYTES: usize = DOT_TERMS;

    #[inline(always)]
    fn floats(self) -> Self {
        self
    }

    #[inline(always)]
    unsafe fn call<K: Int8Kernel>(self, kernel: K) {
        // SAFETY: the pointers are the caller's promise.
        unsafe { kernel.run(self) }
    }

    fn pack(to: &mut [u8], weight: impl Fn(usize, usize) -> i8) {
        pack_side_by_side(to, weight);
    }

    #[inline(always)]
    unsafe fn splat(self, from: *const u8) -> [i32; DOT_TERMS] {
        // SAFETY: the pointer is the caller's promise.
        unsafe { from.cast::<[u8; DOT_TERMS]>().read().map(i32::from) }
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
    fn dot(self, input: [i32; DOT_TERMS], weights: Self::Weights, mut sums: Self::Sums) -> Self::Sums {
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
