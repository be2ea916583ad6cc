//! The passes of a batch norm with its activation over maps [.., C], in blocks of rows spread over threads.

use candle_core::Result;
use rayon::prelude::*;

use super::activation::Curve;
use super::float::{Float, vectorized};

/// Numbers in a block: small enough for a core's own cache, since some passes read a block twice.
const BLOCK: usize = 32_768;

fn block_length(channels: usize) -> usize {
    (BLOCK / channels.max(1)).max(1) * channels.max(1)
}

/// Mean and biased variance of each channel.
pub(super) struct Moments {
    pub(super) count: usize,
    pub(super) mean: Vec<f64>,
    pub(super) variance: Vec<f64>,
}

/// Batch norm with the statistics of one batch: x -> (x - mean) * inverse_deviation * weight + bias.
pub(super) struct Normalization<T> {
    pub(super) weight: Vec<T>,
    pub(super) bias: Vec<T>,
    pub(super) mean: Vec<T>,
    pub(super) inverse_deviation: Vec<T>,
}

/// The gradients of the maps, the weight and the bias.
pub(super) struct NormGradients<T> {
    pub(super) maps: Vec<T>,
    pub(super) weight: Vec<T>,
    pub(super) bias: Vec<T>,
}

impl Moments {
    /// Measures `maps`; each block is centered on its own mean first, so that a large mean costs no digits.
    pub(super) fn measure<T: Float>(maps: &[T], channels: usize) -> Self {
        let blocks: Vec<(usize, Vec<T>, Vec<T>)> = maps
            .par_chunks(block_length(channels))
            .map(|block| {
                let rows = block.len() / channels.max(1);
                let share = T::from_f64(1.0 / rows as f64);
                let (mut mean, mut spread) = (vec![T::zero(); channels], vec![T::zero(); channels]);
                vectorized(
                    #[inline(always)]
                    || {
                        for row in block.chunks_exact(channels) {
                            for (sum, &x) in mean.iter_mut().zip(row) {
                                *sum += x;
                            }
                        }
                        for mean in &mut mean {
                            *mean *= share;
                        }
                        for row in block.chunks_exact(channels) {
                            for ((sum, &x), &mean) in spread.iter_mut().zip(row).zip(&mean) {
                                *sum += (x - mean) * (x - mean);
                            }
                        }
                    },
                );
                (rows, mean, spread)
            })
            .collect();
        let (mut count, mut mean, mut spread) = (0, vec![0.0; channels], vec![0.0; channels]);
        for (rows, block_mean, block_spread) in &blocks {
            let share = *rows as f64 / (count + rows) as f64;
            for channel in 0..channels {
                let step = block_mean[channel].to_f64() - mean[channel];
                mean[channel] += step * share;
                spread[channel] += block_spread[channel].to_f64() + step * step * share * count as f64;
            }
            count += rows;
        }
        let variance = spread.iter().map(|spread| spread / count.max(1) as f64).collect();
        Self { count, mean, variance }
    }
}

impl<T: Float> Normalization<T> {
    /// Returns each channel's norm as `x * scale + shift`.
    fn scale_and_shift(&self) -> (Vec<T>, Vec<T>) {
        let scale: Vec<T> = self.weight.iter().zip(&self.inverse_deviation).map(|(&w, &d)| w * d).collect();
        let shift = self.bias.iter().zip(self.mean.iter().zip(&scale)).map(|(&b, (&m, &s))| b - m * s).collect();
        (scale, shift)
    }

    /// Normalizes `maps` and applies the activation, in one pass.
    pub(super) fn forward<C: Curve>(&self, maps: &[T]) -> Vec<T> {
        let channels = self.weight.len();
        let (scale, shift) = self.scale_and_shift();
        let mut output = vec![T::zero(); maps.len()];
        let length = block_length(channels);
        output.par_chunks_mut(length).zip(maps.par_chunks(length)).for_each(|(output, block)| {
            vectorized(
                #[inline(always)]
                || {
                    for (output, row) in output.chunks_exact_mut(channels).zip(block.chunks_exact(channels)) {
                        for (((output, &x), &scale), &shift) in output.iter_mut().zip(row).zip(&scale).zip(&shift) {
                            *output = C::value(x * scale + shift);
                        }
                    }
                },
            );
        });
        output
    }

