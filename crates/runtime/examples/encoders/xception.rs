use runtime::Activation::{Identity, Relu};
use runtime::{Map, MapShape, NetworkBuilder, Result, Window};

use crate::layers::{Layers, same};

/// Xception as in Keras, up to the mean of its last map.
pub fn xception(size: usize) -> Result<(NetworkBuilder, Map)> {
    let mut layers = Layers::new(0);
    let (mut network, frames) = NetworkBuilder::new(MapShape::new(3, size, size))?;
    let x = layers.convolution(&mut network, frames, (32, Window::symmetric(3, 2, 0), Relu))?;
    let mut x = layers.convolution(&mut network, x, (64, Window::symmetric(3, 1, 0), Relu))?;
    for (block, width) in [128, 256, 728].into_iter().enumerate() {
        x = downsampling(&mut layers, &mut network, x, (block > 0, width, width))?;
    }
    for _ in 0..8 {
        let skip = x;
        for _ in 0..3 {
            x = network.activation(x, Relu)?;
            x = separable(&mut layers, &mut network, x, (728, Identity))?;
        }
        x = network.add(skip, x, Identity)?;
    }
    x = downsampling(&mut layers, &mut network, x, (true, 728, 1024))?;
    x = separable(&mut layers, &mut network, x, (1536, Relu))?;
    x = separable(&mut layers, &mut network, x, (2048, Relu))?;
    let mean = network.global_average(x)?;
    Ok((network, mean))
}

fn downsampling(
    layers: &mut Layers,
    network: &mut NetworkBuilder,
    input: Map,
    (relu_first, inside, width): (bool, usize, usize),
) -> Result<Map> {
    let strided = Window { stride: 2, ..Window::pointwise() };
    let shortcut = layers.convolution(network, input, (width, strided, Identity))?;
    let x = if relu_first { network.activation(input, Relu)? } else { input };
    let x = separable(layers, network, x, (inside, Relu))?;
    let x = separable(layers, network, x, (width, Identity))?;
    let window = same(network.shape(x)?, 3, 2);
    let x = network.max_pool(x, window)?;
    network.add(x, shortcut, Identity)
}

fn separable(
    layers: &mut Layers,
    network: &mut NetworkBuilder,
    input: Map,
    (width, after): (usize, runtime::Activation),
) -> Result<Map> {
    let x = layers.depthwise(network, input, (Window::symmetric(3, 1, 1), Identity))?;
    layers.pointwise(network, x, width, after)
}
