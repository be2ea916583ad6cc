use candle_core::{Result as CandleResult, Tensor};
use rayon::prelude::*;

use super::axis::{Link, Sliding};
use super::depthwise;
use super::float::{Float, for_float, tensor, vectorized, with_values};
use super::portable;
use super::settings::AverageOver;
use super::step::Step;
use crate::{Padding, Result};

/// Takes the largest value of each `kernel` x `kernel` window of `x` [N, H, W, C]; pixels outside the image never win.
///
/// Of equal values the first one, row by row, gets the gradient, as in PyTorch. Fails if a window sees no pixel at all.
///
/// # Errors
/// The shapes do not fit, or the device fails.
pub fn max_pool(x: &Tensor, kernel: usize, stride: usize, padding: Padding) -> Result<Tensor> {
    let x = x.contiguous()?;
    let sliding = Sliding::new(x.dims4()?, (kernel, kernel), stride, padding)?;
    if portable::is_for(&x) {
        window_links(&sliding)?;
        return Ok(portable::max_pool(&x, &sliding)?);
    }
    Ok(recorded_max_pool(&x, &sliding)?)
}

/// Averages each `kernel` x `kernel` window of `x` [N, H, W, C].
///
/// Fails if a window sees no pixel at all.
///
/// # Errors
/// The shapes do not fit, or the device fails.
pub fn average_pool(x: &Tensor, kernel: usize, stride: usize, padding: Padding, over: AverageOver) -> Result<Tensor> {
    let x = x.contiguous()?;
    let sliding = Sliding::new(x.dims4()?, (kernel, kernel), stride, padding)?;
    if portable::is_for(&x) {
        window_links(&sliding)?;
        return Ok(portable::average_pool(&x, &sliding, over)?);
    }
    Ok(recorded_average_pool(&x, sliding, over)?)
}

/// Averages `x` [N, H, W, C] over the image to [N, C].
///
/// # Errors
/// The shapes do not fit, or the device fails.
pub fn global_average(x: &Tensor) -> Result<Tensor> {
    if portable::is_for(x) {
        return Ok(portable::global_average(x)?);
    }
    Ok(recorded_global_average(&x.contiguous()?)?)
}

fn recorded_max_pool(x: &Tensor, sliding: &Sliding) -> CandleResult<Tensor> {
    let links = window_links(sliding)?;
    let shape = sliding.output_shape(sliding.channels);
    for_float!(x, T => {
        let (values, winners) = with_values([x], |[x]| Ok(largest::<T>(x, sliding, &links)))?;
        let image_length = sliding.rows.length * sliding.columns.length * sliding.channels;
        let backward = move |[x]: [&Tensor; 1], _: &Tensor, gradient: &Tensor| {
            let gradient = gradient.contiguous()?;
            let values = with_values([&gradient], |[gradient]| {
                Ok(scatter::<T>(gradient, &winners, x.elem_count(), image_length))
            })?;
            Ok([tensor(values, x.shape())?])
        };
        x.apply_op1(Step::new("max-pool", values, shape, backward))
    })
}

type WindowLinks = (Vec<Vec<Link>>, Vec<Vec<Link>>);

/// The links of each output row and column, none of them empty.
fn window_links(sliding: &Sliding) -> CandleResult<WindowLinks> {
    let links = (sliding.rows.forward(), sliding.columns.forward());
    if links.0.iter().chain(&links.1).any(Vec::is_empty) {
        candle_core::bail!("a pooling window that lies in the padding alone: {sliding:?}");
    }
    Ok(links)
}

/// The largest value of each window and where in its image it was.
fn largest<T: Float>(x: &[T], sliding: &Sliding, (rows, columns): &WindowLinks) -> (Vec<T>, Vec<u32>) {
    let Sliding { batch, channels, .. } = *sliding;
    let width = sliding.columns.length;
    let image_length = sliding.rows.length * width * channels;
    let row_length = columns.len() * channels;
    let mut values = vec![T::zero(); batch * rows.len() * row_length];
    let mut winners = vec![0u32; values.len()];
    let chunks = values.par_chunks_mut(row_length.max(1)).zip(winners.par_chunks_mut(row_length.max(1)));
    chunks.enumerate().for_each(|(row, (values, winners))| {
        let image = &x[row / rows.len() * image_length..][..image_length];
        let pixels = values.chunks_exact_mut(channels).zip(winners.chunks_exact_mut(channels));
        for ((values, winners), column_links) in pixels.zip(columns) {
            let mut first = true;
            for row_link in &rows[row % rows.len()] {
                for column_link in column_links {
                    let start = (row_link.source * width + column_link.source) * channels;
                    let source = &image[start..][..channels];
                    for (channel, ((value, winner), &x)) in
                        values.iter_mut().zip(winners.iter_mut()).zip(source).enumerate()
                    {
                        // NaN wins, so that a training that diverged shows it.
                        if first || x > *value || x.partial_cmp(&x).is_none() {
                            *value = x;
                            *winner = (start + channel) as u32;
                        }
                    }
                    first = false;
                }
            }
        }
    });
    (values, winners)
}

