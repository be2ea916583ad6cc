use runtime::Activation::{Gelu, Identity};
use runtime::{Map, MapShape, NetworkBuilder, Result, Window};

use crate::layers::Layers;

/// Builds ConvNeXt-Tiny up to the norm of the mean of its last map.
pub fn tiny(size: usize) -> Result<(NetworkBuilder, Map)> {
    let mut layers = Layers::new(0);
    let (mut network, frames) = NetworkBuilder::new(MapShape::new(3, size, size))?;
    let mut x = layers.convolution(&mut network, frames, (96, Window::symmetric(4, 4, 0), Identity))?;
    x = layers.layer_norm(&mut network, x)?;
    for (stage, (width, blocks)) in [(96, 3), (192, 3), (384, 9), (768, 3)].into_iter().enumerate() {
        if stage > 0 {
            x = layers.layer_norm(&mut network, x)?;
            x = layers.convolution(&mut network, x, (width, Window::symmetric(2, 2, 0), Identity))?;
        }
        for _ in 0..blocks {
            let y = layers.depthwise(&mut network, x, (Window::symmetric(7, 1, 3), Identity))?;
            let y = layers.layer_norm(&mut network, y)?;
            let y = layers.pointwise(&mut network, y, 4 * width, Gelu)?;
            let y = layers.pointwise(&mut network, y, width, Identity)?;
            x = network.add(x, y, Identity)?;
        }
    }
    let mean = network.global_average(x)?;
    let mean = layers.layer_norm(&mut network, mean)?;
    Ok((network, mean))
}
