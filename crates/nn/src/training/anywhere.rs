//! The layers that learn, of Candle's own steps: for GPUs, and for maps in half precision.
//!
//! A window is taken apart: for each of its taps the pixels that it reads are a view of the padded maps, and the layer is a
//! sum of products of those views. Candle knows the gradient of each step, so nothing here has a way back of its own. It
//! keeps more maps than the layers for a CPU do, and needs no kernel but Candle's.
//!
//! FeatureMaps in half precision meet weights rounded to it; norms and means are taken in single precision, and the weights
//! themselves stay in single precision, as PyTorch's autocast has it.

use candle_core::{D, DType, Result, Tensor};

use super::axis::{Axis, Sliding};
use super::batch_norm::{Mode, TrainableNorm};
use super::convolution::Convolution;
use super::pooling::AverageOver;
use crate::Activation;

/// Whether maps are for the layers of this module.
pub(super) fn is_for(x: &Tensor) -> bool {
    !x.device().is_cpu() || matches!(x.dtype(), DType::F16 | DType::BF16)
}

/// As [`super::conv2d`].
pub(super) fn conv2d(x: &Tensor, weight: &Tensor, convolution: &Convolution) -> Result<Tensor> {
    let (out, in_per_group, kernel_height, kernel_width) = weight.dims4()?;
    let Convolution { stride, padding, groups } = *convolution;
    let channels = x.dim(D::Minus1)?;
    if groups == 0 || in_per_group * groups != channels || !out.is_multiple_of(groups) {
        candle_core::bail!("weight {:?} in {groups} groups over {channels} channels", weight.shape());
    }
    let sliding = Sliding::new(x.dims4()?, (kernel_height, kernel_width), stride, padding)?;
    let weight = weight.to_dtype(x.dtype())?;
    if groups == channels && out == channels {
        return over_taps(x, &sliding, Outside::Zero, |view, row, column| {
            view.broadcast_mul(&weight.narrow(2, row, 1)?.narrow(3, column, 1)?.reshape(channels)?)
        });
    }
    let of_group = |group: usize| {
        let x = x.narrow(3, group * in_per_group, in_per_group)?;
        let weight = weight.narrow(0, group * (out / groups), out / groups)?;
        over_taps(&x, &sliding, Outside::Zero, |view, row, column| {
            let (batch, height, width, _) = view.dims4()?;
            let tap = weight.narrow(2, row, 1)?.narrow(3, column, 1)?.reshape((out / groups, in_per_group))?;
            let product = view.contiguous()?.reshape((batch * height * width, in_per_group))?.matmul(&tap.t()?)?;
            product.reshape((batch, height, width, out / groups))
        })
    };
    match groups {
        1 => of_group(0),
        _ => Tensor::cat(&(0..groups).map(of_group).collect::<Result<Vec<_>>>()?, 3),
    }
}

/// As [`TrainableNorm::forward`].
pub(super) fn norm(x: &Tensor, norm: &TrainableNorm, activation: Activation, mode: Mode) -> Result<Tensor> {
    let channels = norm.weight.elem_count();
    if x.dims().last() != Some(&channels) || channels == 0 {
        candle_core::bail!("a batch norm of {channels} channels over maps of {:?}", x.shape());
    }
    let single = x.to_dtype(norm.weight.dtype())?;
    let rows = single.reshape((x.elem_count() / channels, channels))?;
    let (mean, variance) = match mode {
        Mode::Evaluate => (norm.running_mean.as_detached_tensor(), norm.running_variance.as_detached_tensor()),
        Mode::Train => {
            let mean = rows.mean(0)?;
            let variance = rows.broadcast_sub(&mean)?.sqr()?.mean(0)?;
            norm.follow(&mean.detach(), &variance.detach(), rows.dim(0)?)?;
            (mean, variance)
        }
    };
    let scale = (&norm.weight / (variance + norm.settings.eps)?.sqrt()?)?;
    let shift = (&norm.bias - (mean * &scale)?)?;
    activate(&single.broadcast_mul(&scale)?.broadcast_add(&shift)?.to_dtype(x.dtype())?, activation)
}

/// As [`super::activate`].
pub(super) fn activate(x: &Tensor, activation: Activation) -> Result<Tensor> {
    match activation {
        Activation::Identity => Ok(x.clone()),
        Activation::Relu => x.relu(),
        Activation::Silu => x.silu(),
        // Of hyperbolic tangents, whose gradient Candle knows on all devices.
        Activation::Sigmoid => ((x * 0.5)?.tanh()? * 0.5)? + 0.5,
        Activation::Gelu => x.gelu_erf(),
    }
}

/// As [`super::scale_channels`].
pub(super) fn scale_channels(x: &Tensor, scale: &Tensor) -> Result<Tensor> {
    let (batch, _, _, channels) = x.dims4()?;
    if scale.dims() != [batch, channels] {
        candle_core::bail!("scales {:?} for maps {:?}", scale.shape(), x.shape());
    }
    x.broadcast_mul(&scale.to_dtype(x.dtype())?.reshape((batch, 1, 1, channels))?)
}

/// As [`super::global_average`].
pub(super) fn global_average(x: &Tensor) -> Result<Tensor> {
    in_single(x)?.flatten(1, 2)?.mean(1)?.to_dtype(x.dtype())
}