/// Adds each gradient to the input that won its window.
fn scatter<T: Float>(gradient: &[T], winners: &[u32], length: usize, image_length: usize) -> Vec<T> {
    let mut target = vec![T::zero(); length];
    let images = length / image_length.max(1);
    let out_length = gradient.len() / images.max(1);
    let sources = gradient.par_chunks(out_length.max(1)).zip(winners.par_chunks(out_length.max(1)));
    target.par_chunks_mut(image_length.max(1)).zip(sources).for_each(|(target, (gradient, winners))| {
        for (&gradient, &winner) in gradient.iter().zip(winners) {
            target[winner as usize] += gradient;
        }
    });
    target
}

fn recorded_average_pool(x: &Tensor, sliding: Sliding, over: AverageOver) -> CandleResult<Tensor> {
    let (rows, columns) = window_links(&sliding)?;
    let window = sliding.rows.kernel * sliding.columns.kernel;
    let shares: Vec<f64> = rows
        .iter()
        .flat_map(|row| columns.iter().map(move |column| row.len() * column.len()))
        .map(|inside| match over {
            AverageOver::Window => 1.0 / window as f64,
            AverageOver::Image => 1.0 / inside as f64,
        })
        .collect();
    let shares = Tensor::from_vec(shares, (1, rows.len(), columns.len(), 1), x.device())?.to_dtype(x.dtype())?;
    let ones = Tensor::ones((window, sliding.channels), x.dtype(), x.device())?;
    let average = depthwise::convolve(&x.detach(), &ones, &sliding)?.broadcast_mul(&shares)?;
    for_float!(x, T => {
        let values = average.flatten_all()?.to_vec1::<T>()?;
        let backward = move |_: [&Tensor; 1], _: &Tensor, gradient: &Tensor| {
            let gradient = gradient.broadcast_mul(&shares)?;
            Ok([depthwise::input_gradient(&gradient, &ones, &sliding)?])
        };
        x.apply_op1(Step::new("average-pool", values, average.shape(), backward))
    })
}

fn recorded_global_average(x: &Tensor) -> CandleResult<Tensor> {
    let (batch, height, width, channels) = x.dims4()?;
    let pixels = height * width;
    if pixels == 0 {
        candle_core::bail!("no average over an image of {height} x {width}");
    }
    let backward = move |[x]: [&Tensor; 1], _: &Tensor, gradient: &Tensor| {
        let gradient = gradient.contiguous()?;
        for_float!(x, T => {
            let values = with_values([&gradient], |[gradient]| Ok(spread::<T>(gradient, pixels, channels)))?;
            Ok([tensor(values, x.shape())?])
        })
    };
    for_float!(x, T => {
        let values = with_values([x], |[x]| Ok(means::<T>(x, pixels, channels)))?;
        x.apply_op1(Step::new("global-average", values, (batch, channels), backward))
    })
}

pub(super) fn means<T: Float>(x: &[T], pixels: usize, channels: usize) -> Vec<T> {
    let share = T::from_f64(1.0 / pixels as f64);
    let mut means = vec![T::zero(); x.len() / pixels];
    means.par_chunks_mut(channels.max(1)).zip(x.par_chunks((pixels * channels).max(1))).for_each(|(means, x)| {
        vectorized(
            #[inline(always)]
            || {
                for row in x.chunks_exact(channels) {
                    for (mean, &x) in means.iter_mut().zip(row) {
                        *mean += x;
                    }
                }
                for mean in means {
                    *mean *= share;
                }
            },
        );
    });
    means
}

