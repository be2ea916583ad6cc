//! OpenCV's INTER_LINEAR and INTER_AREA on bytes, to the last bit.

use super::separable::{self, narrow};
use super::taps::Taps;
use crate::pixels::ImageView;

/// The weights' fractional bits.
const FRACTION_BITS: u32 = 11;

/// The fixed-point weights of two neighboring source pixels.
struct Pair {
    /// The first one; it may lie one before the line, which stands for the line's first pixel.
    first: isize,
    weights: [i32; 2],
}

/// INTER_LINEAR: the two nearest pixels, however much the image shrinks; by exactly two it is [`area`], as in OpenCV.
pub(super) fn linear(
    view: &ImageView<'_>,
    channel: impl Fn(&[u8; 3]) -> u8,
    (height, width): (usize, usize),
) -> Vec<u8> {
    if view.height == 2 * height && view.width == 2 * width {
        return area(view, channel, (height, width));
    }
    let position = |pixel: usize, source: usize, target: usize| {
        let scale = 1.0 / (target as f64 / source as f64);
        let position = ((pixel as f64 + 0.5) * scale - 0.5) as f32;
        (position.floor() as isize, position - position.floor())
    };
    two_nearest(view, channel, &pairs(view.width, width, position), &pairs(view.height, height, position))
}

/// INTER_AREA: the mean over each target pixel's area where the image shrinks both ways, else a variant of linear.
pub(super) fn area(view: &ImageView<'_>, channel: impl Fn(&[u8; 3]) -> u8, (height, width): (usize, usize)) -> Vec<u8> {
    if view.width < width || view.height < height {
        let position = |pixel: usize, source: usize, target: usize| {
            let inverse = target as f64 / source as f64;
            let first = (pixel as f64 * (1.0 / inverse)).floor();
            let rest = ((pixel as f64 + 1.0) - (first + 1.0) * inverse) as f32;
            (first as isize, if rest <= 0.0 { 0.0 } else { rest - rest.floor() })
        };
        return two_nearest(view, channel, &pairs(view.width, width, position), &pairs(view.height, height, position));
    }
    if view.width.is_multiple_of(width) && view.height.is_multiple_of(height) {
        return whole_areas(view, channel, (height, width));
    }
    let means = separable::float(view, channel, &shares(view.width, width), &shares(view.height, height));
    means.into_iter().map(|value| value.round_ties_even() as u8).collect()
}

/// Areas of whole pixels: their sum in integers, divided at the end.
fn whole_areas(view: &ImageView<'_>, channel: impl Fn(&[u8; 3]) -> u8, (height, width): (usize, usize)) -> Vec<u8> {
    let ones = |source: usize, target: usize| -> Vec<Taps<i32>> {
        let side = source / target;
        (0..target).map(|pixel| Taps { first: pixel * side, weights: vec![1; side] }).collect()
    };
    let narrowed = narrow(view, channel, &ones(view.width, width), |pixel, _| i32::from(pixel), |sum| sum);
    let sums = separable::shorten(&narrowed, width, &ones(view.height, height), |pixel, _| pixel, |sum: i32| sum);
    let (across, down) = (view.width / width, view.height / height);
    let part = 1.0 / (across * down) as f32;
    let mean =
        |sum: i32| if (across, down) == (2, 2) { (sum + 2) >> 2 } else { (sum as f32 * part).round_ties_even() as i32 };
    sums.into_iter().map(|sum| mean(sum).clamp(0, 255) as u8).collect()
}

/// Each source pixel's share of the target pixels' areas.
fn shares(source: usize, target: usize) -> Vec<Taps<f32>> {
    /// A share below this is not counted.
    const LEAST: f64 = 1e-3;
    let scale = 1.0 / (target as f64 / source as f64);
    (0..target)
        .map(|pixel| {
            let (from, to) = (pixel as f64 * scale, pixel as f64 * scale + scale);
            let side = scale.min(source as f64 - from);
            let end = (to.floor() as usize).min(source - 1);
            let start = (from.ceil() as usize).min(end);
            let mut weights = Vec::with_capacity(end - start + 2);
            let mut first = start;
            if start as f64 - from > LEAST {
                first = start - 1;
                weights.push(((start as f64 - from) / side) as f32);
            }
            weights.extend(std::iter::repeat_n((1.0 / side) as f32, end - start));
            if to - end as f64 > LEAST {
                weights.push(((to - end as f64).min(1.0).min(side) / side) as f32);
            }
            Taps { first, weights }
        })
        .collect()
}

fn pairs(source: usize, target: usize, position: impl Fn(usize, usize, usize) -> (isize, f32)) -> Vec<Pair> {
    let one = (1 << FRACTION_BITS) as f32;
    let fixed = |weight: f32| (weight * one).round_ties_even() as i32;
    (0..target)
        .map(|pixel| {
            let (first, second_weight) = position(pixel, source, target);
            Pair { first, weights: [fixed(1.0 - second_weight), fixed(second_weight)] }
        })
        .collect()
}

fn two_nearest(view: &ImageView<'_>, channel: impl Fn(&[u8; 3]) -> u8, across: &[Pair], down: &[Pair]) -> Vec<u8> {
    let last = view.width - 1;
    // Beside the first or last pixel that pixel has all the weight.
    let taps: Vec<Taps<i32>> = across
        .iter()
        .map(|pair| match usize::try_from(pair.first) {
            Ok(first) if first < last => Taps { first, weights: pair.weights.to_vec() },
            Ok(_) => Taps { first: last, weights: vec![1 << FRACTION_BITS] },
            Err(_) => Taps { first: 0, weights: vec![1 << FRACTION_BITS] },
        })
        .collect();
    let narrowed = narrow(view, channel, &taps, |pixel, weight| i32::from(pixel) * weight, |sum| sum);
    let row = |at: isize| {
        let at = at.clamp(0, view.height as isize - 1) as usize;
        &narrowed[at * across.len()..(at + 1) * across.len()]
    };
    // OpenCV drops bits of both factors to stay within 32 bits.
    let part = |value: i32, weight: i32| (weight * (value >> 4)) >> 16;
    down.iter()
        .flat_map(|pair| {
            let both = row(pair.first).iter().zip(row(pair.first + 1));
            both.map(|(&upper, &lower)| {
                let sum = part(upper, pair.weights[0]) + part(lower, pair.weights[1]);
                ((sum + 2) >> 2).clamp(0, 255) as u8
            })
        })
        .collect()
}
