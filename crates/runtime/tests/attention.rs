//! Layers of transformers in every instruction set against the reference, on odd shapes.

mod reference;

use proptest::prelude::*;
use reference::{Image, Numbers, compare};
use runtime::{Activation, Attention, Map, MapShape, NetworkBuilder, OTHER_REGION, TokenWindow};

/// Cuts a map into windows of `side` x `side` over a map; tokens of one row of the image in two are of another region.
fn windows(height: usize, width: usize, side: usize, has_regions: bool) -> Vec<TokenWindow> {
    let (rows, columns) = (height.div_ceil(side), width.div_ceil(side));
    let window = |index: usize| {
        let place = |token: usize| (index / columns * side + token / side, index % columns * side + token % side);
        let pixel = |(y, x): (usize, usize)| (y < height && x < width).then_some(y * width + x);
        let regions = (0..side * side).map(|token| (place(token).0 % 2) as u8);
        TokenWindow {
            pixels: (0..side * side).map(|token| pixel(place(token))).collect(),
            regions: if has_regions && index.is_multiple_of(2) { regions.collect() } else { Vec::new() },
        }
    };
    (0..rows * columns).map(window).collect()
}

/// Returns one window over all pixels.
fn whole(pixels: usize) -> Vec<TokenWindow> {
    vec![TokenWindow { pixels: (0..pixels).map(Some).collect(), regions: Vec::new() }]
}

fn attention(input: &Image, layer: &Attention<'_>) -> Image {
    let MapShape { channels, height, width } = input.shape;
    let heads = layer.scales.len();
    let head_width = channels / 3 / heads;
    let number = |pixel: Option<usize>, channel: usize| match pixel {
        Some(pixel) => input.at(channel, pixel / width, pixel % width),
        None => layer.beyond.get(channel).copied().map_or(0.0, f64::from),
    };
    let mut output = Image::from_fn(MapShape::new(channels / 3, height, width), |_, _, _| 0.0);
    for (window, head) in layer.windows.iter().flat_map(|window| (0..heads).map(move |head| (window, head))) {
        let row = |part: usize, pixel: Option<usize>| -> Vec<f64> {
            let row: Vec<f64> =
                (0..head_width).map(|place| number(pixel, part * channels / 3 + head * head_width + place)).collect();
            let length = row.iter().map(|number| number * number).sum::<f64>().sqrt().max(1e-12);
            if layer.normalize_queries_and_keys && part < 2 {
                row.iter().map(|number| number / length).collect()
            } else {
                row
            }
        };
        let tokens = window.pixels.len();
        for (own, &pixel) in window.pixels.iter().enumerate() {
            let query = row(0, pixel);
            let score = |other: usize| {
                let key = row(1, window.pixels[other]);
                let product: f64 = query.iter().zip(key).map(|(query, key)| query * key).sum();
                let bias = layer.bias.get((head * tokens + own) * tokens + other).copied().map_or(0.0, f64::from);
                let is_hidden = !window.regions.is_empty() && window.regions[own] != window.regions[other];
                product * f64::from(layer.scales[head]) + bias + if is_hidden { f64::from(OTHER_REGION) } else { 0.0 }
            };
            let scores: Vec<f64> = (0..tokens).map(score).collect();
            let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let weights: Vec<f64> = scores.iter().map(|score| (score - largest).exp()).collect();
            let sum: f64 = weights.iter().sum();
            let Some(pixel) = pixel else { continue };
            for place in 0..head_width {
                let channel = head * head_width + place;
                let values = window.pixels.iter().map(|&other| number(other, 2 * channels / 3 + channel));
                let mixed: f64 = values.zip(&weights).map(|(value, weight)| value * weight).sum();
                output.numbers[channel * height * width + pixel] = mixed / sum;
            }
        }
    }
    output
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn attention_over_the_whole_map(height in 1..=3usize, width in 1..=70usize, heads in 1..=3usize,
                                    head_width in prop::sample::select(vec![16, 32, 48, 64, 80]), normalize_queries_and_keys: bool,
                                    has_bias: bool, count in 1..=5usize, seed: u64) {
        let mut numbers = Numbers::new(seed);
        let tokens = height * width;
        let scales = numbers.take(heads, if normalize_queries_and_keys { 5.0 } else { 0.3 });
        let bias = numbers.take(if has_bias { heads * tokens * tokens } else { 0 }, 2.0);
        let windows = whole(tokens);
        let layer = Attention { windows: &windows, scales: &scales, normalize_queries_and_keys, bias: &bias, beyond: &[] };
        compare(MapShape::new(3 * heads * head_width, height, width), count, seed,
            |network, frames| network.attention(frames, layer), |frame| attention(frame, &layer));
    }

    #[test]
    fn attention_within_windows(height in 1..=9usize, width in 1..=9usize, side in 1..=5usize, heads in 1..=2usize,
                                has_regions: bool, has_beyond: bool, count in 1..=3usize, seed: u64) {
        let mut numbers = Numbers::new(seed);
        let shape = MapShape::new(3 * heads * 16, height, width);
        let scales = numbers.take(heads, 5.0);
        let bias = numbers.take(heads * side.pow(4), 2.0);
        let beyond = numbers.take(if has_beyond { shape.channels } else { 0 }, 1.0);
        let windows = windows(height, width, side, has_regions);
        let layer = Attention { windows: &windows, scales: &scales, normalize_queries_and_keys: true, bias: &bias, beyond: &beyond };
        compare(shape, count, seed, |network, frames| network.attention(frames, layer), |frame| attention(frame, &layer));
    }

    #[test]
    fn tokens_and_back(channels in 1..=40usize, height in 1..=9usize, width in 1..=9usize, count in 1..=3usize, seed: u64) {
        let mut numbers = Numbers::new(seed);
        let shape = MapShape::new(channels, height, width);
        let pixels = shape.pixels();
        let terms = numbers.take((pixels + 1) * channels, 1.0);
        let term = |token: usize, channel: usize| f64::from(terms[token * channels + channel]);
        compare(shape, count, seed, |network, frames| network.prepend_token(frames, &terms), |frame| {
            Image::from_fn(MapShape::new(channels, 1, pixels + 1), |channel, _, token| {
                let number = token.checked_sub(1).map_or(0.0, |pixel| frame.at(channel, pixel / width, pixel % width));
                number + term(token, channel)
            })
        });
        let first = pixels / 3;
        compare(shape, count, seed, |network, frames| network.pixels(frames, first, (1, pixels - first)), |frame| {
            Image::from_fn(MapShape::new(channels, 1, pixels - first), |channel, _, pixel| {
                frame.at(channel, (first + pixel) / width, (first + pixel) % width)
            })
        });
    }

    #[test]
    fn norms_that_are_added(channels in 2..=70usize, height in 1..=20usize, width in 1..=20usize, count in 1..=3usize,
                            seed: u64) {
        let mut numbers = Numbers::new(seed);
        let (scale, shift) = (numbers.take(channels, 1.0), numbers.take(channels, 1.0));
        compare(MapShape::new(channels, height, width), count, seed,
            |network, frames| {
                let normal = network.layer_norm(frames, &scale, &shift, 1e-3)?;
                network.add(frames, normal, Activation::Identity)
            },
            |frame| reference::add(frame, &reference::layer_norm(frame, &scale, &shift, 1e-3), Activation::Identity));
    }
}

