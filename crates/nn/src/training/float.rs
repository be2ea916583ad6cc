//! Floating-point types that training supports, and vector instructions for them.

use candle_core::{Device, Result, Shape, Storage, Tensor, WithDType};

/// `f32`, which training runs in, or `f64`, which gradients are checked in.
pub(super) trait Float: WithDType {
    /// e to the power of this; within 2 units in the last place.
    fn exp(self) -> Self;
    /// The Gauss error function.
    fn erf(self) -> Self;
}

impl Float for f32 {
    /// Written out, because a call to the library cannot be turned into vector instructions.
    #[inline(always)]
    fn exp(self) -> Self {
        // Adding 1.5 * 2^23 leaves the nearest whole number in the low bits of the mantissa.
        const ROUND: f32 = 12_582_912.0;
        const LN_2_HIGH: f32 = 0.693_359_4;
        const LN_2_LOW: f32 = -2.121_944_4e-4;
        let x = self.clamp(-87.0, 88.0);
        let shifted = x * std::f32::consts::LOG2_E + ROUND;
        let whole = shifted - ROUND;
        let rest = x - whole * LN_2_HIGH - whole * LN_2_LOW;
        // Taylor's series: |rest| <= ln(2) / 2, where the first term left out is below 1.5e-8.
        let mut sum = 1.0 / 5040.0;
        for term in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
            sum = sum * rest + term;
        }
        let power_of_two = f32::from_bits((shifted.to_bits() << 23).wrapping_add(1f32.to_bits()));
        sum * power_of_two
    }

    fn erf(self) -> Self {
        candle_core::cpu::erf::erf_f32(self)
    }
}

impl Float for f64 {
    fn exp(self) -> Self {
        f64::exp(self)
    }

    fn erf(self) -> Self {
        candle_core::cpu::erf::erf_f64(self)
    }
}

/// Runs `work` compiled for the widest vectors of this machine; what it calls must be inlined into it.
#[inline(always)]
pub(super) fn vectorized<R>(work: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(work)
}

/// Calls `read` with the values of contiguous tensors in the memory of this machine.
pub(super) fn with_values<T: Float, R, const N: usize>(
    tensors: [&Tensor; N],
    read: impl FnOnce([&[T]; N]) -> Result<R>,
) -> Result<R> {
    let locked = tensors.map(Tensor::storage_and_layout);
    let mut values: [&[T]; N] = [&[]; N];
    for (values, (storage, layout)) in values.iter_mut().zip(&locked) {
        let Storage::Cpu(storage) = &**storage else {
            candle_core::bail!("training layers run on the CPU only");
        };
        let Some((start, end)) = layout.contiguous_offsets() else {
            candle_core::bail!("a tensor of strides {:?} where a contiguous one is needed", layout.stride());
        };
        *values = &T::cpu_storage_as_slice(storage)?[start..end];
    }
    read(values)
}

/// A tensor of `values`, without copying them.
pub(super) fn tensor<T: Float>(values: Vec<T>, shape: impl Into<Shape>) -> Result<Tensor> {
    Tensor::from_vec(values, shape.into(), &Device::Cpu)
}

/// Runs `$body` with `$real` standing for the kind of number that `$tensor` holds.
macro_rules! for_float {
    ($tensor:expr, $real:ident => $body:expr) => {
        match $tensor.dtype() {
            candle_core::DType::F32 => {
                type $real = f32;
                $body
            }
            candle_core::DType::F64 => {
                type $real = f64;
                $body
            }
            other => candle_core::bail!("training layers take f32 or f64, not {other:?}"),
        }
    };
}
pub(super) use for_float;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_within_two_units_in_the_last_place() {
        for step in -8600..=8700 {
            let x = step as f32 * 0.01 + 0.003;
            let (ours, exact) = (Float::exp(x), f64::from(x).exp());
            assert!((f64::from(ours) / exact - 1.0).abs() < 2.4e-7, "exp({x}) = {ours}, not {exact}");
        }
        assert_eq!(Float::exp(0f32), 1.0);
        assert!(Float::exp(f32::NAN).is_nan());
        assert!(Float::exp(1000f32) > 1e38 && Float::exp(-1000f32) < 2e-38);
    }
}
