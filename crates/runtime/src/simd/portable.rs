use std::array;

use super::{Kernel, Lanes};

/// Constant whose addition and subtraction rounds to whole numbers, for magnitudes below 2^22 (1.5 x 2^23).
const WHOLE: f32 = 12_582_912.0;
/// Bits of a number's fraction; the exponent stands above them.
const FRACTION_BITS: u32 = 23;
const EXPONENT_BIAS: i32 = 127;

/// 4 lanes in plain Rust, which compilers turn into vectors of the target's baseline.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Portable;

type Four = [f32; 4];

/// # Safety
/// The kernel's pointers must be valid.
#[inline(never)]
unsafe fn call<K: Kernel>(kernel: K) -> K::Output {
    // SAFETY: passed on to the caller.
    unsafe { kernel.run(Portable) }
}

macro_rules! operations {
    ($($name:ident($($argument:ident),+) = $body:expr;)+) => {
        $(#[inline(always)]
        fn $name(self, $($argument: Four),+) -> Four {
            array::from_fn(|lane| {
                $(let $argument = $argument[lane];)+
                $body
            })
        })+
    };
}

impl Lanes for Portable {
    const COUNT: usize = 4;

    type Vector = Four;

    #[inline(always)]
    unsafe fn call<K: Kernel>(self, kernel: K) -> K::Output {
        // SAFETY: the pointers are the caller's promise.
        unsafe { call(kernel) }
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> Four {
        // SAFETY: the pointer is the caller's promise; an array of numbers has their alignment.
        unsafe { from.cast::<Four>().read() }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32, vector: Four) {
        // SAFETY: the pointer is the caller's promise; an array of numbers has their alignment.
        unsafe { to.cast::<Four>().write(vector) }
    }

    #[inline(always)]
    unsafe fn load_u8(self, from: *const u8) -> Four {
        // SAFETY: the pointer is the caller's promise.
        unsafe { from.cast::<[u8; 4]>().read().map(f32::from) }
    }

    #[inline(always)]
    unsafe fn store_u8(self, to: *mut u8, vector: Four) {
        // SAFETY: the pointer is the caller's promise.
        unsafe { to.cast::<[u8; 4]>().write(self.round(vector).map(|number| number as u8)) }
    }

    /// Does nothing: plain Rust has no such instruction.
    #[inline(always)]
    fn prefetch(self, _: *const f32) {}

    #[inline(always)]
    fn splat(self, number: f32) -> Four {
        [number; 4]
    }

    #[inline(always)]
    fn sum(self, a: Four) -> f32 {
        (a[0] + a[2]) + (a[1] + a[3])
    }

    #[inline(always)]
    fn largest(self, a: Four) -> f32 {
        a[0].max(a[2]).max(a[1].max(a[3]))
    }

    operations! {
        add(a, b) = a + b;
        subtract(a, b) = a - b;
        multiply(a, b) = a * b;
        maximum(a, b) = if a > b { a } else { b };
        minimum(a, b) = if a < b { a } else { b };
        multiply_add(a, b, c) = a * b + c;
        round(a) = (a + WHOLE) - WHOLE;
        // Adding the constant leaves the whole number in the lowest bits, which a shift moves to the exponent's place.
        scale_by_power_of_two(a, exponent) =
            a * f32::from_bits((exponent + (WHOLE + EXPONENT_BIAS as f32)).to_bits() << FRACTION_BITS);
        divide(a, b) = a / b;
        absolute(a) = a.abs();
        with_sign_of(magnitude, sign) = magnitude.copysign(sign);
    }
}
