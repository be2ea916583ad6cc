use candle_core::{Device, Var};
use proptest::prelude::*;

use super::*;
use crate::Padding;
use crate::seeded;
use crate::training::finite_differences::{largest_difference, norm_of, paddings};

/// Of sums of at most some hundred doubles near 1.
const DOUBLES: f64 = 1e-10;

/// Values and the gradients of all `inputs` are those of the layers for a CPU.
fn assert_same(
    tolerance: f64,
    inputs: &[&Tensor],
    portable: impl Fn(&[Tensor]) -> Result<Tensor>,
    on_cpu: impl Fn(&[Tensor]) -> crate::Result<Tensor>,
) {
    let of = |layer: &dyn Fn(&[Tensor]) -> Tensor| {
        let variables: Vec<Var> = inputs.iter().map(|input| Var::from_tensor(input).unwrap()).collect();
        let arguments: Vec<Tensor> = variables.iter().map(|variable| variable.as_tensor().clone()).collect();
        let y = layer(&arguments);
        // Each number of the result counts another amount.
        let share = Tensor::arange(0f64, y.elem_count() as f64, &Device::Cpu).unwrap();
        let share = (share * 0.37).unwrap().sin().unwrap().reshape(y.shape()).unwrap();
        let gradients = (&y * share).unwrap().sum_all().unwrap().backward().unwrap();
        let gradients = variables.iter().map(|variable| gradients.get(variable).unwrap().clone());
        std::iter::once(y.clone()).chain(gradients).collect::<Vec<_>>()
    };
    let here = of(&|arguments| portable(arguments).unwrap());
    let there = of(&|arguments| on_cpu(arguments).unwrap());
    for (number, (here, there)) in here.iter().zip(&there).enumerate() {
        assert_eq!(here.dims(), there.dims());
        let difference = largest_difference(here, there);
        assert!(difference < tolerance, "{number}: {difference}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn convolutions_are_those_of_the_cpu(
        kernel in (1..5usize, 1..5usize), stride in 1..4usize, padding in paddings(3),
        image in (1..6usize, 1..6usize), groups in 1..4usize, widths in (1..3usize, 1..3usize),
    ) {
        let convolution = Convolution { stride, padding, groups };
        let x = seeded::normal(1, &[2, image.0 + kernel.0, image.1 + kernel.1, groups * widths.0], DType::F64);
        let weight = seeded::normal(2, &[groups * widths.1, widths.0, kernel.0, kernel.1], DType::F64);
        assert_same(
            DOUBLES,
            &[&x, &weight],
            |inputs| conv2d(&inputs[0], &inputs[1], &convolution),
            |inputs| crate::training::conv2d(&inputs[0], &inputs[1], &convolution),
        );
    }

    #[test]
    fn pools_are_those_of_the_cpu(
        kernel in 2..4usize, stride in 1..4usize, image in (4..9usize, 4..8usize),
        before in (0..2usize, 0..2usize), after in (0..2usize, 0..2usize),
    ) {
        let padding = Padding { top: before.0, left: before.1, bottom: after.0, right: after.1 };
        let x = seeded::normal(1, &[2, image.0, image.1, 3], DType::F64);
        let sliding = Sliding::new(x.dims4().unwrap(), (kernel, kernel), stride, padding).unwrap();
        assert_same(
            DOUBLES,
            &[&x],
            |inputs| max_pool(&inputs[0], &sliding),
            |inputs| crate::training::max_pool(&inputs[0], kernel, stride, padding),
        );
        for over in [AverageOver::Window, AverageOver::Image] {
            assert_same(
                DOUBLES,
                &[&x],
                |inputs| average_pool(&inputs[0], &sliding, over),
                |inputs| crate::training::average_pool(&inputs[0], kernel, stride, padding, over),
            );
        }
    }
}

#[test]
fn norms_activations_means_and_gates_are_those_of_the_cpu() {
    let x = seeded::normal(1, &[2, 3, 4, 5], DType::F64);
    let (gamma, beta) = (seeded::normal(2, 5, DType::F64), seeded::normal(3, 5, DType::F64));
    let activations = [
        Activation::Identity,
        Activation::Relu,
        Activation::Relu6,
        Activation::Silu,
        Activation::Sigmoid,
        Activation::Gelu,
    ];
    for activation in activations {
        // Candle's slope of GELU has 0.398942 for 1 / sqrt(2 pi): up to 1.7e-7 off for each of the 24 terms of a sum.
        let tolerance = if activation == Activation::Gelu { 1e-5 } else { DOUBLES };
        assert_same(
            tolerance,
            &[&x],
            |inputs| activate(&inputs[0], activation),
            |inputs| crate::training::activate(&inputs[0], activation),
        );
        for mode in [TrainingMode::Train, TrainingMode::Evaluate] {
            assert_same(
                tolerance,
                &[&x, &gamma, &beta],
                |inputs| norm(&inputs[0], &norm_of(&inputs[1], &inputs[2]), activation, mode),
                |inputs| norm_of(&inputs[1], &inputs[2]).forward(&inputs[0], activation, mode),
            );
        }
    }
    assert_same(
        DOUBLES,
        &[&x],
        |inputs| global_average(&inputs[0]),
        |inputs| crate::training::global_average(&inputs[0]),
    );
    let scale = seeded::normal(4, (2, 5), DType::F64);
    assert_same(
        DOUBLES,
        &[&x, &scale],
        |inputs| scale_channels(&inputs[0], &inputs[1]),
        |inputs| crate::training::scale_channels(&inputs[0], &inputs[1]),
    );
}

#[test]
fn running_statistics_follow_the_batch_as_on_the_cpu() {
    let x = seeded::normal(1, &[2, 3, 4, 5], DType::F64);
    let vector = seeded::normal(2, 5, DType::F64);
    let (here, there) = (norm_of(&vector, &vector), norm_of(&vector, &vector));
    norm(&x, &here, Activation::Relu, TrainingMode::Train).unwrap();
    there.forward(&x, Activation::Relu, TrainingMode::Train).unwrap();
    assert!(largest_difference(&here.running_mean, &there.running_mean) < 1e-12);
    assert!(largest_difference(&here.running_variance, &there.running_variance) < 1e-12);
}
