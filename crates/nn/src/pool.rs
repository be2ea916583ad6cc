use candle_core::{D, Tensor};

use crate::half::in_single;
use crate::{Padding, Result};

/// Averages `x` [N, C, H, W] over the image to [N, C].
///
/// # Errors
/// The shapes do not fit, or the device fails.
pub fn global_average(x: &Tensor) -> Result<Tensor> {
    in_single(x, |x| Ok(x.flatten_from(2)?.mean(D::Minus1)?))
}

/// Takes the largest value of each `kernel` x `kernel` window of `x` [N, C, H, W]; pixels outside the image never win.
///
/// Built of shifted views, since Candle's own pooling has neither padding nor overlap with padding.
///
/// # Errors
/// The shapes do not fit, or the device fails.
pub fn max_pool(x: &Tensor, kernel: usize, stride: usize, padding: Padding) -> Result<Tensor> {
    let (_, _, height, width) = x.dims4()?;
    let out_height = output_length(height + padding.top + padding.bottom, kernel, stride)?;
    let out_width = output_length(width + padding.left + padding.right, kernel, stride)?;
    let rows = pooled_axis(x, 2, (out_height, kernel, stride, padding.top))?;
    pooled_axis(&rows, 3, (out_width, kernel, stride, padding.left))
}

/// Averages `x` [N, C, H, W] over windows of 2 x 2 without overlap; an odd last row or column is dropped.
///
/// # Errors
/// The shapes do not fit, or the device fails.
pub fn average_pool_2x2(x: &Tensor) -> Result<Tensor> {
    Ok(x.avg_pool2d(2)?)
}

/// Takes the largest value of each 2 x 2 x 2 block of `x` [B, T, C, H, W]; odd last frames, rows or columns are
/// dropped.
///
/// # Errors
/// The shapes do not fit, or the device fails.
pub fn max_pool_2x2x2(x: &Tensor) -> Result<Tensor> {
    let mut pooled = x.clone();
    for axis in [1, 3, 4] {
        pooled = pooled_axis(&pooled, axis, (x.dim(axis)? / 2, 2, 2, 0))?;
    }
    Ok(pooled)
}

/// Returns the positions of a window along a padded length.
pub(crate) fn output_length(padded_length: usize, kernel: usize, stride: usize) -> candle_core::Result<usize> {
    match padded_length.checked_sub(kernel) {
        Some(rest) => Ok(rest / stride + 1),
        None => candle_core::bail!("a kernel of {kernel} does not fit a padded length of {padded_length}"),
    }
}

/// Takes the largest of `kernel` neighbors along one axis. The maximum is separable, so two passes of this make a
/// window.
fn pooled_axis(x: &Tensor, axis: usize, (out, kernel, stride, before): (usize, usize, usize, usize)) -> Result<Tensor> {
    let length = x.dim(axis)?;
    let mut largest: Option<Tensor> = None;
    for tap in 0..kernel {
        // A neighbor outside the image is replaced by the nearest one inside the window, which cannot change the
        // maximum.
        let indexes: Vec<u32> = (0..out)
            .map(|position| {
                let window_start = (position * stride).saturating_sub(before);
                let window_end =
                    (position * stride + kernel - before.min(position * stride + kernel)).clamp(1, length) - 1;
                let wanted = (position * stride + tap).saturating_sub(before);
                wanted.clamp(window_start.min(length - 1), window_end) as u32
            })
            .collect();
        let indexes = Tensor::new(indexes, x.device())?;
        let shifted = x.index_select(&indexes, axis)?;
        largest = Some(match largest {
            Some(so_far) => so_far.maximum(&shifted)?,
            None => shifted,
        });
    }
    largest.ok_or_else(|| crate::NnError::Shape { layer: "max_pool", problem: "kernel of zero".to_owned() })
}

#[cfg(test)]
mod tests {
    use candle_core::DType;

    use super::*;
    use crate::seeded;

    #[test]
    fn equals_a_plain_loop_over_windows() {
        for (height, width, padding) in [
            (7, 9, Padding::symmetric(1)),
            (8, 6, Padding { top: 0, left: 0, bottom: 1, right: 1 }),
            (5, 5, Padding::symmetric(0)),
        ] {
            let x = (seeded::normal(1, (1, 1, height, width), DType::F32) - 3.0).unwrap();
            let image: Vec<Vec<f32>> = x.squeeze(0).unwrap().squeeze(0).unwrap().to_vec2().unwrap();
            let pooled: Vec<Vec<f32>> =
                max_pool(&x, 3, 2, padding).unwrap().squeeze(0).unwrap().squeeze(0).unwrap().to_vec2().unwrap();
            for (out_y, row) in pooled.iter().enumerate() {
                for (out_x, &value) in row.iter().enumerate() {
                    let mut expected = f32::NEG_INFINITY;
                    for y in 0..3 {
                        for x in 0..3 {
                            let (y, x) =
                                ((out_y * 2 + y).wrapping_sub(padding.top), (out_x * 2 + x).wrapping_sub(padding.left));
                            if y < height && x < width {
                                expected = expected.max(image[y][x]);
                            }
                        }
                    }
                    assert_eq!(value, expected, "{height}x{width} at {out_y},{out_x}");
                }
            }
        }
    }
}
