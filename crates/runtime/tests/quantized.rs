//! Int8 networks against the same in single precision, and the sets against each other.

#![allow(dead_code, reason = "the examples' files have more than is used here")]

#[path = "../examples/encoders/efficientnet.rs"]
mod efficientnet;
#[path = "../examples/encoders/layers.rs"]
mod layers;
#[path = "../examples/encoders/xception.rs"]
mod xception;

use layers::Layers;
use proptest::prelude::*;
use runtime::{
    Activation, Convolution, InputRange, InstructionSet, Map, MapShape, NetworkBuilder, Padding, Result, RuntimeError,
    Window,
};

/// Noise over signal allowed for one layer: 8 bits of input and of weights, summed in squares.
const ONE_LAYER: f32 = 0.02;
/// Distance allowed between sets after one layer: a few inputs that the layer before rounded otherwise may be quantized to
/// the next number.
const SETS_APART: f32 = 0.005;

type Graph = (NetworkBuilder, Map);

/// Runs the graph that `build` returns in single precision and, calibrated on the same frames, in int8, in every instruction
/// set, on one and on two threads. Returns the largest noise and the largest distance between sets, relative to the numbers.
fn noise(count: usize, build: impl Fn() -> Result<Graph>) -> (f32, f32) {
    let plain = {
        let (builder, output) = build().unwrap();
        builder.finish(output, InstructionSet::Portable).unwrap()
    };
    let (frame, result) = (plain.frame_shape().numbers(), plain.output_shape().numbers());
    let frames = Layers::new(7).numbers(count * frame, 1.0);
    let mut expected = vec![0.0; count * result];
    plain.run(&frames, count, &mut expected, 1).unwrap();
    let (builder, output) = build().unwrap();
    let mut observer = builder.observe(output, InstructionSet::detect().unwrap()).unwrap();
    observer.run(&frames).unwrap();
    let (mut largest, mut apart, mut first_found): (f32, f32, Option<Vec<f32>>) = (0.0, 0.0, None);
    for set in InstructionSet::available() {
        let (mut builder, output) = build().unwrap();
        builder.quantize(&observer.ranges()).unwrap();
        let network = builder.finish(output, set).unwrap();
        for threads in [1, 2] {
            // Numbers around the output show whether anything is written beyond it.
            let mut guarded = vec![f32::MAX; count * result + 128];
            network.run(&frames, count, &mut guarded[64..64 + count * result], threads).unwrap();
            assert!(guarded[..64].iter().chain(&guarded[64 + count * result..]).all(|&number| number == f32::MAX));
            let found = &guarded[64..64 + count * result];
            largest = largest.max(distance(&expected, found));
            apart = apart.max(distance(first_found.get_or_insert_with(|| found.to_vec()), found));
        }
    }
    (largest, apart)
}

/// Returns the norm of the differences relative to that of the expected numbers.
fn distance(expected: &[f32], found: &[f32]) -> f32 {
    let squares = |numbers: &mut dyn Iterator<Item = f32>| numbers.map(|number| number * number).sum::<f32>().sqrt();
    let noise = squares(&mut expected.iter().zip(found).map(|(expected, found)| expected - found));
    let signal = squares(&mut expected.iter().copied());
    if noise == 0.0 { 0.0 } else { noise / signal }
}

/// Puts a convolution before the layers under test, because the first one stays in single precision.
fn after_one(
    (channels, height, width): (usize, usize, usize),
    build: impl Fn(&mut Layers, &mut NetworkBuilder, Map) -> Result<Map>,
) -> Result<Graph> {
    let mut layers = Layers::new(3);
    let (mut network, frames) = NetworkBuilder::new(MapShape::new(3, height, width))?;
    let inner = layers.pointwise(&mut network, frames, channels, Activation::Identity)?;
    let output = build(&mut layers, &mut network, inner)?;
    Ok((network, output))
}

fn activation() -> impl Strategy<Value = Activation> {
    prop::sample::select(vec![Activation::Identity, Activation::Relu, Activation::Silu])
}

