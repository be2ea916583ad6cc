use candle_core::{Result as CandleResult, Tensor};
use rayon::prelude::*;

use super::float::{Float, for_float, tensor, vectorized, with_values};
use super::portable;
use super::step::Step;
use crate::Result;

/// Multiplies `x` [N, H, W, C] by `scale` [N, C], as squeeze-and-excitation does; the shape stays.
///
/// # Errors
/// The shapes do not fit, or the device fails.
pub fn scale_channels(x: &Tensor, scale: &Tensor) -> Result<Tensor> {
    if portable::is_for(x) {
        return Ok(portable::scale_channels(x, scale)?);
    }
    Ok(recorded(&x.contiguous()?, &scale.contiguous()?)?)
}

fn recorded(x: &Tensor, scale: &Tensor) -> CandleResult<Tensor> {
    let (batch, height, width, channels) = x.dims4()?;
    if scale.dims() != [batch, channels] {
        candle_core::bail!("scales {:?} for maps {:?}", scale.shape(), x.shape());
    }
    let pixels = height * width;
    let backward = move |[x, scale]: [&Tensor; 2], _: &Tensor, gradient: &Tensor| {
        let gradient = gradient.contiguous()?;
        for_float!(x, T => {
            let x_gradient = with_values([&gradient, scale], |[gradient, scale]| {
                Ok(scaled::<T>(gradient, scale, pixels, channels))
            })?;
            let scale_gradient = with_values([x, &gradient], |[x, gradient]| {
                Ok(products_over_image::<T>(x, gradient, pixels, channels))
            })?;
            Ok([tensor(x_gradient, x.shape())?, tensor(scale_gradient, scale.shape())?])
        })
    };
    for_float!(x, T => {
        let values = with_values([x, scale], |[x, scale]| Ok(scaled::<T>(x, scale, pixels, channels)))?;
        x.apply_op2(scale, Step::new("scale-channels", values, x.shape(), backward))
    })
}

/// Pixels that one thread takes at a time.
const PIXELS: usize = 256;

pub(super) fn scaled<T: Float>(x: &[T], scale: &[T], pixels: usize, channels: usize) -> Vec<T> {
    let mut output = vec![T::zero(); x.len()];
    let image = (pixels * channels).max(1);
    output.par_chunks_mut(image).zip(x.par_chunks(image)).zip(scale.par_chunks(channels.max(1))).for_each(
        |((output, x), scale)| {
            let length = PIXELS * channels;
            output.par_chunks_mut(length).zip(x.par_chunks(length)).for_each(|(output, x)| {
                vectorized(
                    #[inline(always)]
                    || {
                        for (output, x) in output.chunks_exact_mut(channels).zip(x.chunks_exact(channels)) {
                            for ((output, &x), &scale) in output.iter_mut().zip(x).zip(scale) {
                                *output = x * scale;
                            }
                        }
                    },
                );
            });
        },
    );
    output
}

/// For each image and channel, the sum of `a * b` over the pixels.
pub(super) fn products_over_image<T: Float>(a: &[T], b: &[T], pixels: usize, channels: usize) -> Vec<T> {
    let image = (pixels * channels).max(1);
    let mut sums = vec![T::zero(); a.len() / pixels.max(1)];
    sums.par_chunks_mut(channels.max(1)).zip(a.par_chunks(image).zip(b.par_chunks(image))).for_each(
        |(sums, (a, b))| {
            vectorized(
                #[inline(always)]
                || {
                    for (a, b) in a.chunks_exact(channels).zip(b.chunks_exact(channels)) {
                        for ((sum, &a), &b) in sums.iter_mut().zip(a).zip(b) {
                            *sum += a * b;
                        }
                    }
                },
            );
        },
    );
    sums
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device};

    use super::*;
    use crate::seeded;
    use crate::training::finite_differences::assert_gradients;

    #[test]
    fn gradients_are_those_of_finite_differences() {
        let x = seeded::normal(1, (2, 3, 5, 4), DType::F64);
        let scale = seeded::normal(2, (2, 4), DType::F64);
        assert_gradients(&[&x, &scale], |inputs| scale_channels(&inputs[0], &inputs[1]));
        let plain = x.broadcast_mul(&scale.reshape((2, 1, 1, 4)).unwrap()).unwrap();
        let difference = (scale_channels(&x, &scale).unwrap() - plain).unwrap().abs().unwrap();
        assert_eq!(difference.max_all().unwrap().to_scalar::<f64>().unwrap(), 0.0);
    }

    #[test]
    fn scales_of_other_channels_are_refused() {
        let x = Tensor::zeros((2, 3, 5, 4), candle_core::DType::F32, &Device::Cpu).unwrap();
        let scale = Tensor::zeros((2, 3), candle_core::DType::F32, &Device::Cpu).unwrap();
        assert!(scale_channels(&x, &scale).is_err());
    }
}
