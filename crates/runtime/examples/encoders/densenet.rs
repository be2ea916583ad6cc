use runtime::Activation::{Identity, Relu};
use runtime::{Map, MapShape, NetworkBuilder, Result, Window};

use crate::layers::Layers;

/// Builds DenseNet121 up to the mean of its last map.
pub fn densenet121(size: usize) -> Result<(NetworkBuilder, Map)> {
    let mut layers = Layers::new(0);
    let (mut network, frames) = NetworkBuilder::new(MapShape::new(3, size, size))?;
    let x = layers.convolution(&mut network, frames, (64, Window::symmetric(7, 2, 3), Relu))?;
    let mut x = network.max_pool(x, Window::symmetric(3, 2, 1))?;
    for (block, count) in [6, 12, 24, 16].into_iter().enumerate() {
        for _ in 0..count {
            let y = layers.affine(&mut network, x, Relu)?;
            let y = layers.pointwise(&mut network, y, 128, Relu)?;
            let y = layers.convolution(&mut network, y, (32, Window::symmetric(3, 1, 1), Identity))?;
            x = network.concatenate(&[x, y])?;
        }
        x = layers.affine(&mut network, x, Relu)?;
        if block < 3 {
            x = network.average_pool(x, 2, 2)?;
            let width = network.shape(x)?.channels / 2;
            x = layers.pointwise(&mut network, x, width, Identity)?;
        }
    }
    let mean = network.global_average(x)?;
    Ok((network, mean))
}