fn channels() -> impl Strategy<Value = usize> {
    prop::sample::select(vec![5, 16, 17, 24, 33, 70])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn convolutions(input in channels(), out in channels(), kernel in 1..=3usize, stride in 1..=2usize,
                    height in 3..=20usize, width in 3..=60usize, after in activation(), count in 1..=5usize) {
        let (noise, apart) = noise(count, || after_one((input, height, width), |layers, network, map| {
            let padding = Padding::same(height, width, kernel, stride);
            let window = Window { kernel, stride, padding: if kernel == 1 { Padding::default() } else { padding } };
            layers.convolution(network, map, (out, window, after))
        }));
        prop_assert!(noise <= ONE_LAYER && apart <= SETS_APART, "{noise} {apart}");
    }

    #[test]
    fn separable_blocks_with_a_shortcut(input in channels(), out in channels(), height in 3..=30usize,
                                        width in 3..=30usize, after in activation(), count in 1..=3usize) {
        let (noise, apart) = noise(count, || after_one((input, height, width), |layers, network, map| {
            let skip = layers.pointwise(network, map, out, Activation::Identity)?;
            let x = network.activation(map, Activation::Relu)?;
            let x = layers.depthwise(network, x, (Window::symmetric(3, 1, 1), after))?;
            let x = layers.pointwise(network, x, out, Activation::Identity)?;
            network.add(skip, x, Activation::Identity)
        }));
        prop_assert!(noise <= ONE_LAYER && apart <= SETS_APART, "{noise} {apart}");
    }

    #[test]
    fn maxima_of_products(input in channels(), out in channels(), height in 3..=30usize, width in 3..=30usize,
                          stride in 1..=2usize, after in activation(), count in 1..=3usize) {
        let (noise, apart) = noise(count, || after_one((input, height, width), |layers, network, map| {
            let x = layers.pointwise(network, map, out, after)?;
            let skip = layers.convolution(network, map, (out, Window { stride, ..Window::pointwise() }, after))?;
            let padding = Padding::same(height, width, 3, stride);
            let x = network.max_pool(x, Window { kernel: 3, stride, padding })?;
            network.add(x, skip, Activation::Identity)
        }));
        prop_assert!(noise <= 2.0 * ONE_LAYER && apart <= SETS_APART, "{noise} {apart}");
    }

    #[test]
    fn inverted_bottlenecks(input in channels(), inside in channels(), out in channels(), stride in 1..=2usize,
                            height in 3..=40usize, width in 3..=40usize, after in activation(), count in 1..=3usize) {
        let (noise, apart) = noise(count, || after_one((input, height, width), |layers, network, map| {
            let x = layers.pointwise(network, map, inside, after)?;
            let x = layers.depthwise(network, x, (Window::symmetric(3, stride, 1), after))?;
            let x = layers.squeeze_excite(network, x, inside.div_ceil(4))?;
            layers.pointwise(network, x, out, Activation::Identity)
        }));
        prop_assert!(noise <= 2.0 * ONE_LAYER && apart <= SETS_APART, "{noise} {apart}");
    }
}

#[test]
fn whole_encoders_stay_near_single_precision() {
    let (xception, _) = noise(2, || xception::xception(75));
    let (efficientnet, _) = noise(3, || efficientnet::tiny(64));
    println!("noise over signal: xception {xception}, efficientnet {efficientnet}");
    assert!(xception > 0.0 && xception <= 0.1, "xception {xception}");
    assert!(efficientnet > 0.0 && efficientnet <= 0.1, "efficientnet {efficientnet}");
}

#[test]
fn ranges_are_those_of_the_inputs() {
    let (mut network, frames) = NetworkBuilder::new(MapShape::new(1, 1, 4)).unwrap();
    let one = |weight: &'static [f32], channels_out| Convolution {
        weight,
        bias: &[],
        channels_out,
        window: Window::pointwise(),
        activation: Activation::Identity,
    };
    let doubled = network.convolution(frames, one(&[2.0, -1.0], 2)).unwrap();
    let squashed = network.activation(doubled, Activation::Relu).unwrap();
    let output = network.convolution(squashed, one(&[1.0, 1.0], 1)).unwrap();
    let mut observer = network.observe(output, InstructionSet::Portable).unwrap();
    observer.run(&[1.0, 2.0, 3.0, 4.0]).unwrap();
    observer.run(&[-5.0, 0.0, 0.0, 0.0]).unwrap();
    let range = |min, max| InputRange { min, max };
    assert_eq!(observer.ranges(), [range(-5.0, 4.0), range(0.0, 8.0)]);
    assert!(observer.run(&[1.0; 5]).is_err());
}

#[test]
fn wrong_ranges_are_refused() {
    let (mut builder, _) = xception::xception(75).unwrap();
    let range = InputRange { min: 0.0, max: 1.0 };
    assert_eq!(builder.quantize(&[range; 3]), Err(RuntimeError::InputRanges { expected: 78, found: 3 }));
    let error = builder.quantize(&[InputRange { max: f32::NAN, ..range }; 78]).unwrap_err();
    assert!(matches!(error, RuntimeError::InputRange { .. }), "{error}");
}
