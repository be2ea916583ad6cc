use runtime::Activation::{Identity, Relu};
use runtime::{Map, MapShape, NetworkBuilder, Result, Window};

use crate::layers::Layers;

/// ResNet50 with the stride in the 3x3 convolutions, up to the mean of its last map.
pub fn resnet50(size: usize) -> Result<(NetworkBuilder, Map)> {
    let mut layers = Layers::new(0);
    let (mut network, frames) = NetworkBuilder::new(MapShape::new(3, size, size))?;
    let x = layers.convolution(&mut network, frames, (64, Window::symmetric(7, 2, 3), Relu))?;
    let mut x = network.max_pool(x, Window::symmetric(3, 2, 1))?;
    for (stage, blocks) in [3, 4, 6, 3].into_iter().enumerate() {
        let inside = 64 << stage;
        for block in 0..blocks {
            let stride = if block == 0 && stage > 0 { 2 } else { 1 };
            let y = layers.pointwise(&mut network, x, inside, Relu)?;
            let y = layers.convolution(&mut network, y, (inside, Window::symmetric(3, stride, 1), Relu))?;
            let y = layers.pointwise(&mut network, y, 4 * inside, Identity)?;
            let shortcut = match block {
                0 => layers.convolution(&mut network, x, (4 * inside, Window::symmetric(1, stride, 0), Identity))?,
                _ => x,
            };
            x = network.add(y, shortcut, Relu)?;
        }
    }
    let mean = network.global_average(x)?;
    Ok((network, mean))
}
