use candle_core::{Result as CandleResult, Tensor};

use super::float::for_float;
use super::norm::TrainableNorm;
use super::plan::Plan;
use super::portable;
use super::settings::{Convolution, TrainingMode};
use super::step::Step;
use crate::{Activation, Result};

/// Convolves `x` [N, H, W, in] by `weight` [out, in / groups, kh, kw]; the output is [N, H', W', out].
///
/// # Errors
/// [`crate::NnError::Tensor`] if the kernel does not fit the padded image or the channels disagree.
pub fn conv2d(x: &Tensor, weight: &Tensor, convolution: &Convolution) -> Result<Tensor> {
    if portable::is_for(x) {
        return Ok(portable::conv2d(x, weight, convolution)?);
    }
    Ok(recorded(&x.contiguous()?, weight, convolution)?)
}

fn recorded(x: &Tensor, weight: &Tensor, convolution: &Convolution) -> CandleResult<Tensor> {
    let plan = Plan::new(x, weight, convolution)?;
    let product = plan.product(&x.detach(), &weight.detach())?;
    for_float!(x, T => {
        let values = product.flatten_all()?.to_vec1::<T>()?;
        let backward = move |[x, weight]: [&Tensor; 2], _: &Tensor, gradient: &Tensor| {
            let (x, weight) = plan.gradients(x, weight, gradient)?;
            Ok([x, weight])
        };
        x.apply_op2(weight, Step::new("conv2d", values, product.shape(), backward))
    })
}

/// A convolution, the batch norm after it and `activation`: the same as [`conv2d`] and [`TrainableNorm::forward`], but
/// a single step of the graph, which saves a gradient map and several passes over it.
///
/// # Errors
/// The shapes do not fit, or the device fails.
pub fn conv2d_norm(
    x: &Tensor,
    weight: &Tensor,
    convolution: &Convolution,
    norm: &TrainableNorm,
    activation: Activation,
    mode: TrainingMode,
) -> Result<Tensor> {
    if portable::is_for(x) {
        let product = portable::conv2d(x, weight, convolution)?;
        return Ok(portable::norm(&product, norm, activation, mode)?);
    }
    Ok(recorded_with_norm(&x.contiguous()?, weight, convolution, (norm, activation, mode))?)
}

fn recorded_with_norm(
    x: &Tensor,
    weight: &Tensor,
    convolution: &Convolution,
    (norm, activation, mode): (&TrainableNorm, Activation, TrainingMode),
) -> CandleResult<Tensor> {
    let plan = Plan::new(x, weight, convolution)?;
    let normalized = norm.normalize(&plan.product(&x.detach(), &weight.detach())?, activation, mode)?;
    let affine = norm.affine()?;
    for_float!(x, T => {
        let values = normalized.values::<T>(&affine)?;
        let shape = plan.sliding.output_shape(plan.out_channels);
        let backward = move |[x, weight, affine]: [&Tensor; 3], _: &Tensor, gradient: &Tensor| {
            let (product, affine) = normalized.gradients(affine, gradient)?;
            let (x, weight) = plan.gradients(x, weight, &product)?;
            Ok([x, weight, affine])
        };
        x.apply_op3(weight, &affine, Step::new("conv2d-norm", values, shape, backward))
    })
}

#[cfg(test)]
mod tests {
    use candle_core::DType;
    use proptest::prelude::*;

    use super::*;
    use crate::Padding;
    use crate::seeded;
    use crate::training::finite_differences::{assert_gradients, largest_difference, norm_of, paddings};
    use crate::training::{channels_first, channels_last};

    /// Convolves the padded image by Candle's own function.
    fn candles(x: &Tensor, weight: &Tensor, convolution: &Convolution) -> Tensor {
        let Padding { top, left, bottom, right } = convolution.padding;
        let padded = channels_first(x).unwrap().pad_with_zeros(2, top, bottom).unwrap();
        let padded = padded.pad_with_zeros(3, left, right).unwrap();
        channels_last(&padded.conv2d(weight, 0, convolution.stride, 1, convolution.groups).unwrap()).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn depthwise_equals_candles_and_has_its_gradients(
            kernel in (1..8usize, 1..8usize), stride in 1..4usize, padding in paddings(4),
            image in (1..7usize, 1..8usize), channels in 1..4usize,
        ) {
            let image = (image.0 + kernel.0, image.1 + kernel.1);
            check((2, image.0, image.1, channels), (channels, 1, kernel.0, kernel.1), stride, padding, channels);
        }

        #[test]
        fn standard_convolution_equals_candles_and_has_its_gradients(
            kernel in (1..6usize, 1..6usize), stride in 1..4usize, padding in paddings(4),
            image in (1..6usize, 1..7usize), channels in (1..4usize, 1..4usize),
        ) {
            let image = (image.0 + kernel.0, image.1 + kernel.1);
            check((2, image.0, image.1, channels.0), (channels.1, channels.0, kernel.0, kernel.1), stride, padding, 1);
        }
    }

    fn check(
        shape: (usize, usize, usize, usize),
        weight_shape: (usize, usize, usize, usize),
        stride: usize,
        padding: Padding,
        groups: usize,
    ) {
        let convolution = Convolution { stride, padding, groups };
        let (x, weight) = (seeded::normal(1, shape, DType::F64), seeded::normal(2, weight_shape, DType::F64));
        let ours = conv2d(&x, &weight, &convolution).unwrap();
        assert!(largest_difference(&ours, &candles(&x, &weight, &convolution)) < 1e-12);
        assert_gradients(&[&x, &weight], |inputs| conv2d(&inputs[0], &inputs[1], &convolution));
    }

