//! Reference implementation of every layer: plain loops in double precision.
#![allow(dead_code, reason = "every test file uses its own part")]

use rand_core::{RngCore, SeedableRng};
use rand_pcg::Pcg32;
use runtime::{Activation, InstructionSet, Map, MapShape, NetworkBuilder, Padding, Window};

/// Map of one frame, channels first.
#[derive(Clone)]
pub struct Image {
    pub shape: MapShape,
    pub numbers: Vec<f64>,
}

impl Image {
    pub fn new(shape: MapShape, numbers: &[f32]) -> Self {
        Self { shape, numbers: numbers.iter().map(|&number| f64::from(number)).collect() }
    }

    pub fn from_fn(shape: MapShape, number: impl Fn(usize, usize, usize) -> f64) -> Self {
        let mut numbers = Vec::new();
        for channel in 0..shape.channels {
            for y in 0..shape.height {
                numbers.extend((0..shape.width).map(|x| number(channel, y, x)));
            }
        }
        Self { shape, numbers }
    }

    pub fn at(&self, channel: usize, y: usize, x: usize) -> f64 {
        self.numbers[(channel * self.shape.height + y) * self.shape.width + x]
    }

    /// Returns the number at a position counted from the padding's corner; nothing outside the map.
    fn padded(&self, channel: usize, y: usize, x: usize, padding: Padding) -> Option<f64> {
        let (y, x) = (y.checked_sub(padding.top)?, x.checked_sub(padding.left)?);
        (y < self.shape.height && x < self.shape.width).then(|| self.at(channel, y, x))
    }

    pub fn map(&self, function: impl Fn(f64) -> f64) -> Self {
        Self { shape: self.shape, numbers: self.numbers.iter().map(|&number| function(number)).collect() }
    }
}

/// Returns erf by its series; beyond 5 it is 1 to twelve digits.
fn erf(x: f64) -> f64 {
    if x.abs() > 5.0 {
        return x.signum();
    }
    let (mut term, mut sum) = (x, x);
    for n in 1..200 {
        term *= -x * x / f64::from(n);
        sum += term / f64::from(2 * n + 1);
    }
    sum * 2.0 / std::f64::consts::PI.sqrt()
}

pub fn activate(activation: Activation, x: f64) -> f64 {
    match activation {
        Activation::Identity => x,
        Activation::Relu => x.max(0.0),
        Activation::Relu6 => x.clamp(0.0, 6.0),
        Activation::Silu => x / (1.0 + (-x).exp()),
        Activation::Gelu => 0.5 * x * (1.0 + erf(x / 2f64.sqrt())),
        Activation::Sigmoid => 1.0 / (1.0 + (-x).exp()),
    }
}

fn slide(input: &Image, channels: usize, window: Window, number: impl Fn(usize, usize, usize) -> f64) -> Image {
    let Window { kernel, stride, padding } = window;
    let height = (input.shape.height + padding.top + padding.bottom - kernel) / stride + 1;
    let width = (input.shape.width + padding.left + padding.right - kernel) / stride + 1;
    Image::from_fn(MapShape::new(channels, height, width), |channel, y, x| number(channel, y * stride, x * stride))
}

pub fn convolution(input: &Image, weight: &[f32], bias: &[f32], window: Window, activation: Activation) -> Image {
    let (channels, kernel) = (input.shape.channels, window.kernel);
    slide(input, bias.len(), window, |out, y, x| {
        let mut sum = f64::from(bias[out]);
        for channel in 0..channels {
            for ky in 0..kernel {
                for kx in 0..kernel {
                    let weight = weight[((out * channels + channel) * kernel + ky) * kernel + kx];
                    let number = input.padded(channel, y + ky, x + kx, window.padding).unwrap_or(0.0);
                    sum += f64::from(weight) * number;
                }
            }
        }
        activate(activation, sum)
    })
}

pub fn depthwise(input: &Image, weight: &[f32], bias: &[f32], window: Window, activation: Activation) -> Image {
    let kernel = window.kernel;
    slide(input, bias.len(), window, |channel, y, x| {
        let mut sum = f64::from(bias[channel]);
        for ky in 0..kernel {
            for kx in 0..kernel {
                let weight = weight[(channel * kernel + ky) * kernel + kx];
                sum += f64::from(weight) * input.padded(channel, y + ky, x + kx, window.padding).unwrap_or(0.0);
            }
        }
        activate(activation, sum)
    })
}

pub fn max_pool(input: &Image, window: Window) -> Image {
    slide(input, input.shape.channels, window, |channel, y, x| {
        let taps = (0..window.kernel * window.kernel).map(|tap| (y + tap / window.kernel, x + tap % window.kernel));
        let numbers = taps.filter_map(|(y, x)| input.padded(channel, y, x, window.padding));
        numbers.fold(f64::NEG_INFINITY, f64::max)
    })
}

pub fn average_pool(input: &Image, kernel: usize, stride: usize) -> Image {
    let window = Window::symmetric(kernel, stride, 0);
    slide(input, input.shape.channels, window, |channel, y, x| {
        let taps = (0..kernel * kernel).map(|tap| (y + tap / kernel, x + tap % kernel));
        taps.map(|(y, x)| input.at(channel, y, x)).sum::<f64>() / (kernel * kernel) as f64
    })
}

pub fn global_average(input: &Image) -> Image {
    let MapShape { channels, height, width } = input.shape;
    Image::from_fn(MapShape::new(channels, 1, 1), |channel, _, _| {
        let sum: f64 = (0..height * width).map(|pixel| input.at(channel, pixel / width, pixel % width)).sum();
        sum / (height * width) as f64
    })
}