fn spread<T: Float>(gradient: &[T], pixels: usize, channels: usize) -> Vec<T> {
    let share = T::from_f64(1.0 / pixels as f64);
    let mut spread = vec![T::zero(); gradient.len() * pixels];
    spread.par_chunks_mut((pixels * channels).max(1)).zip(gradient.par_chunks(channels.max(1))).for_each(
        |(spread, gradient)| {
            for row in spread.chunks_exact_mut(channels) {
                for (target, &gradient) in row.iter_mut().zip(gradient) {
                    *target = gradient * share;
                }
            }
        },
    );
    spread
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device};
    use proptest::prelude::*;

    use super::*;
    use crate::seeded;
    use crate::training::finite_differences::{assert_gradients, largest_difference};
    use crate::training::{channels_first, channels_last};

    /// Distinct values in random order, so that no small step changes which one is largest.
    fn distinct(shape: (usize, usize, usize, usize)) -> Tensor {
        let noise = seeded::uniform(1, shape, DType::F64).flatten_all().unwrap();
        let ranks = noise.arg_sort_last_dim(true).unwrap().arg_sort_last_dim(true).unwrap();
        ((ranks.to_dtype(DType::F64).unwrap() * 0.01).unwrap() - 0.5).unwrap().reshape(shape).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn pools_have_the_gradients_of_finite_differences(
            kernel in 1..5usize, stride in 1..4usize, image in (4..9usize, 4..8usize), channels in 1..4usize,
            before in (0..2usize, 0..2usize), after in (0..2usize, 0..2usize),
        ) {
            let padding = Padding { top: before.0, left: before.1, bottom: after.0, right: after.1 };
            prop_assume!(kernel > 1 || padding == Padding::symmetric(0));
            let x = distinct((2, image.0, image.1, channels));
            assert_gradients(&[&x], |inputs| max_pool(&inputs[0], kernel, stride, padding));
            for over in [AverageOver::Window, AverageOver::Image] {
                assert_gradients(&[&x], |inputs| average_pool(&inputs[0], kernel, stride, padding, over));
            }
        }
    }

    #[test]
    fn max_pool_equals_the_layer_for_inference() {
        for padding in [Padding::symmetric(0), Padding::symmetric(1), Padding { top: 0, left: 0, bottom: 1, right: 1 }]
        {
            let x = (distinct((2, 9, 7, 5)) - 10.0).unwrap();
            let theirs = channels_last(&crate::max_pool(&channels_first(&x).unwrap(), 3, 2, padding).unwrap()).unwrap();
            assert_eq!(largest_difference(&max_pool(&x, 3, 2, padding).unwrap(), &theirs), 0.0);
        }
    }

    #[test]
    fn average_pool_equals_candles_and_counts_the_padding_or_not() {
        let x = distinct((2, 6, 8, 3));
        let theirs = channels_last(&channels_first(&x).unwrap().avg_pool2d(2).unwrap()).unwrap();
        let ours = average_pool(&x, 2, 2, Padding::symmetric(0), AverageOver::Window).unwrap();
        assert!(largest_difference(&ours, &theirs) < 1e-12);
        let ones = Tensor::ones((1, 4, 4, 1), DType::F64, &Device::Cpu).unwrap();
        let corner = |over| {
            let pooled = average_pool(&ones, 3, 1, Padding::symmetric(1), over).unwrap();
            pooled.flatten_all().unwrap().get(0).unwrap().to_scalar::<f64>().unwrap()
        };
        assert!((corner(AverageOver::Window) - 4.0 / 9.0).abs() < 1e-12);
        assert!((corner(AverageOver::Image) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn global_average_has_its_gradient() {
        let x = distinct((3, 4, 5, 2));
        assert_gradients(&[&x], |inputs| global_average(&inputs[0]));
        let theirs = x.flatten(1, 2).unwrap().mean(1).unwrap();
        assert!(largest_difference(&global_average(&x).unwrap(), &theirs) < 1e-12);
    }

    #[test]
    fn of_equal_values_the_first_gets_the_gradient_and_nan_is_not_hidden() {
        let x = candle_core::Var::ones((1, 2, 2, 1), DType::F64, &Device::Cpu).unwrap();
        let gradients = max_pool(&x, 2, 2, Padding::symmetric(0)).unwrap().sum_all().unwrap().backward().unwrap();
        let gradient: Vec<f64> = gradients.get(&x).unwrap().flatten_all().unwrap().to_vec1().unwrap();
        assert_eq!(gradient, [1.0, 0.0, 0.0, 0.0]);
        let x = Tensor::new(&[[[[1.0], [f64::NAN]], [[3.0], [2.0]]]], &Device::Cpu).unwrap();
        let pooled = max_pool(&x, 2, 2, Padding::symmetric(0)).unwrap().flatten_all().unwrap();
        assert!(pooled.get(0).unwrap().to_scalar::<f64>().unwrap().is_nan());
    }

    #[test]
    fn a_window_in_the_padding_alone_is_refused() {
        let x = distinct((1, 4, 4, 1));
        assert!(max_pool(&x, 2, 2, Padding::symmetric(2)).is_err());
        assert!(average_pool(&x, 1, 1, Padding::symmetric(1), AverageOver::Image).is_err());
    }
}
