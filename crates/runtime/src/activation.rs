#[cfg(test)]
use crate::simd::CHANNEL_GROUP;
use crate::simd::{Kernel, Lanes, math};

/// Elementwise activation function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Activation {
    /// No activation.
    #[default]
    Identity,
    /// Rectified linear unit, `max(x, 0)`.
    Relu,
    /// Rectified linear unit with a ceiling, `min(max(x, 0), 6)`.
    Relu6,
    /// Sigmoid linear unit, also called swish, `x / (1 + e^-x)`; within 4e-7 of itself or 1e-7.
    Silu,
    /// Gaussian error linear unit, `x (1 + erf(x / sqrt 2)) / 2`: the exact form, not the approximation by tanh; within 6e-7 x max(1, |x|).
    Gelu,
    /// Logistic function, `1 / (1 + e^-x)`; within 3e-7.
    Sigmoid,
}

impl Activation {
    /// All activations, in the order of the enum.
    pub(crate) const ALL: [Self; 6] = [Self::Identity, Self::Relu, Self::Relu6, Self::Silu, Self::Gelu, Self::Sigmoid];

    /// Returns the lower bound that is all the activation applies. A bound costs one instruction in the kernel that stores the
    /// numbers.
    pub(crate) fn floor(self) -> f32 {
        if self == Self::Relu { 0.0 } else { f32::NEG_INFINITY }
    }

    /// Returns true if the activation is more than a lower bound.
    pub(crate) fn is_curved(self) -> bool {
        matches!(self, Self::Relu6 | Self::Silu | Self::Gelu | Self::Sigmoid)
    }

    /// Applies the activation to one vector.
    #[inline(always)]
    pub(crate) fn apply<L: Lanes>(self, lanes: L, x: L::Vector) -> L::Vector {
        match self {
            Self::Identity => x,
            Self::Relu => lanes.maximum(lanes.zero(), x),
            Self::Relu6 => lanes.minimum(lanes.splat(6.0), lanes.maximum(lanes.zero(), x)),
            Self::Silu => math::silu(lanes, x),
            Self::Gelu => math::gelu(lanes, x),
            Self::Sigmoid => math::sigmoid(lanes, x),
        }
    }
}

/// Activation, in place, of a block of `rows` runs of `width` numbers, `stride` numbers apart.
///
/// It is a function apart from the kernels that compute the numbers: within the same function the compiler spills the
/// registers of their inner loops, which halves their speed.
#[derive(Clone, Copy)]
pub(crate) struct Activate {
    pub(crate) activation: Activation,
    /// Valid for reading and writing all rows.
    pub(crate) at: *mut f32,
    pub(crate) rows: usize,
    /// A multiple of the vector's length.
    pub(crate) width: usize,
    pub(crate) stride: usize,
}

impl Activate {
    /// Applies an activation that is a constant within the loop. (A closure would not be compiled for the instruction set.)
    #[inline(always)]
    unsafe fn all<L: Lanes, const ACTIVATION: u8>(self, lanes: L) {
        let activation = Activation::ALL[ACTIVATION as usize];
        for row in 0..self.rows {
            for column in (0..self.width).step_by(L::COUNT) {
                // SAFETY: the row and column are inside the block that the creator guarantees.
                unsafe {
                    let at = self.at.add(row * self.stride + column);
                    lanes.store(at, activation.apply(lanes, lanes.load(at)));
                }
            }
        }
    }
}

impl Kernel for Activate {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self, lanes: L) {
        // SAFETY: passed on to the caller.
        unsafe {
            match self.activation {
                Activation::Identity => {}
                Activation::Relu => self.all::<L, { Activation::Relu as u8 }>(lanes),
                Activation::Relu6 => self.all::<L, { Activation::Relu6 as u8 }>(lanes),
                Activation::Silu => self.all::<L, { Activation::Silu as u8 }>(lanes),
                Activation::Gelu => self.all::<L, { Activation::Gelu as u8 }>(lanes),
                Activation::Sigmoid => self.all::<L, { Activation::Sigmoid as u8 }>(lanes),
            }
        }
    }
}

/// Applies an activation to numbers whose count is a multiple of [`CHANNEL_GROUP`].
#[cfg(test)]
pub(crate) fn activate_slice(set: crate::InstructionSet, activation: Activation, numbers: &mut [f32]) {
    struct Task<'a>(Activation, &'a mut [f32]);
    impl crate::instruction_set::LanesTask for Task<'_> {
        type Output = ();
        fn run<L: crate::gemm::Tiles>(self, lanes: L) {
            let Self(activation, numbers) = self;
            let width = numbers.len();
            let kernel = Activate { activation, at: numbers.as_mut_ptr(), rows: 1, width, stride: width };
            // SAFETY: the one row is the slice.
            unsafe { lanes.call(kernel) }
        }
    }
    assert_eq!(numbers.len() % CHANNEL_GROUP, 0);
    set.with_lanes(Task(activation, numbers));
}