pub fn add(a: &Image, b: &Image, activation: Activation) -> Image {
    let numbers = a.numbers.iter().zip(&b.numbers).map(|(a, b)| activate(activation, a + b)).collect();
    Image { shape: a.shape, numbers }
}

pub fn scale(input: &Image, gates: &Image) -> Image {
    Image::from_fn(input.shape, |channel, y, x| input.at(channel, y, x) * gates.at(channel, 0, 0))
}

pub fn affine(input: &Image, scale: &[f32], shift: &[f32], activation: Activation) -> Image {
    Image::from_fn(input.shape, |channel, y, x| {
        let (scale, shift) = (f64::from(scale[channel]), f64::from(shift[channel]));
        activate(activation, input.at(channel, y, x) * scale + shift)
    })
}

pub fn concatenate(inputs: &[&Image]) -> Image {
    let MapShape { height, width, .. } = inputs[0].shape;
    let channels = inputs.iter().map(|input| input.shape.channels).sum();
    let numbers = inputs.iter().flat_map(|input| input.numbers.iter().copied()).collect();
    Image { shape: MapShape::new(channels, height, width), numbers }
}

pub fn layer_norm(input: &Image, scale: &[f32], shift: &[f32], epsilon: f64) -> Image {
    let channels = input.shape.channels;
    Image::from_fn(input.shape, |channel, y, x| {
        let pixel: Vec<f64> = (0..channels).map(|channel| input.at(channel, y, x)).collect();
        let mean = pixel.iter().sum::<f64>() / channels as f64;
        let variance = pixel.iter().map(|number| (number - mean).powi(2)).sum::<f64>() / channels as f64;
        let normal = (pixel[channel] - mean) / (variance + epsilon).sqrt();
        normal * f64::from(scale[channel]) + f64::from(shift[channel])
    })
}

/// Random numbers from a seed.
pub struct Numbers(Pcg32);

impl Numbers {
    pub fn new(seed: u64) -> Self {
        Self(Pcg32::seed_from_u64(seed))
    }

    /// Draws `count` numbers between -size and size.
    pub fn take(&mut self, count: usize, size: f32) -> Vec<f32> {
        (0..count).map(|_| (self.0.next_u32() as f32 / u32::MAX as f32 * 2.0 - 1.0) * size).collect()
    }

    /// Draws weights that keep the magnitude of sums of `terms` numbers.
    pub fn weights(&mut self, count: usize, terms: usize) -> Vec<f32> {
        self.take(count, (3.0 / terms as f32).sqrt())
    }
}

/// Returns the sums of the absolute values of a convolution's terms, to which its rounding errors are relative.
pub fn absolute_terms(input: &Image, weight: &[f32], bias: &[f32], window: Window) -> Image {
    let absolute = |numbers: &[f32]| numbers.iter().map(|number| number.abs()).collect::<Vec<_>>();
    convolution(&input.map(f64::abs), &absolute(weight), &absolute(bias), window, Activation::Identity)
}

/// Compares as [`compare_relative_to`], relative to the results themselves.
pub fn compare(
    shape: MapShape,
    count: usize,
    seed: u64,
    build: impl Fn(&mut NetworkBuilder, Map) -> runtime::Result<Map>,
    reference: impl Fn(&Image) -> Image,
) {
    compare_relative_to(shape, count, seed, build, &reference, &reference);
}

/// Builds a network for every instruction set of this machine, runs it on random frames with one and with two threads, and
/// compares every result with the reference to 1e-5 of the largest number of `magnitude` and of the frames: terms that cancel
/// leave a sum near zero, whose rounding error is still relative to them.
pub fn compare_relative_to(
    shape: MapShape,
    count: usize,
    seed: u64,
    build: impl Fn(&mut NetworkBuilder, Map) -> runtime::Result<Map>,
    reference: impl Fn(&Image) -> Image,
    magnitude: impl Fn(&Image) -> Image,
) {
    let frames = Numbers::new(seed).take(count * shape.numbers(), 2.0);
    let of_frames = |function: &dyn Fn(&Image) -> Image| -> Vec<f64> {
        frames.chunks_exact(shape.numbers()).flat_map(|frame| function(&Image::new(shape, frame)).numbers).collect()
    };
    let expected = of_frames(&reference);
    let terms = frames.iter().map(|&number| f64::from(number)).chain(of_frames(&magnitude));
    let largest = terms.fold(0.0, |largest: f64, number| largest.max(number.abs()));
    for set in InstructionSet::available() {
        let (mut builder, input) = NetworkBuilder::new(shape).unwrap();
        let output = build(&mut builder, input).unwrap();
        let network = builder.finish(output, set).unwrap();
        let length = network.output_shape().numbers();
        assert_eq!(count * length, expected.len(), "output shape {:?}", network.output_shape());
        for threads in [1, 2] {
            // Numbers around the output show whether anything is written beyond it.
            let mut guarded = vec![f32::MAX; count * length + 128];
            network.run(&frames, count, &mut guarded[64..64 + count * length], threads).unwrap();
            assert!(guarded[..64].iter().chain(&guarded[64 + count * length..]).all(|&number| number == f32::MAX));
            for (place, (&found, &expected)) in guarded[64..].iter().zip(&expected).enumerate() {
                let error = (f64::from(found) - expected).abs();
                assert!(
                    error <= 1e-5 * largest,
                    "{set:?}, {threads} threads, number {place}: {found} instead of {expected}"
                );
            }
        }
    }
}
