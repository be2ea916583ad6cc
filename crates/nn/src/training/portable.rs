//! Training layers composed of Candle's own operations: for GPUs, and for maps in half precision.
//!
//! A window is taken apart: for each of its taps the pixels that it reads are a view of the padded maps, and the layer is a
//! sum of products of those views. Candle knows the gradient of each operation, so nothing here has a backward pass of its own. It
//! keeps more maps than the layers for a CPU do, and needs no kernels but Candle's.
//!
//! Maps in half precision meet weights rounded to it; norms and means are taken in single precision, and the weights
//! themselves stay in single precision, as PyTorch's autocast has it.

use candle_core::{D, DType, Result, Tensor};

use super::axis::{Axis, Sliding};
use super::norm::TrainableNorm;
use super::settings::{AverageOver, Convolution, TrainingMode};
use crate::Activation;

/// Returns true for maps that the layers of this module are for.
pub(super) fn is_for(x: &Tensor) -> bool {
    !x.device().is_cpu() || matches!(x.dtype(), DType::F16 | DType::BF16)
}

/// Convolves as [`super::conv2d`].
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

/// Normalizes as [`TrainableNorm::forward`].
pub(super) fn norm(x: &Tensor, norm: &TrainableNorm, activation: Activation, mode: TrainingMode) -> Result<Tensor> {
    let channels = norm.weight.elem_count();
    if x.dims().last() != Some(&channels) || channels == 0 {
        candle_core::bail!("a batch norm of {channels} channels over maps of {:?}", x.shape());
    }
    let single = x.to_dtype(norm.weight.dtype())?;
    let rows = single.reshape((x.elem_count() / channels, channels))?;
    let (mean, variance) = match mode {
        TrainingMode::Evaluate => (norm.running_mean.as_detached_tensor(), norm.running_variance.as_detached_tensor()),
        TrainingMode::Train => {
            let mean = rows.mean(0)?;
            let variance = rows.broadcast_sub(&mean)?.sqr()?.mean(0)?;
            norm.update_running_statistics(&mean.detach(), &variance.detach(), rows.dim(0)?)?;
            (mean, variance)
        }
    };
    let scale = (&norm.weight / (variance + norm.settings.eps)?.sqrt()?)?;
    let shift = (&norm.bias - (mean * &scale)?)?;
    activate(&single.broadcast_mul(&scale)?.broadcast_add(&shift)?.to_dtype(x.dtype())?, activation)
}

/// Applies an activation as [`super::activate`].
pub(super) fn activate(x: &Tensor, activation: Activation) -> Result<Tensor> {
    match activation {
        Activation::Identity => Ok(x.clone()),
        Activation::Relu => x.relu(),
        Activation::Relu6 => x.clamp(0f32, 6f32),
        Activation::Silu => x.silu(),
        // Of hyperbolic tangents, whose gradient Candle knows on all devices.
        Activation::Sigmoid => ((x * 0.5)?.tanh()? * 0.5)? + 0.5,
        Activation::Gelu => x.gelu_erf(),
    }
}

/// Scales as [`super::scale_channels`].
pub(super) fn scale_channels(x: &Tensor, scale: &Tensor) -> Result<Tensor> {
    let (batch, _, _, channels) = x.dims4()?;
    if scale.dims() != [batch, channels] {
        candle_core::bail!("scales {:?} for maps {:?}", scale.shape(), x.shape());
    }
    x.broadcast_mul(&scale.to_dtype(x.dtype())?.reshape((batch, 1, 1, channels))?)
}

/// Averages as [`super::global_average`].
pub(super) fn global_average(x: &Tensor) -> Result<Tensor> {
    in_single(x)?.flatten(1, 2)?.mean(1)?.to_dtype(x.dtype())
}

/// Pools as [`super::max_pool`], but of equal values each gets a share of the gradient.
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

/// Pools as [`super::average_pool`].
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

/// Values that a window reads beyond the edge of the image.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outside {
    Zero,
    /// Nearest pixel inside the window, which cannot change a maximum.
    Nearest,
}

/// Sums, over the taps of a window, the results of `part` for the pixels that each tap reads, its row and its column.
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

/// Pads `x` with as many zeros around one of its dimensions as windows along `axis` read there.
fn padded(x: &Tensor, dimension: usize, axis: &Axis) -> Result<Tensor> {
    let read = (axis.out_length - 1) * axis.stride + axis.kernel;
    x.pad_with_zeros(dimension, axis.before, read.saturating_sub(axis.before + axis.length))
}

/// Returns the pixels that tap `tap` of a window reads along one axis of `x`, for each of its positions; padded already where zeros are outside.
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
mod tests;
