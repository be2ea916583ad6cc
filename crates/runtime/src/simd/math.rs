//! Activation functions on vectors.
//!
//! Errors against exact arithmetic, for |x| up to 1e30 (the tests below hold them): sigmoid 3e-7,
//! SiLU 4e-7 of itself or 1e-7, GELU 6e-7 x max(1, |x|).

use std::f32::consts::{FRAC_1_SQRT_2, LOG2_E};

use super::lanes::{EXPONENT_LIMIT, Lanes, power_of_two};

/// Returns e^x for x <= 0, or 2^-125 where it is less than that.
#[inline(always)]
pub(crate) fn exponential<L: Lanes>(lanes: L, x: L::Vector) -> L::Vector {
    // The second argument wins over NaN, so that NaN propagates.
    let t = lanes.maximum(lanes.splat(-EXPONENT_LIMIT), lanes.multiply(x, lanes.splat(LOG2_E)));
    power_of_two(lanes, t)
}

/// Returns 1 + e^-x.
#[inline(always)]
fn one_and_exponential<L: Lanes>(lanes: L, x: L::Vector) -> L::Vector {
    lanes.one_and_power_of_two(lanes.multiply(x, lanes.constant(-LOG2_E)))
}

/// Returns 1 / (1 + e^-x).
#[inline(always)]
pub(crate) fn sigmoid<L: Lanes>(lanes: L, x: L::Vector) -> L::Vector {
    lanes.divide(lanes.splat(1.0), one_and_exponential(lanes, x))
}

/// Returns x / (1 + e^-x).
#[inline(always)]
pub(crate) fn silu<L: Lanes>(lanes: L, x: L::Vector) -> L::Vector {
    lanes.divide(x, one_and_exponential(lanes, x))
}

/// Returns x (1 + erf(x / sqrt 2)) / 2, with erf by Abramowitz and Stegun, "Handbook of Mathematical Functions", 7.1.26.
#[inline(always)]
pub(crate) fn gelu<L: Lanes>(lanes: L, x: L::Vector) -> L::Vector {
    let one = lanes.splat(1.0);
    // Beyond 10 the tail is nothing in single precision, and its square must not overflow the exponent.
    let z = lanes.minimum(lanes.splat(10.0), lanes.multiply(lanes.absolute(x), lanes.splat(FRAC_1_SQRT_2)));
    let t = lanes.divide(one, lanes.multiply_add(z, lanes.splat(0.327_591_1), one));
    let mut tail = lanes.splat(1.061_405_4);
    for coefficient in [-1.453_152, 1.421_413_8, -0.284_496_74, 0.254_829_6] {
        tail = lanes.multiply_add(tail, t, lanes.splat(coefficient));
    }
    let exponent = lanes.multiply(lanes.multiply(z, z), lanes.splat(-LOG2_E));
    let exponent = lanes.maximum(lanes.splat(-EXPONENT_LIMIT), exponent);
    let tail = lanes.multiply(lanes.multiply(tail, t), power_of_two(lanes, exponent));
    let erf = lanes.with_sign_of(lanes.maximum(lanes.zero(), lanes.subtract(one, tail)), x);
    let half = lanes.multiply(x, lanes.splat(0.5));
    lanes.multiply_add(half, erf, half)
}

#[cfg(test)]
mod tests {
    use crate::InstructionSet;
    use crate::activation::{Activation, activate_slice};

    /// Returns erf by its series, to within 1e-12 for |x| < 5; beyond, 1.
    fn exact_erf(x: f64) -> f64 {
        if x.abs() > 5.0 {
            return x.signum();
        }
        let (mut term, mut sum) = (x, x);
        for n in 1..200 {
            term *= -x * x / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        sum * 2.0 / std::f64::consts::PI.sqrt()
    }

    fn exact(activation: Activation, x: f64) -> f64 {
        match activation {
            Activation::Identity => x,
            Activation::Relu => x.max(0.0),
            Activation::Relu6 => x.clamp(0.0, 6.0),
            Activation::Sigmoid => 1.0 / (1.0 + (-x).exp()),
            Activation::Silu => x / (1.0 + (-x).exp()),
            Activation::Gelu => 0.5 * x * (1.0 + exact_erf(x / 2f64.sqrt())),
        }
    }

    fn allowed(activation: Activation, x: f64, exact: f64) -> f64 {
        match activation {
            Activation::Identity | Activation::Relu | Activation::Relu6 => 0.0,
            Activation::Sigmoid => 3e-7,
            Activation::Silu => 4e-7 * exact.abs() + 1e-7,
            Activation::Gelu => 6e-7 * x.abs().max(1.0),
        }
    }

    #[test]
    fn activations_keep_their_stated_errors_in_every_set() {
        let mut numbers: Vec<f32> = (-60_000..60_000).map(|step| step as f32 * 5e-4).collect();
        numbers.extend([-1e30, -1e4, -90.0, -1e-30, 0.0, 1e-30, 90.0, 1e4, 1e30]);
        numbers.resize(numbers.len().next_multiple_of(16), 0.0);
        for set in InstructionSet::available() {
            for activation in Activation::ALL {
                let mut found = numbers.clone();
                activate_slice(set, activation, &mut found);
                for (&x, &found) in numbers.iter().zip(&found) {
                    let x = f64::from(x);
                    let exact = exact(activation, x);
                    let error = (f64::from(found) - exact).abs();
                    let allowed = allowed(activation, x, exact);
                    assert!(error <= allowed, "{set:?} {activation:?}({x}) = {found}, exact {exact}: {error:e}");
                }
            }
        }
    }

    #[test]
    fn nan_propagates() {
        for set in InstructionSet::available() {
            for activation in Activation::ALL {
                let mut numbers = [f32::NAN; 16];
                activate_slice(set, activation, &mut numbers);
                assert!(numbers.iter().all(|x| x.is_nan()), "{set:?} {activation:?}");
            }
        }
    }
}
