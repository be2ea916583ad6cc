//! Int8 dot products: four inputs and four weights at a time, summed in 32 bits, exactly in every instruction set.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx_vnni;
mod instruction_set;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
#[cfg(target_arch = "x86_64")]
mod vnni;

#[cfg(target_arch = "x86_64")]
pub(crate) use avx_vnni::AvxVnni;
pub(crate) use instruction_set::Int8InstructionSet;
#[cfg(target_arch = "aarch64")]
pub(crate) use neon::DotProducts;
#[cfg(target_arch = "x86_64")]
pub(crate) use vnni::Vnni;

use super::Lanes;

/// Inputs and weights of one dot product: what VNNI and `sdot` take.
pub(crate) const DOT_TERMS: usize = 4;

/// Int8 arithmetic of one instruction set. A value of the type proves that the processor has the set.
///
/// As with [`Lanes`], methods are single instructions only inside a function that was compiled for the set.
pub(crate) trait Int8Lanes: Copy + Send + Sync + 'static {
    /// Lanes for floating-point numbers; a vector of sums has as many lanes.
    type Floats: Lanes;

    /// Four inputs, repeated in every lane.
    type Input: Copy;
    /// Four weights for each lane.
    type Weights: Copy;
    /// Integer of 32 bits in each lane.
    type Sums: Copy;

    /// Bytes that four packed weights of a column take.
    const PACKED_DOT_BYTES: usize;
    /// Amount by which the instruction set lowers each input, for signed products; the initial sums make up for it.
    const INPUT_OFFSET: i32 = 0;

    fn floats(self) -> Self::Floats;

    /// Runs a kernel in a function of its own that is compiled for this instruction set.
    ///
    /// # Safety
    /// The kernel's pointers must be valid as its type asks for.
    unsafe fn call<K: Int8Kernel>(self, kernel: K);

    /// Packs four weights of each of the lanes' columns, which `weight(lane, index)` returns.
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

    /// Returns `sums` plus the four products of each lane; weights are from -127 to 127.
    fn dot(self, input: Self::Input, weights: Self::Weights, sums: Self::Sums) -> Self::Sums;

    fn to_floats(self, sums: Self::Sums) -> <Self::Floats as Lanes>::Vector;
}

/// Piece of work on quantized numbers, as [`super::Kernel`] is on floating-point ones; the same rules of inlining hold.
pub(crate) trait Int8Kernel {
    /// # Safety
    /// The pointers in `self` must be valid as the type's documentation asks for.
    unsafe fn run<B: Int8Lanes>(self, lanes: B);
}

/// Packs the four weights of each lane's column side by side.
fn pack_side_by_side(to: &mut [u8], weight: impl Fn(usize, usize) -> i8) {
    for (index, byte) in to.iter_mut().enumerate() {
        *byte = weight(index / DOT_TERMS, index % DOT_TERMS).cast_unsigned();
    }
}