#[test]
fn attention_that_does_not_fit_is_refused() {
    let shape = MapShape::new(96, 2, 2);
    let with = |windows: &[TokenWindow], heads: usize| -> runtime::Result<Map> {
        let (mut network, frames) = NetworkBuilder::new(shape)?;
        let scales = vec![1.0; heads];
        network.attention(
            frames,
            Attention { windows, scales: &scales, normalize_queries_and_keys: false, bias: &[], beyond: &[] },
        )
    };
    assert!(with(&whole(4), 2).is_ok());
    let problems = [
        with(&whole(4), 4).unwrap_err(),
        with(&whole(4), 5).unwrap_err(),
        with(&whole(3), 2).unwrap_err(),
        with(&whole(5), 2).unwrap_err(),
        with(&[whole(4), whole(4)].concat(), 2).unwrap_err(),
        with(&[whole(4), whole(0)].concat(), 2).unwrap_err(),
        with(&[], 2).unwrap_err(),
    ];
    let messages = problems.map(|problem| problem.to_string());
    assert!(messages[0].contains("heads of 8 channels"), "{}", messages[0]);
    assert!(messages[1].contains("5 heads of 96 channels"), "{}", messages[1]);
    assert!(messages[2].contains("pixel 3 is in no window"), "{}", messages[2]);
    assert!(messages[3].contains("pixel 4 of 4"), "{}", messages[3]);
    assert!(messages[4].contains("pixel 0 is in two windows"), "{}", messages[4]);
    assert!(messages[5].contains("windows of 4 tokens"), "{}", messages[5]);
    assert!(messages[6].contains("pixel 0 is in no window"), "{}", messages[6]);
}
