//! Every layer in every instruction set against the reference, on odd shapes.

mod reference;

use proptest::prelude::*;
use reference::{Image, Numbers, absolute_terms, compare, compare_relative_to};
use runtime::{Activation, Convolution, MapShape, Padding, SqueezeExcite, Window};

fn channels() -> impl Strategy<Value = usize> {
    prop::sample::select(vec![1, 3, 16, 17, 24, 33, 64, 70])
}

fn activation() -> impl Strategy<Value = Activation> {
    prop::sample::select(vec![
        Activation::Identity,
        Activation::Relu,
        Activation::Relu6,
        Activation::Silu,
        Activation::Gelu,
        Activation::Sigmoid,
    ])
}

/// Describes a convolution of weights and a bias.
fn convolution((weight, bias): &(Vec<f32>, Vec<f32>), window: Window, activation: Activation) -> Convolution<'_> {
    Convolution { weight, bias, channels_out: bias.len(), window, activation }
}

/// Draws a window and a map that it fits into.
fn window_and_size(kernels: &'static [usize]) -> impl Strategy<Value = (Window, usize, usize)> {
    (prop::sample::select(kernels), 1..=2usize).prop_flat_map(|(kernel, stride)| {
        let side = 0..kernel;
        (side.clone(), side.clone(), side.clone(), side, kernel..=20.max(kernel), kernel..=37).prop_map(
            move |(top, bottom, left, right, height, width)| {
                let padding = Padding { top, bottom, left, right };
                // Smaller than the window, where the padding makes up for it.
                let (height, width) = ((height - top.min(bottom)).max(1), (width - left.min(right)).max(1));
                (Window { kernel, stride, padding }, height, width)
            },
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn convolutions((window, height, width) in window_and_size(&[1, 2, 3, 4, 7]), input in channels(), out in channels(),
                    activation in activation(), count in 1..=3usize, seed: u64) {
        let mut numbers = Numbers::new(seed);
        let terms = input * window.kernel * window.kernel;
        let weight = numbers.weights(out * terms, terms);
        let bias = numbers.take(out, 1.0);
        let layer = Convolution { weight: &weight, bias: &bias, channels_out: out, window, activation };
        compare_relative_to(MapShape::new(input, height, width), count, seed,
            |network, frames| network.convolution(frames, layer),
            |frame| reference::convolution(frame, &weight, &bias, window, activation),
            |frame| absolute_terms(frame, &weight, &bias, window));
    }

    #[test]
    fn convolutions_of_inner_maps((window, height, width) in window_and_size(&[1, 2, 3]), input in channels(),
                                  out in channels(), count in 1..=5usize, seed: u64) {
        let mut numbers = Numbers::new(seed);
        let terms = input * window.kernel * window.kernel;
        let first = numbers.weights(input * 3, 3);
        let weight = numbers.weights(out * terms, terms);
        let (first_bias, bias) = (numbers.take(input, 1.0), numbers.take(out, 1.0));
        let (one, relu) = (Window::pointwise(), Activation::Relu);
        let before = Convolution { weight: &first, bias: &first_bias, channels_out: input, window: one, activation: relu };
        let layer = Convolution { weight: &weight, bias: &bias, channels_out: out, window, activation: relu };
        compare(MapShape::new(3, height, width), count, seed,
            |network, frames| {
                let inner = network.convolution(frames, before)?;
                network.convolution(inner, layer)
            },
            |frame| {
                let inner = reference::convolution(frame, &first, &first_bias, one, relu);
                reference::convolution(&inner, &weight, &bias, window, relu)
            });
    }

    #[test]
    fn depthwise_convolutions((window, height, width) in window_and_size(&[1, 2, 3, 5, 7]), channels in channels(),
                              activation in activation(), relu_first: bool, count in 1..=3usize, seed: u64) {
        let mut numbers = Numbers::new(seed);
        let terms = window.kernel * window.kernel;
        let weight = numbers.weights(channels * terms, terms);
        let bias = numbers.take(channels, 1.0);
        let layer = Convolution { weight: &weight, bias: &bias, channels_out: channels, window, activation };
        compare(MapShape::new(channels, height, width), count, seed,
            |network, frames| {
                let input = if relu_first { network.activation(frames, Activation::Relu)? } else { frames };
                network.depthwise(input, layer)
            },
            |frame| {
                let input = if relu_first { frame.map(|x| x.max(0.0)) } else { frame.clone() };
                reference::depthwise(&input, &weight, &bias, window, activation)
            });
    }

    #[test]
    fn inverted_bottlenecks((window, height, width) in window_and_size(&[3, 5]), input in channels(), inside in channels(),
                            out in channels(), activation in activation(), count in 1..=5usize, seed: u64) {
        let mut numbers = Numbers::new(seed);
        let squeezed = inside.div_ceil(4);
        let taps = window.kernel * window.kernel;
        let expand = (numbers.weights(inside * input, input), numbers.take(inside, 1.0));
        let depthwise = (numbers.weights(inside * taps, taps), numbers.take(inside, 1.0));
        let reduce = (numbers.weights(squeezed * inside, inside), numbers.take(squeezed, 1.0));
        let widen = (numbers.weights(inside * squeezed, squeezed), numbers.take(inside, 1.0));
        let project = (numbers.weights(out * inside, inside), numbers.take(out, 1.0));
        let one = Window::pointwise();
        // Large enough for the rows between to be a ring.
        compare(MapShape::new(input, 3 * height, 2 * width), count, seed,
            |network, frames| {
                let x = network.convolution(frames, convolution(&expand, one, activation))?;
                let x = network.depthwise(x, convolution(&depthwise, window, activation))?;
                let x = network.squeeze_excite(x, SqueezeExcite {
                    reduce_weight: &reduce.0,
                    reduce_bias: &reduce.1,
                    activation: Activation::Silu,
                    expand_weight: &widen.0,
                    expand_bias: &widen.1,
                })?;
                network.convolution(x, convolution(&project, one, Activation::Identity))
            },
            |frame| {
                let x = reference::convolution(frame, &expand.0, &expand.1, one, activation);
                let x = reference::depthwise(&x, &depthwise.0, &depthwise.1, window, activation);
                let means = reference::global_average(&x);
                let gates = reference::convolution(&means, &reduce.0, &reduce.1, one, Activation::Silu);
                let gates = reference::convolution(&gates, &widen.0, &widen.1, one, Activation::Sigmoid);
                reference::convolution(&reference::scale(&x, &gates), &project.0, &project.1, one, Activation::Identity)
            });
    }

    #[test]
    fn separable_blocks_with_a_shortcut((window, height, width) in window_and_size(&[3]), input in channels(),
                                        out in channels(), activation in activation(), count in 1..=5usize, seed: u64) {
        // Large enough for several bands at times, and small enough for none.
        let shape = MapShape::new(input, height * 2, width * 2);
        let mut numbers = Numbers::new(seed);
        let depthwise = (numbers.weights(input * 9, 9), numbers.take(input, 1.0));
        let project = (numbers.weights(out * input, input), numbers.take(out, 1.0));
        let shortcut = (numbers.weights(out * input, input), numbers.take(out, 1.0));
        let one = Window::pointwise();
        let strided = Window { kernel: 3, ..window };
        let plain = Window { stride: window.stride, ..one };
        // The shortcut's windows must be as many as those of the 3x3 convolution.
        let strided = Window { padding: Padding::same(shape.height, shape.width, 3, window.stride), ..strided };
        let (first, second) = (Activation::Identity, activation);
        compare(shape, count, seed,
            |network, frames| {
                let skip = network.convolution(frames, convolution(&shortcut, plain, first))?;
                let x = network.activation(frames, Activation::Relu)?;
                let x = network.depthwise(x, convolution(&depthwise, strided, activation))?;
                let x = network.convolution(x, convolution(&project, one, first))?;
                network.add(x, skip, second)
            },
            |frame| {
                let skip = reference::convolution(frame, &shortcut.0, &shortcut.1, plain, first);
                let x = frame.map(|x| x.max(0.0));
                let x = reference::depthwise(&x, &depthwise.0, &depthwise.1, strided, activation);
                let x = reference::convolution(&x, &project.0, &project.1, one, first);
                reference::add(&x, &skip, second)
            });
    }

    #[test]
    fn pools((window, height, width) in window_and_size(&[1, 2, 3]), channels in channels(), count in 1..=3usize, seed: u64) {
        let shape = MapShape::new(channels, height, width);
        compare(shape, count, seed, |network, frames| network.max_pool(frames, window),
            |frame| reference::max_pool(frame, window));
        if height >= window.kernel && width >= window.kernel {
            compare(shape, count, seed, |network, frames| network.average_pool(frames, window.kernel, window.stride),
                |frame| reference::average_pool(frame, window.kernel, window.stride));
        }
        compare(shape, count, seed, |network, frames| network.global_average(frames), reference::global_average);
    }

    #[test]
    fn norms_and_sums(channels in channels(), height in 1..=20usize, width in 1..=20usize, activation in activation(),
                      count in 1..=3usize, seed: u64) {
        let mut numbers = Numbers::new(seed);
        let (scale, shift) = (numbers.take(channels, 1.0), numbers.take(channels, 1.0));
        let shape = MapShape::new(channels, height, width);
        compare(shape, count, seed, |network, frames| network.affine(frames, &scale, &shift, activation),
            |frame| reference::affine(frame, &scale, &shift, activation));
        if channels > 1 {
            compare(shape, count, seed, |network, frames| network.layer_norm(frames, &scale, &shift, 1e-3),
                |frame| reference::layer_norm(frame, &scale, &shift, 1e-3));
        }
        compare(shape, count, seed,
            |network, frames| {
                let other = network.affine(frames, &scale, &shift, Activation::Identity)?;
                let both = network.concatenate(&[frames, other])?;
                network.add(both, both, activation)
            },
            |frame| {
                let other = reference::affine(frame, &scale, &shift, Activation::Identity);
                let both = reference::concatenate(&[frame, &other]);
                reference::add(&both, &both, activation)
            });
    }
}

#[test]
fn weights_of_the_wrong_length_are_named() {
    let (mut network, frames) = runtime::NetworkBuilder::new(MapShape::new(3, 8, 8)).unwrap();
    let layer = Convolution {
        weight: &[0.0; 26],
        bias: &[],
        channels_out: 1,
        window: Window::symmetric(3, 1, 1),
        activation: Activation::Identity,
    };
    let error = network.convolution(frames, layer).unwrap_err();
    assert_eq!(error.to_string(), "convolution: weight has 26 numbers and should have 27");
    let far = Window { kernel: 9, ..Window::pointwise() };
    assert!(network.max_pool(frames, far).is_err());
    assert!(network.scale(frames, frames).is_err());
}

#[test]
fn an_image_may_be_the_output() {
    compare(MapShape::new(3, 5, 7), 2, 1, |_, frames| Ok(frames), Image::clone);
}
