//! Activation functions with their derivatives.
//!
//! Candle has gradients for most of them, but takes five to ten passes of one thread, each with its own map.

use candle_core::{Result as CandleResult, Tensor};
use rayon::prelude::*;

use super::float::{Float, for_float, tensor, vectorized, with_values};
use super::portable;
use super::step::Step;
use crate::{Activation, Result};

/// Applies `activation` to every element of `x`; the shape stays. The derivative of ReLU at zero is zero.
///
/// # Errors
/// The shapes do not fit, or the device fails.
pub fn activate(x: &Tensor, activation: Activation) -> Result<Tensor> {
    if activation == Activation::Identity {
        return Ok(x.clone());
    }
    if portable::is_for(x) {
        return Ok(portable::activate(x, activation)?);
    }
    Ok(activated(&x.contiguous()?, activation)?)
}

fn activated(x: &Tensor, activation: Activation) -> CandleResult<Tensor> {
    let backward = move |[x]: [&Tensor; 1], _: &Tensor, gradient: &Tensor| {
        let gradient = gradient.contiguous()?;
        for_float!(x, T => for_curve!(activation, C => {
            let values = with_values([x, &gradient], |[x, gradient]| {
                Ok(map_pairs::<T>(x, gradient, |x, gradient| C::slope(x) * gradient))
            })?;
            Ok([tensor(values, x.shape())?])
        }))
    };
    for_float!(x, T => for_curve!(activation, C => {
        let values = with_values([x], |[x]| Ok(map_pairs::<T>(x, x, |x, _| C::value(x))))?;
        x.apply_op1(Step::new("activation", values, x.shape(), backward))
    }))
}

fn map_pairs<T: Float>(a: &[T], b: &[T], function: impl Fn(T, T) -> T + Sync) -> Vec<T> {
    const AT_ONCE: usize = 16_384;
    let mut output = vec![T::zero(); a.len()];
    output.par_chunks_mut(AT_ONCE).zip(a.par_chunks(AT_ONCE).zip(b.par_chunks(AT_ONCE))).for_each(
        |(output, (a, b))| {
            vectorized(
                #[inline(always)]
                || {
                    for ((output, &a), &b) in output.iter_mut().zip(a).zip(b) {
                        *output = function(a, b);
                    }
                },
            );
        },
    );
    output
}

/// Activation that the compiler knows, so that loops over it become vector instructions.
pub(super) trait Curve {
    fn value<T: Float>(x: T) -> T;
    /// Returns the derivative at `x`.
    fn slope<T: Float>(x: T) -> T;
}

pub(super) struct Identity;
pub(super) struct Relu;
pub(super) struct Relu6;
pub(super) struct Silu;
pub(super) struct Sigmoid;
pub(super) struct Gelu;

impl Curve for Identity {
    #[inline(always)]
    fn value<T: Float>(x: T) -> T {
        x
    }

    #[inline(always)]
    fn slope<T: Float>(_: T) -> T {
        T::one()
    }
}

impl Curve for Relu {
    #[inline(always)]
    fn value<T: Float>(x: T) -> T {
        // NaN propagates, so that a training that diverged shows it.
        if x < T::zero() { T::zero() } else { x }
    }

    #[inline(always)]
    fn slope<T: Float>(x: T) -> T {
        if x > T::zero() { T::one() } else { T::zero() }
    }
}

impl Curve for Relu6 {
    #[inline(always)]
    fn value<T: Float>(x: T) -> T {
        let ceiling = T::from_f64(6.0);
        if x > ceiling { ceiling } else { Relu::value(x) }
    }

    #[inline(always)]
    fn slope<T: Float>(x: T) -> T {
        if x < T::from_f64(6.0) { Relu::slope(x) } else { T::zero() }
    }
}

impl Curve for Silu {
    #[inline(always)]
    fn value<T: Float>(x: T) -> T {
        x * Sigmoid::value(x)
    }

    #[inline(always)]
    fn slope<T: Float>(x: T) -> T {
        let sigmoid = Sigmoid::value(x);
        sigmoid * (T::one() + x * (T::one() - sigmoid))
    }
}

impl Curve for Sigmoid {
    #[inline(always)]
    fn value<T: Float>(x: T) -> T {
        T::one() / (T::one() + (T::zero() - x).exp())
    }

    #[inline(always)]
    fn slope<T: Float>(x: T) -> T {
        let sigmoid = Self::value(x);
        sigmoid * (T::one() - sigmoid)
    }
}

impl Gelu {
    /// Returns the cumulative normal distribution at `x`.
    #[inline(always)]
    fn cumulative<T: Float>(x: T) -> T {
        T::from_f64(0.5) * (T::one() + (x * T::from_f64(std::f64::consts::FRAC_1_SQRT_2)).erf())
    }
}

impl Curve for Gelu {
    #[inline(always)]
    fn value<T: Float>(x: T) -> T {
        x * Self::cumulative(x)
    }

    #[inline(always)]
    fn slope<T: Float>(x: T) -> T {
        let density = T::from_f64(0.5 * std::f64::consts::FRAC_2_SQRT_PI * std::f64::consts::FRAC_1_SQRT_2)
            * (x * x * T::from_f64(-0.5)).exp();
        Self::cumulative(x) + x * density
    }
}

/// Runs `$body` with `$curve` as the type of `$activation`.
macro_rules! for_curve {
    ($activation:expr, $curve:ident => $body:expr) => {
        match $activation {
            $crate::Activation::Identity => {
                type $curve = $crate::training::activation::Identity;
                $body
            }
            $crate::Activation::Relu => {
                type $curve = $crate::training::activation::Relu;
                $body
            }
            $crate::Activation::Relu6 => {
                type $curve = $crate::training::activation::Relu6;
                $body
            }
            $crate::Activation::Silu => {
                type $curve = $crate::training::activation::Silu;
                $body
            }
            $crate::Activation::Sigmoid => {
                type $curve = $crate::training::activation::Sigmoid;
                $body
            }
            $crate::Activation::Gelu => {
                type $curve = $crate::training::activation::Gelu;
                $body
            }
        }
    };
}
pub(super) use for_curve;

#[cfg(test)]
mod tests {
    use candle_core::DType;

    use super::*;
    use crate::training::finite_differences::assert_gradients;
    use crate::{apply_activation, seeded};

    const ALL: [Activation; 6] = [
        Activation::Identity,
        Activation::Relu,
        Activation::Relu6,
        Activation::Silu,
        Activation::Sigmoid,
        Activation::Gelu,
    ];

    #[test]
    fn gradients_are_those_of_finite_differences() {
        let x = (seeded::normal(1, (3, 7), DType::F64) * 2.0).unwrap();
        for activation in ALL {
            assert_gradients(&[&x], |inputs| activate(&inputs[0], activation));
        }
    }

    #[test]
    fn values_are_those_of_the_layers_for_inference() {
        let x = (seeded::normal(1, (5, 1001), DType::F32) * 4.0).unwrap();
        for activation in ALL {
            let difference = (activate(&x, activation).unwrap() - apply_activation(&x, activation).unwrap()).unwrap();
            let largest = difference.abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
            assert!(largest < 2e-6, "{activation:?}: {largest}");
        }
    }
}
