//! Depthwise convolution of maps [N, H, W, C]: one filter per channel, rows of pixels spread over threads.

use candle_core::{Result, Tensor};
use rayon::prelude::*;

use super::axis::{Axis, Link, Sliding};
use super::float::{Float, for_float, tensor, vectorized, with_values};

/// Convolves `x` [N, H, W, C] by `taps` [kh * kw, C]; the output is [N, H', W', C].
pub(super) fn convolve(x: &Tensor, taps: &Tensor, sliding: &Sliding) -> Result<Tensor> {
    let links = (sliding.rows.forward(), sliding.columns.forward());
    let shape = sliding.output_shape(sliding.channels);
    for_float!(x, T => tensor(gather::<T>(x, taps, sliding, &links)?, shape))
}

/// The gradient of the input [N, H, W, C], from that of the output: the same walk with the links turned round.
pub(super) fn input_gradient(gradient: &Tensor, taps: &Tensor, sliding: &Sliding) -> Result<Tensor> {
    let links = (sliding.rows.backward(), sliding.columns.backward());
    for_float!(gradient, T => tensor(gather::<T>(gradient, taps, sliding, &links)?, sliding.input_shape()))
}

/// The gradient of the taps [kh * kw, C].
pub(super) fn tap_gradient(x: &Tensor, gradient: &Tensor, sliding: &Sliding) -> Result<Tensor> {
    let shape = (sliding.rows.kernel * sliding.columns.kernel, sliding.channels);
    for_float!(x, T => tensor(correlate::<T>(x, gradient, sliding)?, shape))
}

/// Sums, for each position of the target, what its links point at, times the tap they come by.
fn gather<T: Float>(
    source: &Tensor,
    taps: &Tensor,
    sliding: &Sliding,
    (rows, columns): &(Vec<Vec<Link>>, Vec<Vec<Link>>),
) -> Result<Vec<T>> {
    let (_, source_height, source_width, channels) = source.dims4()?;
    with_values([source, taps], |[source, taps]| {
        let mut target = vec![T::zero(); sliding.batch * rows.len() * columns.len() * channels];
        let image_length = source_height * source_width * channels;
        target.par_chunks_mut((columns.len() * channels).max(1)).enumerate().for_each(|(row, target)| {
            let image = &source[row / rows.len() * image_length..][..image_length];
            vectorized(
                #[inline(always)]
                || {
                    for (pixel, links) in target.chunks_exact_mut(channels).zip(columns) {
                        let reader = Reader {
                            image,
                            taps,
                            row_links: &rows[row % rows.len()],
                            column_links: links,
                            width: source_width,
                            kernel_width: sliding.columns.kernel,
                            channels,
                        };
                        reader.write(pixel);
                    }
                },
            );
        });
        Ok(target)
    })
}

/// Sources of one pixel of the target.
struct Reader<'a, T> {
    image: &'a [T],
    taps: &'a [T],
    row_links: &'a [Link],
    column_links: &'a [Link],
    width: usize,
    kernel_width: usize,
    channels: usize,
}

impl<T: Float> Reader<'_, T> {
    #[inline(always)]
    fn write(&self, pixel: &mut [T]) {
        let mut channel = 0;
        while channel + 32 <= self.channels {
            self.write_block::<32>(pixel, channel);
            channel += 32;
        }
        while channel + 8 <= self.channels {
            self.write_block::<8>(pixel, channel);
            channel += 8;
        }
        while channel < self.channels {
            self.write_block::<1>(pixel, channel);
            channel += 1;
        }
    }

    /// Sums `LANES` channels in registers.
    #[inline(always)]
    fn write_block<const LANES: usize>(&self, pixel: &mut [T], channel: usize) {
        let mut sums = [T::zero(); LANES];
        for row in self.row_links {
            for column in self.column_links {
                let source =
                    &self.image[(row.source * self.width + column.source) * self.channels + channel..][..LANES];
                let taps = &self.taps[(row.tap * self.kernel_width + column.tap) * self.channels + channel..][..LANES];
                for lane in 0..LANES {
                    sums[lane] += source[lane] * taps[lane];
                }
            }
        }
        pixel[channel..][..LANES].copy_from_slice(&sums);
    }
}

/// Sums, for each tap, the products of what it read and the gradient of where it was written.
fn correlate<T: Float>(x: &Tensor, gradient: &Tensor, sliding: &Sliding) -> Result<Vec<T>> {
    /// Rows of the output that one thread sums before its part is added to the others'.
    const ROWS_AT_ONCE: usize = 16;
    let Sliding { channels, rows, columns, .. } = *sliding;
    let row_links = rows.forward();
    let pairs = pairs_by_tap(&columns);
    let size = rows.kernel * columns.kernel * channels;
    with_values([x, gradient], |[x, gradient]| {
        let (image_length, row_length) = (rows.length * columns.length * channels, columns.out_length * channels);
        let parts: Vec<Vec<T>> = gradient
            .par_chunks((ROWS_AT_ONCE * row_length).max(1))
            .enumerate()
            .map(|(part, gradients)| {
                let mut sums = vec![T::zero(); size];
                for (row, gradient) in gradients.chunks_exact(row_length).enumerate() {
                    let row = part * ROWS_AT_ONCE + row;
                    let image = &x[row / rows.out_length * image_length..][..image_length];
                    for link in &row_links[row % rows.out_length] {
                        let source = &image[link.source * columns.length * channels..][..columns.length * channels];
                        for (tap, pairs) in pairs.iter().enumerate() {
                            let sums = &mut sums[(link.tap * columns.kernel + tap) * channels..][..channels];
                            vectorized(
                                #[inline(always)]
                                || add_products(source, gradient, pairs, sums),
                            );
                        }
                    }
                }
                sums
            })
            .collect();
        let mut total = vec![T::zero(); size];
        for part in &parts {
            for (total, &part) in total.iter_mut().zip(part) {
                *total += part;
            }
        }
        Ok(total)
    })
}

/// For each tap, the pairs of positions in the input and the output that it joins.
fn pairs_by_tap(axis: &Axis) -> Vec<Vec<(usize, usize)>> {
    let mut pairs = vec![Vec::new(); axis.kernel];
    for (out, links) in axis.forward().iter().enumerate() {
        for link in links {
            pairs[link.tap].push((link.source, out));
        }
    }
    pairs
}

#[inline(always)]
fn add_products<T: Float>(source: &[T], gradient: &[T], pairs: &[(usize, usize)], sums: &mut [T]) {
    let channels = sums.len();
    let mut channel = 0;
    while channel + 32 <= channels {
        add_block::<T, 32>(source, gradient, pairs, sums, channel);
        channel += 32;
    }
    while channel + 8 <= channels {
        add_block::<T, 8>(source, gradient, pairs, sums, channel);
        channel += 8;
    }
    while channel < channels {
        add_block::<T, 1>(source, gradient, pairs, sums, channel);
        channel += 1;
    }
}

#[inline(always)]
fn add_block<T: Float, const LANES: usize>(
    source: &[T],
    gradient: &[T],
    pairs: &[(usize, usize)],
    sums: &mut [T],
    channel: usize,
) {
    let channels = sums.len();
    let mut block = [T::zero(); LANES];
    for &(from, to) in pairs {
        let source = &source[from * channels + channel..][..LANES];
        let gradient = &gradient[to * channels + channel..][..LANES];
        for lane in 0..LANES {
            block[lane] += source[lane] * gradient[lane];
        }
    }
    for (sum, &block) in sums[channel..][..LANES].iter_mut().zip(&block) {
        *sum += block;
    }
}
