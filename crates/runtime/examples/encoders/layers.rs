use rand_core::{RngCore, SeedableRng};
use rand_pcg::Pcg32;
use runtime::{Activation, Convolution, Map, MapShape, NetworkBuilder, Padding, Result, SqueezeExcite, Window};

/// Layers with random weights, from a seed.
pub struct Layers {
    random: Pcg32,
    /// Squared weights of a sum add up to a third of this.
    gain: f32,
}

impl Layers {
    /// Draws weights whose gain makes up for the activations.
    pub fn new(seed: u64) -> Self {
        Self::with_gain(seed, 5.0)
    }

    /// Draws weights of another gain. With many residual sums, a smaller one keeps numbers and their rounding errors from
    /// growing.
    pub fn with_gain(seed: u64, gain: f32) -> Self {
        Self { random: Pcg32::seed_from_u64(seed), gain }
    }

    /// Draws `count` numbers between -size and size.
    pub fn numbers(&mut self, count: usize, size: f32) -> Vec<f32> {
        (0..count).map(|_| (self.random.next_u32() as f32 / u32::MAX as f32 * 2.0 - 1.0) * size).collect()
    }

    fn weights(&mut self, count: usize, terms: usize) -> Vec<f32> {
        self.numbers(count, (self.gain / terms as f32).sqrt())
    }

    pub fn convolution(
        &mut self,
        network: &mut NetworkBuilder,
        input: Map,
        (channels_out, window, activation): (usize, Window, Activation),
    ) -> Result<Map> {
        let terms = network.shape(input)?.channels * window.kernel * window.kernel;
        let weight = self.weights(channels_out * terms, terms);
        let bias = self.numbers(channels_out, 0.1);
        network.convolution(input, Convolution { weight: &weight, bias: &bias, channels_out, window, activation })
    }

    pub fn pointwise(
        &mut self,
        network: &mut NetworkBuilder,
        input: Map,
        out: usize,
        after: Activation,
    ) -> Result<Map> {
        self.convolution(network, input, (out, Window::pointwise(), after))
    }

    pub fn depthwise(
        &mut self,
        network: &mut NetworkBuilder,
        input: Map,
        (window, activation): (Window, Activation),
    ) -> Result<Map> {
        let channels_out = network.shape(input)?.channels;
        let terms = window.kernel * window.kernel;
        let weight = self.weights(channels_out * terms, terms);
        let bias = self.numbers(channels_out, 0.1);
        network.depthwise(input, Convolution { weight: &weight, bias: &bias, channels_out, window, activation })
    }

    pub fn squeeze_excite(&mut self, network: &mut NetworkBuilder, input: Map, squeezed: usize) -> Result<Map> {
        let channels = network.shape(input)?.channels;
        let block = SqueezeExcite {
            reduce_weight: &self.weights(squeezed * channels, channels),
            reduce_bias: &self.numbers(squeezed, 0.1),
            activation: Activation::Silu,
            expand_weight: &self.weights(channels * squeezed, squeezed),
            expand_bias: &self.numbers(channels, 0.1),
        };
        network.squeeze_excite(input, block)
    }

    pub fn affine(&mut self, network: &mut NetworkBuilder, input: Map, activation: Activation) -> Result<Map> {
        let channels = network.shape(input)?.channels;
        let (scale, shift) = (self.numbers(channels, 1.0), self.numbers(channels, 0.1));
        network.affine(input, &scale, &shift, activation)
    }

    pub fn layer_norm(&mut self, network: &mut NetworkBuilder, input: Map) -> Result<Map> {
        let channels = network.shape(input)?.channels;
        let (scale, shift) = (self.numbers(channels, 1.0), self.numbers(channels, 0.1));
        network.layer_norm(input, &scale, &shift, 1e-6)
    }
}

/// Returns the window with Keras' "same" padding around a map.
pub fn same(shape: MapShape, kernel: usize, stride: usize) -> Window {
    Window { kernel, stride, padding: Padding::same(shape.height, shape.width, kernel, stride) }
}