    /// Returns the gradients from `gradient`, that of the activation's output. Where `mean_moves`, mean and deviation are those
    /// of `maps` themselves and pass gradient on; else they are constants.
    pub(super) fn backward<C: Curve>(&self, maps: &[T], gradient: &[T], mean_moves: bool) -> Result<NormGradients<T>> {
        let channels = self.weight.len();
        if gradient.len() != maps.len() {
            candle_core::bail!("batch norm: {} numbers and a gradient of {}", maps.len(), gradient.len());
        }
        let (mut maps_gradient, bias, weight) = self.through_activation::<C>(maps, gradient);
        let (scale, _) = self.scale_and_shift();
        let (mut slant, mut offset) = (vec![T::zero(); channels], vec![T::zero(); channels]);
        if mean_moves {
            let share = T::from_f64(channels as f64 / maps.len().max(1) as f64);
            for channel in 0..channels {
                let factor = T::zero() - scale[channel] * share;
                slant[channel] = factor * self.inverse_deviation[channel] * weight[channel];
                offset[channel] = factor * bias[channel] - slant[channel] * self.mean[channel];
            }
        }
        let length = block_length(channels);
        maps_gradient.par_chunks_mut(length).zip(maps.par_chunks(length)).for_each(|(gradient, block)| {
            vectorized(
                #[inline(always)]
                || {
                    for (gradient, row) in gradient.chunks_exact_mut(channels).zip(block.chunks_exact(channels)) {
                        let norm = scale.iter().zip(&slant).zip(&offset);
                        for ((gradient, &x), ((&scale, &slant), &offset)) in gradient.iter_mut().zip(row).zip(norm) {
                            *gradient = *gradient * scale + (x * slant + offset);
                        }
                    }
                },
            );
        });
        Ok(NormGradients { maps: maps_gradient, weight, bias })
    }

    /// The gradient before the activation, and those of bias and weight, which are sums of it over all rows.
    fn through_activation<C: Curve>(&self, maps: &[T], gradient: &[T]) -> (Vec<T>, Vec<T>, Vec<T>) {
        let channels = self.weight.len();
        let (scale, shift) = self.scale_and_shift();
        let length = block_length(channels);
        let mut inner = vec![T::zero(); maps.len()];
        let blocks: Vec<(Vec<T>, Vec<T>)> = inner
            .par_chunks_mut(length)
            .zip(maps.par_chunks(length).zip(gradient.par_chunks(length)))
            .map(|(inner, (block, gradient))| {
                let (mut sums, mut products) = (vec![T::zero(); channels], vec![T::zero(); channels]);
                vectorized(
                    #[inline(always)]
                    || {
                        let rows = block.chunks_exact(channels).zip(gradient.chunks_exact(channels));
                        for (inner, (row, gradient)) in inner.chunks_exact_mut(channels).zip(rows) {
                            // Three loops, each with one target: compilers give up vectors where many slices might overlap.
                            let norm = scale.iter().zip(&shift);
                            for (((inner, &x), &gradient), (&scale, &shift)) in
                                inner.iter_mut().zip(row).zip(gradient).zip(norm)
                            {
                                *inner = gradient * C::slope(x * scale + shift);
                            }
                            for (sum, &inner) in sums.iter_mut().zip(inner.iter()) {
                                *sum += inner;
                            }
                            for (((product, &inner), &x), &mean) in
                                products.iter_mut().zip(inner.iter()).zip(row).zip(&self.mean)
                            {
                                *product += inner * (x - mean);
                            }
                        }
                    },
                );
                (sums, products)
            })
            .collect();
        let (mut sums, mut products) = (vec![0.0; channels], vec![0.0; channels]);
        for (block_sums, block_products) in &blocks {
            for channel in 0..channels {
                sums[channel] += block_sums[channel].to_f64();
                products[channel] += block_products[channel].to_f64();
            }
        }
        let weight = products.iter().zip(&self.inverse_deviation).map(|(&p, &d)| T::from_f64(p * d.to_f64())).collect();
        (inner, sums.into_iter().map(T::from_f64).collect(), weight)
    }
}
