//! Vector arithmetic that kernels are written with.

/// Channels are padded to a multiple of this many in every buffer, so that no kernel needs a masked load or store.
pub(crate) const CHANNEL_GROUP: usize = 16;

/// Largest magnitude of an exponent that cannot overflow.
pub(super) const EXPONENT_LIMIT: f32 = 125.0;

/// Vector arithmetic of one instruction set. A value of this type proves that the processor has the set.
///
/// The methods compile to single instructions only inside a [`Kernel`] run through [`Lanes::call`], and only if those with a
/// body here are `#[inline(always)]` as well.
pub(crate) trait Lanes: Copy + Send + Sync + 'static {
    /// Numbers in a vector; divides [`CHANNEL_GROUP`].
    const COUNT: usize;

    type Vector: Copy;

    /// Runs a kernel in a function of its own that is compiled for this instruction set.
    ///
    /// # Safety
    /// The kernel's pointers must be valid as its type asks for.
    unsafe fn call<K: Kernel>(self, kernel: K) -> K::Output;

    /// # Safety
    /// `from` must be valid for reading [`Self::COUNT`] numbers.
    unsafe fn load(self, from: *const f32) -> Self::Vector;

    /// # Safety
    /// `to` must be valid for writing [`Self::COUNT`] numbers.
    unsafe fn store(self, to: *mut f32, vector: Self::Vector);

    /// # Safety
    /// `from` must be valid for reading [`Self::COUNT`] bytes.
    unsafe fn load_u8(self, from: *const u8) -> Self::Vector;

    /// Stores the nearest whole numbers, one a byte, of numbers between 0 and 255.
    ///
    /// # Safety
    /// `to` must be valid for writing [`Self::COUNT`] bytes.
    unsafe fn store_u8(self, to: *mut u8, vector: Self::Vector);

    /// Fetches a cache line before it is needed; any address is allowed.
    fn prefetch(self, at: *const f32);

    fn splat(self, number: f32) -> Self::Vector;
    /// Splats a constant that a loop needs in a register: a compiler that knows its value reads it from memory at each use,
    /// and then such a loop is bound by loads.
    #[inline(always)]
    fn constant(self, number: f32) -> Self::Vector {
        self.splat(number)
    }
    fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn subtract(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn multiply(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// Returns the larger of each pair; `b` where either is NaN.
    fn maximum(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// Returns the smaller of each pair; `b` where either is NaN.
    fn minimum(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// Returns `a * b + c`, rounded once where the set has fused multiply-add.
    fn multiply_add(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// Returns the nearest whole numbers, for magnitudes below 2^22.
    fn round(self, a: Self::Vector) -> Self::Vector;
    /// Returns `a * 2^exponent`, for whole exponents from -125 to 125.
    fn scale_by_power_of_two(self, a: Self::Vector, exponent: Self::Vector) -> Self::Vector;
    /// Returns `1 + 2^t` for any `t`, to within 5e-7 of 2^t; 1 far below, and as good as infinite far above.
    #[inline(always)]
    fn one_and_power_of_two(self, t: Self::Vector) -> Self::Vector {
        // The second argument wins over NaN, so that NaN propagates.
        let limited = self.minimum(self.splat(EXPONENT_LIMIT), self.maximum(self.splat(-EXPONENT_LIMIT), t));
        self.add(power_of_two(self, limited), self.splat(1.0))
    }
    /// Returns `a / b`. A division takes as long as some ten other instructions, but they run beside it.
    fn divide(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn absolute(self, a: Self::Vector) -> Self::Vector;
    /// Returns `magnitude` with the sign of `sign`; `magnitude` must not be negative.
    fn with_sign_of(self, magnitude: Self::Vector, sign: Self::Vector) -> Self::Vector;
    /// Returns the sum of all lanes.
    fn sum(self, a: Self::Vector) -> f32;
    /// Returns the largest of all lanes; unspecified where one is NaN.
    fn largest(self, a: Self::Vector) -> f32;

    #[inline(always)]
    fn zero(self) -> Self::Vector {
        self.splat(0.0)
    }
}

/// Piece of work on raw buffers, written once for all instruction sets.
///
/// `run` must be `#[inline(always)]`, and so must everything it calls except through [`Lanes::call`]: otherwise its
/// vector operations become function calls.
pub(crate) trait Kernel {
    type Output;

    /// # Safety
    /// The pointers in `self` must be valid as the type's documentation asks for.
    unsafe fn run<L: Lanes>(self, lanes: L) -> Self::Output;
}

/// Fifth coefficient of the polynomial for 2^t; those of lower powers follow.
const POWER_OF_TWO_FIFTH: f32 = 0.001_326_473;
#[allow(clippy::approx_constant, reason = "the best coefficient is near ln 2, and is not ln 2")]
const POWER_OF_TWO: [f32; 5] = [0.009_671_513, 0.055_507_336, 0.240_222_42, 0.693_147, 1.0];

/// Returns 2^t for |t| <= 125, to within 2e-7 of itself: a minimax polynomial on [-1/2, 1/2] (fitted for this file), then a
/// shift.
#[inline(always)]
pub(super) fn power_of_two<L: Lanes>(lanes: L, t: L::Vector) -> L::Vector {
    let whole = lanes.round(t);
    let fraction = lanes.subtract(t, whole);
    let mut power = lanes.splat(POWER_OF_TWO_FIFTH);
    for coefficient in POWER_OF_TWO {
        power = lanes.multiply_add(power, fraction, lanes.splat(coefficient));
    }
    lanes.scale_by_power_of_two(power, whole)
}
