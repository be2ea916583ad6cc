//! Resizing along the width, then along the height, with given weights.

use std::ops::AddAssign;

use super::taps::Taps;
use crate::pixels::ImageView;

/// Resizes in floating point, without rounding.
pub(super) fn float(
    view: &ImageView<'_>,
    channel: impl Fn(&[u8; 3]) -> u8,
    across: &[Taps<f32>],
    down: &[Taps<f32>],
) -> Vec<f32> {
    // Compiled once more for machines with wider vectors.
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || {
            let narrowed = narrow(view, channel, across, |pixel, weight| f32::from(pixel) * weight, |sum| sum);
            shorten(&narrowed, across.len(), down, |pixel, weight| pixel * weight, |sum: f32| sum)
        },
    )
}

/// Resizes with weights of 22 fractional bits and rounds to whole pixels after each direction, as Pillow does.
///
/// Because of the rounding it matters which direction comes first. Up to version 12 Pillow always narrowed first; version
/// 13 shortens an image first that loses more than twice as many rows as columns, and so do we.
pub(super) fn fixed_point(
    view: &ImageView<'_>,
    channel: impl Fn(&[u8; 3]) -> u8,
    across: &[Taps<f64>],
    down: &[Taps<f64>],
) -> Vec<u8> {
    /// 32 less 8 for the pixel and 2 to spare.
    const FRACTION_BITS: u32 = 22;
    let fixed = |weight: f64| (weight * f64::from(1u32 << FRACTION_BITS) + 0.5) as i32;
    let across: Vec<Taps<i32>> = across.iter().map(|taps| taps.map(fixed)).collect();
    let down: Vec<Taps<i32>> = down.iter().map(|taps| taps.map(fixed)).collect();
    let times = |pixel: u8, weight: i32| i32::from(pixel) * weight;
    // Weights are not negative and sum up to one, give or take the last bit of each.
    let round = |sum: i32| ((sum + (1 << (FRACTION_BITS - 1))) >> FRACTION_BITS).clamp(0, 255) as u8;
    let (width, height) = (across.len(), down.len());
    // Compiled once more for machines with wider vectors.
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || {
            if view.height > height && view.height - height + 2 * width > 2 * view.width {
                let pixels: Vec<u8> = (0..view.height).flat_map(|y| view.row(y)).map(channel).collect();
                let shortened = shorten(&pixels, view.width, &down, times, round);
                return narrow(&ImageView::whole(&shortened, view.width), |&pixel| pixel, &across, times, round);
            }
            let narrowed = narrow(view, channel, &across, times, round);
            shorten(&narrowed, width, &down, times, round)
        },
    )
}

/// Brings every row to `taps.len()` pixels; the height stays.
///
/// Eight rows are turned into columns of eight first, so that one weight goes to eight neighbors in memory: that is
/// what the compiler turns into vector instructions.
#[inline(always)]
pub(super) fn narrow<P, S, W, R>(
    view: &ImageView<'_, P>,
    channel: impl Fn(&P) -> u8,
    taps: &[Taps<W>],
    times: impl Fn(u8, W) -> S,
    round: impl Fn(S) -> R,
) -> Vec<R>
where
    S: Copy + Default + AddAssign,
    W: Copy,
    R: Copy + Default,
{
    const ROWS: usize = 8;
    let width = taps.len();
    let mut targets = vec![R::default(); width * view.height];
    let mut columns = vec![[0u8; ROWS]; view.width];
    for (band, targets) in targets.chunks_mut(width * ROWS).enumerate() {
        for half in [0, ROWS / 2] {
            // Past the last row the last one stands in; its results have no place to go to.
            let row = |at: usize| view.row((band * ROWS + half + at).min(view.height - 1));
            let four = row(0).iter().zip(row(1)).zip(row(2)).zip(row(3));
            for (column, (((first, second), third), fourth)) in columns.iter_mut().zip(four) {
                let pixels = [channel(first), channel(second), channel(third), channel(fourth)];
                column[half..half + ROWS / 2].copy_from_slice(&pixels);
            }
        }
        for (x, taps) in taps.iter().enumerate() {
            let mut sums = [S::default(); ROWS];
            for (column, &weight) in columns[taps.first..].iter().zip(&taps.weights) {
                for (sum, &pixel) in sums.iter_mut().zip(column) {
                    *sum += times(pixel, weight);
                }
            }
            for (row, &sum) in targets.chunks_exact_mut(width).zip(&sums) {
                row[x] = round(sum);
            }
        }
    }
    targets
}

/// Brings `rows` of `width` pixels each to `taps.len()` rows.
#[inline(always)]
pub(super) fn shorten<P, S, W, R>(
    rows: &[P],
    width: usize,
    taps: &[Taps<W>],
    times: impl Fn(P, W) -> S,
    round: impl Fn(S) -> R,
) -> Vec<R>
where
    P: Copy,
    S: Copy + Default + AddAssign,
    W: Copy,
    R: Copy + Default,
{
    let mut targets = vec![R::default(); width * taps.len()];
    let mut sums = vec![S::default(); width];
    for (target, taps) in targets.chunks_exact_mut(width).zip(taps) {
        sums.fill(S::default());
        for (row, &weight) in rows.chunks_exact(width).skip(taps.first).zip(&taps.weights) {
            for (sum, &pixel) in sums.iter_mut().zip(row) {
                *sum += times(pixel, weight);
            }
        }
        for (target, &sum) in target.iter_mut().zip(&sums) {
            *target = round(sum);
        }
    }
    targets
}
