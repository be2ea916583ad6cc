use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{Result as CandleResult, Tensor};
use rayon::prelude::*;

use super::channel_scale::{products_over_image, scaled};
use super::float::{Float, for_float, tensor, vectorized, with_values};
use super::pooling::means;
use super::portable;
use super::step::Step;
use crate::{NnError, Result};

/// Squeeze-and-excitation: multiplies `x` [N, H, W, C] by what `gate` makes of its average over the image, [N, C] to
/// [N, C].
///
/// The same as [`super::global_average`], `gate` and [`super::scale_channels`], but `x` gets its gradient in one pass
/// and not as a sum of two maps. Fails if the result of `gate` does not depend on its argument.
///
/// # Errors
/// The shapes do not fit, or the device fails.
pub fn gate_channels(x: &Tensor, gate: impl FnOnce(&Tensor) -> Result<Tensor>) -> Result<Tensor> {
    if portable::is_for(x) {
        return Ok(portable::scale_channels(x, &gate(&portable::global_average(x)?)?)?);
    }
    let x = x.contiguous()?;
    let waiting = Arc::new(Mutex::new(None));
    let average = recorded_average(&x, Arc::clone(&waiting))?;
    let scale = gate(&average)?.contiguous()?;
    // The way back into `x` leads through the average alone.
    if average.track_op() && !scale.sorted_nodes().iter().any(|node| node.id() == average.id()) {
        let problem = "the scale does not depend on the average".to_owned();
        return Err(NnError::Shape { layer: "gate_channels", problem });
    }
    Ok(recorded_product(&x.detach(), &scale, waiting)?)
}

/// Gradient that the product leaves for the average, which comes later in the backward pass.
struct ProductGradient {
    gradient: Tensor,
    scale: Tensor,
}

type Waiting = Arc<Mutex<Option<ProductGradient>>>;

fn recorded_average(x: &Tensor, waiting: Waiting) -> CandleResult<Tensor> {
    let (batch, height, width, channels) = x.dims4()?;
    let pixels = height * width;
    if pixels == 0 {
        candle_core::bail!("no average over an image of {height} x {width}");
    }
    let backward = move |[x]: [&Tensor; 1], _: &Tensor, average_gradient: &Tensor| {
        let Some(product) = waiting.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            candle_core::bail!("the average of a gate has a gradient, but the gated maps have none");
        };
        let average_gradient = average_gradient.contiguous()?;
        for_float!(x, T => {
            let inputs = [&product.gradient, &product.scale, &average_gradient];
            let values = with_values(inputs, |[gradient, scale, average_gradient]| {
                Ok(joined::<T>(gradient, scale, average_gradient, pixels, channels))
            })?;
            Ok([tensor(values, x.shape())?])
        })
    };
    for_float!(x, T => {
        let values = with_values([x], |[x]| Ok(means::<T>(x, pixels, channels)))?;
        x.apply_op1(Step::new("gate-average", values, (batch, channels), backward))
    })
}

fn recorded_product(x: &Tensor, scale: &Tensor, waiting: Waiting) -> CandleResult<Tensor> {
    let (batch, height, width, channels) = x.dims4()?;
    if scale.dims() != [batch, channels] {
        candle_core::bail!("scales {:?} for maps {:?}", scale.shape(), x.shape());
    }
    let pixels = height * width;
    let kept = x.clone();
    let backward = move |[scale]: [&Tensor; 1], _: &Tensor, gradient: &Tensor| {
        let gradient = gradient.contiguous()?;
        let scale_gradient = for_float!(scale, T => {
            let values = with_values([&kept, &gradient], |[x, gradient]| {
                Ok(products_over_image::<T>(x, gradient, pixels, channels))
            })?;
            tensor(values, scale.shape())?
        });
        let product = ProductGradient { gradient, scale: scale.detach() };
        *waiting.lock().unwrap_or_else(PoisonError::into_inner) = Some(product);
        Ok([scale_gradient])
    };
    for_float!(x, T => {
        let values = with_values([x, scale], |[x, scale]| Ok(scaled::<T>(x, scale, pixels, channels)))?;
        scale.apply_op1(Step::new("gate-product", values, x.shape(), backward))
    })
}

/// For each pixel, `gradient * scale` and its share of the gradient of the average.
fn joined<T: Float>(gradient: &[T], scale: &[T], average_gradient: &[T], pixels: usize, channels: usize) -> Vec<T> {
    let share = T::from_f64(1.0 / pixels as f64);
    let image = (pixels * channels).max(1);
    let mut joined = vec![T::zero(); gradient.len()];
    let per_image = scale.par_chunks(channels.max(1)).zip(average_gradient.par_chunks(channels.max(1)));
    joined.par_chunks_mut(image).zip(gradient.par_chunks(image).zip(per_image)).for_each(
        |(joined, (gradient, (scale, average)))| {
            vectorized(
                #[inline(always)]
                || {
                    for (joined, gradient) in joined.chunks_exact_mut(channels).zip(gradient.chunks_exact(channels)) {
                        let factors = scale.iter().zip(average);
                        for ((joined, &gradient), (&scale, &average)) in joined.iter_mut().zip(gradient).zip(factors) {
                            *joined = gradient * scale + average * share;
                        }
                    }
                },
            );
        },
    );
    joined
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device, Var};

    use super::*;
    use crate::Activation;
    use crate::seeded;
    use crate::training::finite_differences::{assert_gradients, largest_difference};
    use crate::training::{activate, global_average, scale_channels};

    fn gate(average: &Tensor, weight: &Tensor) -> Result<Tensor> {
        activate(&average.matmul(weight)?, Activation::Sigmoid)
    }

    #[test]
    fn equals_its_parts_and_has_their_gradients() {
        let x = seeded::normal(1, (2, 3, 5, 4), DType::F64);
        let weight = seeded::normal(2, (4, 4), DType::F64);
        let together = |inputs: &[Tensor]| gate_channels(&inputs[0], |average| gate(average, &inputs[1]));
        assert_gradients(&[&x, &weight], together);
        let apart = scale_channels(&x, &gate(&global_average(&x).unwrap(), &weight).unwrap()).unwrap();
        assert!(largest_difference(&together(&[x, weight]).unwrap(), &apart) < 1e-12);
    }

    #[test]
    fn a_gate_that_does_not_look_at_its_maps_is_refused() {
        let x = Var::randn(0f64, 1.0, (2, 3, 5, 4), &Device::Cpu).unwrap();
        let weight = Var::randn(0f64, 1.0, (2, 4), &Device::Cpu).unwrap();
        assert!(gate_channels(&x, |_| Ok(weight.as_tensor().clone())).is_err());
    }
}
