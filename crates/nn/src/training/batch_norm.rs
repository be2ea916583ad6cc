use candle_core::{Result as CandleResult, Tensor};

use super::activation::for_curve;
use super::float::{Float, for_float, tensor, with_values};
use super::norm::TrainableNorm;
use super::norm_kernels::{Moments, Normalization};
use super::portable;
use super::settings::TrainingMode;
use super::step::Step;
use crate::{Activation, Result};

impl TrainableNorm {
    /// Normalizes each channel of `x` [.., C] and applies `activation`; the shape stays.
    ///
    /// # Errors
    /// [`crate::NnError::Tensor`] if the channels disagree, or in [`TrainingMode::Train`] on fewer than two rows.
    pub fn forward(&self, x: &Tensor, activation: Activation, mode: TrainingMode) -> Result<Tensor> {
        if portable::is_for(x) {
            return Ok(portable::norm(x, self, activation, mode)?);
        }
        Ok(self.recorded(&x.contiguous()?, activation, mode)?)
    }

    fn recorded(&self, x: &Tensor, activation: Activation, mode: TrainingMode) -> CandleResult<Tensor> {
        let normalized = self.normalize(&x.detach(), activation, mode)?;
        let affine = self.affine()?;
        for_float!(x, T => {
            let values = normalized.values::<T>(&affine)?;
            let backward = move |[_, affine]: [&Tensor; 2], _: &Tensor, gradient: &Tensor| {
                let (maps, affine) = normalized.gradients(affine, gradient)?;
                Ok([maps, affine])
            };
            x.apply_op2(&affine, Step::new("batch-norm", values, x.shape(), backward))
        })
    }

    /// Weight and bias as one tensor [2, C], since a step of Candle's graph has three arguments at most.
    pub(super) fn affine(&self) -> CandleResult<Tensor> {
        Tensor::stack(&[&self.weight, &self.bias], 0)
    }

    /// Measures `maps`, contiguous, and in [`TrainingMode::Train`] moves the running statistics towards them.
    pub(super) fn normalize(
        &self,
        maps: &Tensor,
        activation: Activation,
        mode: TrainingMode,
    ) -> CandleResult<NormalizedMaps> {
        let channels = self.weight.elem_count();
        if maps.dims().last() != Some(&channels) || channels == 0 {
            candle_core::bail!("a batch norm of {channels} channels over maps of {:?}", maps.shape());
        }
        let (mean, variance) = match mode {
            TrainingMode::Evaluate => (numbers(&self.running_mean)?, numbers(&self.running_variance)?),
            TrainingMode::Train => {
                let moments =
                    for_float!(maps, T => with_values([maps], |[maps]| Ok(Moments::measure::<T>(maps, channels))))?;
                let vector = |numbers: &[f64]| Tensor::new(numbers, maps.device());
                self.update_running_statistics(&vector(&moments.mean)?, &vector(&moments.variance)?, moments.count)?;
                (moments.mean, moments.variance)
            }
        };
        let inverse_deviation = variance.iter().map(|variance| 1.0 / (variance + self.settings.eps).sqrt()).collect();
        Ok(NormalizedMaps { maps: maps.clone(), mean, inverse_deviation, activation, mode })
    }
}

/// Maps [.., C] and their statistics, kept for the backward pass.
pub(super) struct NormalizedMaps {
    maps: Tensor,
    mean: Vec<f64>,
    inverse_deviation: Vec<f64>,
    activation: Activation,
    mode: TrainingMode,
}

impl NormalizedMaps {
    /// Returns the normalized maps after the activation.
    pub(super) fn values<T: Float>(&self, affine: &Tensor) -> CandleResult<Vec<T>> {
        let norm = self.normalization::<T>(affine)?;
        with_values([&self.maps], |[maps]| Ok(for_curve!(self.activation, C => norm.forward::<C>(maps))))
    }

    /// Returns the gradients of the maps and of weight and bias [2, C].
    pub(super) fn gradients(&self, affine: &Tensor, gradient: &Tensor) -> CandleResult<(Tensor, Tensor)> {
        for_float!(self.maps, T => {
            let norm = self.normalization::<T>(affine)?;
            let train = self.mode == TrainingMode::Train;
            let gradient = gradient.contiguous()?;
            let found = with_values([&self.maps, &gradient], |[maps, gradient]| {
                for_curve!(self.activation, C => norm.backward::<C>(maps, gradient, train))
            })?;
            let affine = tensor([found.weight, found.bias].concat(), affine.shape())?;
            Ok((tensor(found.maps, self.maps.shape())?, affine))
        })
    }

    fn normalization<T: Float>(&self, affine: &Tensor) -> CandleResult<Normalization<T>> {
        let real = |numbers: &[f64]| numbers.iter().map(|&number| T::from_f64(number)).collect();
        Ok(Normalization {
            weight: affine.get(0)?.to_vec1()?,
            bias: affine.get(1)?.to_vec1()?,
            mean: real(&self.mean),
            inverse_deviation: real(&self.inverse_deviation),
        })
    }
}

