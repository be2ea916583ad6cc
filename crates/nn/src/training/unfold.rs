//! Standard convolution as a matrix product: the pixels under each position of the window laid out in one row, and back.

use candle_core::{Result, Tensor};
use rayon::prelude::*;

use super::axis::Sliding;
use super::float::{Float, for_float, tensor, with_values};

/// The channels of the input that one group of filters reads.
#[derive(Debug, Clone, Copy)]
pub(super) struct Channels {
    pub(super) first: usize,
    pub(super) count: usize,
}

/// Lays `x` [N, H, W, C] out as [N * H' * W', kh * kw * channels.count], zero where the window is outside the image.
pub(super) fn unfold(x: &Tensor, sliding: &Sliding, channels: Channels) -> Result<Tensor> {
    for_float!(x, T => unfold_values::<T>(x, sliding, channels))
}

/// Sums `folded` [N * H' * W', kh * kw * channels.count] back to where [`unfold`] took it from: [N, H, W, channels.count].
pub(super) fn fold(folded: &Tensor, sliding: &Sliding, channels: Channels) -> Result<Tensor> {
    for_float!(folded, T => fold_values::<T>(folded, sliding, channels))
}

fn unfold_values<T: Float>(x: &Tensor, sliding: &Sliding, channels: Channels) -> Result<Tensor> {
    let (rows, columns) = (sliding.rows.forward(), sliding.columns.forward());
    let taps = sliding.rows.kernel * sliding.columns.kernel;
    let row_length = columns.len() * taps * channels.count;
    let width = sliding.columns.length;
    let mut folded = vec![T::zero(); sliding.batch * rows.len() * row_length];
    with_values([x], |[x]| {
        folded.par_chunks_mut(row_length.max(1)).enumerate().for_each(|(row, folded)| {
            let image = row / rows.len() * sliding.rows.length;
            for (pixel, column_links) in folded.chunks_exact_mut(taps * channels.count).zip(&columns) {
                for row_link in &rows[row % rows.len()] {
                    for column_link in column_links {
                        let tap = row_link.tap * sliding.columns.kernel + column_link.tap;
                        let source = (image + row_link.source) * width + column_link.source;
                        pixel[tap * channels.count..][..channels.count]
                            .copy_from_slice(&x[source * sliding.channels + channels.first..][..channels.count]);
                    }
                }
            }
        });
        Ok(())
    })?;
    tensor(folded, (sliding.batch * rows.len() * columns.len(), taps * channels.count))
}

fn fold_values<T: Float>(folded: &Tensor, sliding: &Sliding, channels: Channels) -> Result<Tensor> {
    let (rows, columns) = (sliding.rows.backward(), sliding.columns.backward());
    let taps = sliding.rows.kernel * sliding.columns.kernel;
    let row_length = columns.len() * channels.count;
    let mut x = vec![T::zero(); sliding.batch * rows.len() * row_length];
    with_values([folded], |[folded]| {
        x.par_chunks_mut(row_length.max(1)).enumerate().for_each(|(row, x)| {
            let image = row / rows.len() * sliding.rows.out_length;
            for (pixel, column_links) in x.chunks_exact_mut(channels.count).zip(&columns) {
                for row_link in &rows[row % rows.len()] {
                    for column_link in column_links {
                        let tap = row_link.tap * sliding.columns.kernel + column_link.tap;
                        let position = (image + row_link.source) * sliding.columns.out_length + column_link.source;
                        let source = &folded[(position * taps + tap) * channels.count..][..channels.count];
                        for (sum, &source) in pixel.iter_mut().zip(source) {
                            *sum += source;
                        }
                    }
                }
            }
        });
        Ok(())
    })?;
    tensor(x, (sliding.batch, rows.len(), columns.len(), channels.count))
}