    #[test]
    fn grouped_pointwise_and_strided_pointwise_have_their_gradients() {
        let none = Padding::symmetric(0);
        check((2, 4, 5, 6), (4, 3, 3, 2), 2, Padding { top: 1, left: 0, bottom: 0, right: 2 }, 2);
        check((2, 5, 4, 3), (6, 1, 3, 3), 1, Padding::symmetric(1), 3);
        check((2, 4, 3, 5), (7, 5, 1, 1), 1, none, 1);
        check((2, 5, 4, 3), (2, 3, 1, 1), 2, none, 1);
    }

    #[test]
    fn many_channels_in_single_precision_equal_candles() {
        for (weight, groups) in [((75, 1, 5, 5), 75), ((40, 75, 3, 3), 1), ((41, 75, 1, 1), 1)] {
            let padding = if weight.2 == 1 { Padding::symmetric(0) } else { Padding::same(19, 22, weight.2, 2) };
            let stride = if weight.2 == 1 { 1 } else { 2 };
            let convolution = Convolution { stride, padding, groups };
            let (x, weight) = (seeded::normal(1, (3, 19, 22, 75), DType::F32), seeded::normal(2, weight, DType::F32));
            let ours = conv2d(&x, &weight, &convolution).unwrap();
            assert!(largest_difference(&ours, &candles(&x, &weight, &convolution)) < 2e-4);
        }
    }

    #[test]
    fn single_precision_gradients_are_those_of_double_precision() {
        for (weight, groups, stride) in [((75, 1, 5, 5), 75, 1), ((75, 1, 3, 3), 75, 2), ((9, 75, 1, 1), 1, 1)] {
            let convolution = Convolution { stride, padding: Padding::symmetric(weight.2 / 2), groups };
            let (x, weight) = (seeded::normal(1, (2, 33, 20, 75), DType::F64), seeded::normal(2, weight, DType::F64));
            let gradients = |dtype| {
                let x = candle_core::Var::from_tensor(&x.to_dtype(dtype).unwrap()).unwrap();
                let weight = candle_core::Var::from_tensor(&weight.to_dtype(dtype).unwrap()).unwrap();
                let loss = conv2d(&x, &weight, &convolution).unwrap().sqr().unwrap().mean_all().unwrap();
                let gradients = loss.backward().unwrap();
                [gradients.get(&x).unwrap().clone(), gradients.get(&weight).unwrap().clone()]
            };
            for (single, double) in gradients(DType::F32).iter().zip(gradients(DType::F64)) {
                let largest = double.abs().unwrap().max_all().unwrap().to_scalar::<f64>().unwrap();
                assert!(largest_difference(&single.to_dtype(DType::F64).unwrap(), &double) < 1e-5 * largest);
            }
        }
    }

    #[test]
    fn convolution_and_norm_in_one_step_equal_two_steps_and_have_their_gradients() {
        let (x, weight) = (seeded::normal(1, (2, 5, 4, 3), DType::F64), seeded::normal(2, (6, 3, 3, 3), DType::F64));
        let (gamma, beta) = (seeded::normal(3, (1, 1, 1, 6), DType::F64), seeded::normal(4, (1, 1, 1, 6), DType::F64));
        let (gamma, beta) = (gamma.flatten_all().unwrap(), beta.flatten_all().unwrap());
        let convolution =
            Convolution { stride: 2, padding: Padding { top: 0, left: 1, bottom: 1, right: 1 }, groups: 1 };
        for mode in [TrainingMode::Train, TrainingMode::Evaluate] {
            let fused = |inputs: &[Tensor]| {
                let norm = norm_of(&inputs[2], &inputs[3]);
                conv2d_norm(&inputs[0], &inputs[1], &convolution, &norm, Activation::Silu, mode)
            };
            let inputs = [&x, &weight, &gamma, &beta];
            let together = fused(&inputs.map(Tensor::clone)).unwrap();
            let product = conv2d(&x, &weight, &convolution).unwrap();
            let apart = norm_of(&gamma, &beta).forward(&product, Activation::Silu, mode).unwrap();
            assert!(largest_difference(&together, &apart) < 1e-12);
            assert_gradients(&inputs, fused);
        }
    }

    #[test]
    fn shapes_that_do_not_fit_are_refused() {
        let x = seeded::normal(1, (1, 4, 4, 3), DType::F32);
        assert!(conv2d(&x, &seeded::normal(2, (2, 4, 1, 1), DType::F32), &Convolution::PLAIN).is_err());
        assert!(conv2d(&x, &seeded::normal(2, (2, 3, 5, 1), DType::F32), &Convolution::PLAIN).is_err());
        assert!(
            conv2d(&x, &seeded::normal(2, (2, 3, 1, 1), DType::F32), &Convolution { stride: 0, ..Convolution::PLAIN })
                .is_err()
        );
        assert!(
            conv2d(&x, &seeded::normal(2, (2, 3, 1, 1), DType::F32), &Convolution { groups: 0, ..Convolution::PLAIN })
                .is_err()
        );
        assert!(
            conv2d(&x.to_dtype(DType::F64).unwrap(), &seeded::normal(2, (2, 3, 1, 1), DType::F32), &Convolution::PLAIN)
                .is_err()
        );
    }
}