/// As [`super::max_pool`], but of equal values each gets a share of the gradient.
pub(super) fn max_pool(x: &Tensor, sliding: &Sliding) -> Result<Tensor> {
    let mut largest: Option<Tensor> = None;
    for_each_tap(x, sliding, Outside::Nearest, |view, _, _| {
        largest = Some(match &largest {
            Some(so_far) => so_far.maximum(&view)?,
            None => view,
        });
        Ok(())
    })?;
    largest.map_or_else(|| candle_core::bail!("a window without pixels: {sliding:?}"), Ok)
}

/// As [`super::average_pool`].
pub(super) fn average_pool(x: &Tensor, sliding: &Sliding, over: AverageOver) -> Result<Tensor> {
    let sum = over_taps(&in_single(x)?, sliding, Outside::Zero, |view, _, _| Ok(view))?;
    let average = match over {
        AverageOver::Window => (sum * (1.0 / (sliding.rows.kernel * sliding.columns.kernel) as f64))?,
        AverageOver::Image => {
            let ones = Tensor::ones((1, sliding.rows.length, sliding.columns.length, 1), sum.dtype(), x.device())?;
            sum.broadcast_div(&over_taps(&ones, sliding, Outside::Zero, |view, _, _| Ok(view))?)?
        }
    };
    average.to_dtype(x.dtype())
}

fn in_single(x: &Tensor) -> Result<Tensor> {
    match x.dtype() {
        DType::F16 | DType::BF16 => x.to_dtype(DType::F32),
        _ => Ok(x.clone()),
    }
}

/// What a window reads beyond the edge of the image.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outside {
    Zero,
    /// The nearest pixel that lies in the window too: what it adds to a maximum is there already.
    Nearest,
}

/// The sum over the taps of a window of what `part` makes of the pixels that each reads; it hears the tap's row and column.
fn over_taps(
    x: &Tensor,
    sliding: &Sliding,
    outside: Outside,
    part: impl Fn(Tensor, usize, usize) -> Result<Tensor>,
) -> Result<Tensor> {
    let mut sum: Option<Tensor> = None;
    for_each_tap(x, sliding, outside, |view, row, column| {
        let part = part(view, row, column)?;
        sum = Some(match &sum {
            Some(sum) => (sum + part)?,
            None => part,
        });
        Ok(())
    })?;
    sum.map_or_else(|| candle_core::bail!("a window without pixels: {sliding:?}"), Ok)
}

fn for_each_tap(
    x: &Tensor,
    sliding: &Sliding,
    outside: Outside,
    mut visit: impl FnMut(Tensor, usize, usize) -> Result<()>,
) -> Result<()> {
    let x = match outside {
        Outside::Zero => padded(&padded(x, 1, &sliding.rows)?, 2, &sliding.columns)?,
        Outside::Nearest => x.clone(),
    };
    for row in 0..sliding.rows.kernel {
        let rows = read_by_tap(&x, 1, &sliding.rows, row, outside)?;
        for column in 0..sliding.columns.kernel {
            visit(read_by_tap(&rows, 2, &sliding.columns, column, outside)?, row, column)?;
        }
    }
    Ok(())
}

/// `x` with as many zeros around one of its dimensions as windows along `axis` read there.
fn padded(x: &Tensor, dimension: usize, axis: &Axis) -> Result<Tensor> {
    let read = (axis.out_length - 1) * axis.stride + axis.kernel;
    x.pad_with_zeros(dimension, axis.before, read.saturating_sub(axis.before + axis.length))
}

/// What tap `tap` of a window reads along one axis of `x`, for each of its positions; padded already where zeros are outside.
fn read_by_tap(x: &Tensor, dimension: usize, axis: &Axis, tap: usize, outside: Outside) -> Result<Tensor> {
    let Axis { length, out_length, kernel, stride, before } = *axis;
    if outside == Outside::Zero && stride == 1 {
        // A view, without a copy.
        return x.narrow(dimension, tap, out_length);
    }
    let place = |position: usize| {
        let start = position * stride;
        match outside {
            Outside::Zero => start + tap,
            Outside::Nearest => {
                let (first, last) = (start.max(before), (start + kernel).min(before + length) - 1);
                (start + tap).clamp(first, last) - before
            }
        }
    };
    let places: Vec<u32> = (0..out_length).map(|position| place(position) as u32).collect();
    x.contiguous()?.index_select(&Tensor::new(places, x.device())?, dimension)
}

#[cfg(test)]
mod tests {
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
        anywhere: impl Fn(&[Tensor]) -> Result<Tensor>,
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
        let here = of(&|arguments| anywhere(arguments).unwrap());
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
        let activations =
            [Activation::Identity, Activation::Relu, Activation::Silu, Activation::Sigmoid, Activation::Gelu];
        for activation in activations {
            // Candle's slope of GELU has 0.398942 for 1 / sqrt(2 pi): up to 1.7e-7 off for each of the 24 terms of a sum.
            let tolerance = if activation == Activation::Gelu { 1e-5 } else { DOUBLES };
            assert_same(
                tolerance,
                &[&x],
                |inputs| activate(&inputs[0], activation),
                |inputs| crate::training::activate(&inputs[0], activation),
            );
            for mode in [Mode::Train, Mode::Evaluate] {
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
        norm(&x, &here, Activation::Relu, Mode::Train).unwrap();
        there.forward(&x, Activation::Relu, Mode::Train).unwrap();
        assert!(largest_difference(&here.running_mean, &there.running_mean) < 1e-12);
        assert!(largest_difference(&here.running_variance, &there.running_variance) < 1e-12);
    }
}