fn numbers(tensor: &Tensor) -> CandleResult<Vec<f64>> {
    tensor.to_dtype(candle_core::DType::F64)?.to_vec1()
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device};

    use super::*;
    use crate::seeded;
    use crate::training::NormSettings;
    use crate::training::finite_differences::{assert_gradients, largest_difference, norm_of};

    fn inputs() -> (Tensor, Tensor, Tensor) {
        let normal = |seed, shape: &[usize]| seeded::normal(seed, shape, DType::F64).affine(1.3, 0.7).unwrap();
        (normal(1, &[3, 2, 3, 5]), normal(2, &[5]), normal(3, &[5]))
    }

    #[test]
    fn gradients_are_those_of_finite_differences() {
        let (x, weight, bias) = inputs();
        for mode in [TrainingMode::Train, TrainingMode::Evaluate] {
            for activation in [Activation::Identity, Activation::Relu, Activation::Silu, Activation::Gelu] {
                assert_gradients(&[&x, &weight, &bias], |inputs| {
                    norm_of(&inputs[1], &inputs[2]).forward(&inputs[0], activation, mode)
                });
            }
        }
    }

    #[test]
    fn running_statistics_move_as_candles_and_as_keras_say() {
        let (x, weight, bias) = inputs();
        let ours = norm_of(&weight, &bias);
        let theirs = candle_nn::BatchNorm::new(
            5,
            Tensor::full(0.3f64, 5, &Device::Cpu).unwrap(),
            Tensor::full(1.7f64, 5, &Device::Cpu).unwrap(),
            weight.clone(),
            bias.clone(),
            1e-5,
        )
        .unwrap();
        let channels_first = x.permute((0, 3, 1, 2)).unwrap().contiguous().unwrap();
        let expected = theirs.forward_train(&channels_first).unwrap().permute((0, 2, 3, 1)).unwrap();
        let found = ours.forward(&x, Activation::Identity, TrainingMode::Train).unwrap();
        assert!(largest_difference(&found, &expected) < 1e-10);
        assert!(largest_difference(&ours.running_mean, theirs.running_mean()) < 1e-12);
        assert!(largest_difference(&ours.running_variance, theirs.running_var()) < 1e-12);

        let keras = TrainableNorm { settings: NormSettings::KERAS, ..norm_of(&weight, &bias) };
        keras.forward(&x, Activation::Identity, TrainingMode::Train).unwrap();
        let rows = x.flatten_to(2).unwrap();
        let mean = rows.mean_keepdim(0).unwrap();
        let variance = rows.broadcast_sub(&mean).unwrap().sqr().unwrap().mean(0).unwrap();
        let expected = ((variance * 0.01).unwrap() + 1.7 * 0.99).unwrap();
        assert!(largest_difference(&keras.running_variance, &expected) < 1e-12);
    }

    #[test]
    fn evaluation_leaves_the_statistics_alone() {
        let (x, weight, bias) = inputs();
        let norm = norm_of(&weight, &bias);
        let found = norm.forward(&x, Activation::Identity, TrainingMode::Evaluate).unwrap();
        let scale = (weight / (1.7f64 + 1e-5).sqrt()).unwrap();
        let expected = (x - 0.3).unwrap().broadcast_mul(&scale).unwrap().broadcast_add(&bias).unwrap();
        assert!(largest_difference(&found, &expected) < 1e-12);
        assert_eq!(norm.running_mean.to_vec1::<f64>().unwrap(), [0.3; 5]);
        assert_eq!(norm.running_variance.to_vec1::<f64>().unwrap(), [1.7; 5]);
    }

    #[test]
    fn a_large_mean_costs_no_digits_of_the_variance() {
        let x = (seeded::normal(1, (40_000, 3), DType::F32) + 10_000.0).unwrap();
        let weight = Tensor::ones(3, candle_core::DType::F32, &Device::Cpu).unwrap();
        let norm = TrainableNorm {
            settings: NormSettings { batch_share: 1.0, ..NormSettings::TORCH },
            ..norm_of(&weight, &weight.zeros_like().unwrap())
        };
        norm.forward(&x, Activation::Identity, TrainingMode::Train).unwrap();
        for variance in norm.running_variance.to_vec1::<f32>().unwrap() {
            assert!((variance - 1.0).abs() < 0.04, "{variance}");
        }
    }

    #[test]
    fn one_row_and_other_channels_are_refused() {
        let (x, weight, bias) = inputs();
        let norm = norm_of(&weight, &bias);
        let one_row = x.narrow(0, 0, 1).unwrap().narrow(1, 0, 1).unwrap().narrow(2, 0, 1).unwrap();
        assert!(norm.forward(&one_row, Activation::Relu, TrainingMode::Train).is_err());
        assert!(norm.forward(&one_row, Activation::Relu, TrainingMode::Evaluate).is_ok());
        assert!(norm.forward(&x.narrow(3, 0, 4).unwrap(), Activation::Relu, TrainingMode::Train).is_err());
    }
}
