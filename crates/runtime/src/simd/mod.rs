//! SIMD vectors of every instruction set behind one trait, so that each kernel is written once.

/// Implements methods of [`Lanes`] that take vectors and return one, from intrinsics.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
macro_rules! operations {
    ($vector:ty: $($name:ident($($argument:ident),+) = $body:expr;)+) => {
        $(#[inline(always)]
        fn $name(self, $($argument: $vector),+) -> $vector {
            // SAFETY: a value of this type exists only where the features were detected.
            unsafe { $body }
        })+
    };
}

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
pub(crate) mod int8;
mod lanes;
pub(crate) mod math;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;

#[cfg(target_arch = "x86_64")]
pub(crate) use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) use avx512::Avx512;
pub(crate) use lanes::{CHANNEL_GROUP, Kernel, Lanes};
#[cfg(target_arch = "aarch64")]
pub(crate) use neon::Neon;
pub(crate) use portable::Portable;
