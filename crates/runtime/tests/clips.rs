//! Networks on clips in every instruction set against the reference, on odd shapes.

mod reference;

use proptest::prelude::*;
use reference::{Image, Numbers, add, concatenate, convolution};
use runtime::{
    Activation, Convolution, InstructionSet, MapShape, NetworkBuilder, TemporalConvolution, TemporalWindow, Window,
};

/// Reference of a temporal convolution; frames before the first and after the last are zeros.
fn temporal_convolution(frames: &[Image], layer: &TemporalConvolution<'_>, shape: MapShape) -> Vec<Image> {
    let TemporalWindow { kernel, stride, padding, spatial_stride } = layer.window;
    let zeros = Image::from_fn(shape, |_, _, _| 0.0);
    let frame = |place: usize| place.checked_sub(padding).and_then(|place| frames.get(place)).unwrap_or(&zeros);
    let count = (frames.len() + 2 * padding - kernel) / stride + 1;
    let strided = Window { stride: spatial_stride, ..Window::pointwise() };
    let convolved = |first: usize| {
        let under: Vec<&Image> = (0..kernel).map(|tap| frame(first * stride + tap)).collect();
        convolution(&concatenate(&under), layer.weight, layer.bias, strided, layer.activation)
    };
    (0..count).map(convolved).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn factorized_blocks((kernel, stride, padding) in (1..=3usize, 1..=2usize, 0..=1usize),
                         spatial_stride in 1..=2usize, frames in 3..=6usize, clips in 1..=2usize,
                         channels in prop::sample::select(vec![(3, 17, 24), (1, 16, 150), (16, 45, 64)]),
                         (height, width) in (1..=9usize, 1..=30usize), seed: u64) {
        let (input, inside, out) = channels;
        let mut numbers = Numbers::new(seed);
        let padding = padding.min(kernel - 1);
        let image = (numbers.weights(inside * input * 9, input * 9), numbers.take(inside, 1.0));
        let image_window = Window::symmetric(3, spatial_stride, 1);
        let over_image = Convolution { weight: &image.0, bias: &image.1, channels_out: inside, window: image_window,
            activation: Activation::Relu };
        let time = (numbers.weights(out * kernel * inside, kernel * inside), numbers.take(out, 1.0));
        let window = TemporalWindow { kernel, stride, padding, spatial_stride: 1 };
        let after = TemporalConvolution { weight: &time.0, bias: &time.1, channels_out: out, window,
            activation: Activation::Identity };
        let skip = (numbers.weights(out * kernel * input, kernel * input), numbers.take(out, 1.0));
        let shortcut = TemporalConvolution { weight: &skip.0, bias: &skip.1, channels_out: out,
            window: TemporalWindow { spatial_stride, ..window }, activation: Activation::Identity };

        let shape = MapShape::new(input, height, width);
        let pixels = Numbers::new(seed ^ 1).take(clips * frames * shape.numbers(), 2.0);
        let expected: Vec<f64> = pixels.chunks_exact(frames * shape.numbers()).flat_map(|clip| {
            let clip: Vec<Image> = clip.chunks_exact(shape.numbers()).map(|frame| Image::new(shape, frame)).collect();
            let images: Vec<Image> =
                clip.iter().map(|frame| convolution(frame, &image.0, &image.1, image_window, Activation::Relu)).collect();
            let main = temporal_convolution(&images, &after, images[0].shape);
            let side = temporal_convolution(&clip, &shortcut, shape);
            main.iter().zip(&side).flat_map(|(a, b)| add(a, b, Activation::Relu).numbers).collect::<Vec<f64>>()
        }).collect();
        let largest = expected.iter().fold(1.0, |largest: f64, number| largest.max(number.abs()));

        for set in InstructionSet::available() {
            let (mut network, clip) = NetworkBuilder::for_clips(shape, frames).unwrap();
            let x = network.convolution(clip, over_image).unwrap();
            let x = network.temporal_convolution(x, after).unwrap();
            let y = network.temporal_convolution(clip, shortcut).unwrap();
            let output = network.add(x, y, Activation::Relu).unwrap();
            let network = network.finish(output, set).unwrap();
            for threads in [1, 2] {
                let mut found = vec![f32::MAX; expected.len()];
                network.run(&pixels, clips, &mut found, threads).unwrap();
                for (place, (&found, &expected)) in found.iter().zip(&expected).enumerate() {
                    let error = (f64::from(found) - expected).abs();
                    prop_assert!(error <= 1e-5 * largest, "{set:?} {threads} {place}: {found}, not {expected}");
                }
            }
        }
    }
}

#[test]
fn clips_of_different_length_are_not_added() {
    let (mut network, clip) = NetworkBuilder::for_clips(MapShape::new(1, 2, 2), 4).unwrap();
    let window = |stride| TemporalWindow { kernel: 1, stride, padding: 0, spatial_stride: 1 };
    let layer = |stride| TemporalConvolution {
        weight: &[1.0],
        bias: &[],
        channels_out: 1,
        window: window(stride),
        activation: Activation::Identity,
    };
    let halved = network.temporal_convolution(clip, layer(2)).unwrap();
    assert_eq!(network.frames(halved).unwrap(), 2);
    assert!(network.add(clip, halved, Activation::Identity).is_err());
    let too_long = TemporalWindow { kernel: 5, ..window(1) };
    assert!(
        network
            .temporal_convolution(clip, TemporalConvolution { weight: &[1.0; 5], window: too_long, ..layer(1) })
            .is_err()
    );
}

#[test]
fn layers_are_timed_one_by_one() {
    let (mut network, clip) = NetworkBuilder::for_clips(MapShape::new(16, 4, 5), 3).unwrap();
    let window = TemporalWindow { kernel: 1, stride: 1, padding: 0, spatial_stride: 1 };
    let (weight, bias) = ([1.0; 16 * 16], [0.0; 16]);
    let layer = TemporalConvolution {
        weight: &weight,
        bias: &bias,
        channels_out: 16,
        window,
        activation: Activation::Identity,
    };
    let output = network.temporal_convolution(clip, layer).unwrap();
    let network = network.finish(output, InstructionSet::detect().unwrap()).unwrap();
    let times = network.time_layers(&[1.0; 3 * 16 * 20], 1, 2).unwrap();
    assert_eq!(times.len(), 1);
    assert_eq!(times[0].layer, "temporal convolution, 16 x 4 x 5 to 16 x 4 x 5");
    assert_eq!(times[0].multiply_adds, 3 * 20 * 16 * 16);
    assert!(network.time_layers(&[1.0; 3 * 16 * 20 - 1], 1, 1).is_err());
}
