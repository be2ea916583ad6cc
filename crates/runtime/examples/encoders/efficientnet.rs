use runtime::Activation::{Identity, Silu};
use runtime::{Map, MapShape, NetworkBuilder, Result, Window};

use crate::layers::Layers;

/// Stage of blocks of one size.
struct Stage {
    /// True for one 3x3 convolution in place of the 1x1 and the depthwise one.
    fused: bool,
    expansion: usize,
    kernel: usize,
    stride: usize,
    width: usize,
    blocks: usize,
}

const fn stage(fused: bool, [expansion, kernel, stride, width, blocks]: [usize; 5]) -> Stage {
    Stage { fused, expansion, kernel, stride, width, blocks }
}

/// Builds EfficientNet-B2 up to the mean of its last map.
pub fn b2(size: usize) -> Result<(NetworkBuilder, Map)> {
    let stages = [
        stage(false, [1, 3, 1, 16, 2]),
        stage(false, [6, 3, 2, 24, 3]),
        stage(false, [6, 5, 2, 48, 3]),
        stage(false, [6, 3, 2, 88, 4]),
        stage(false, [6, 5, 1, 120, 4]),
        stage(false, [6, 5, 2, 208, 5]),
        stage(false, [6, 3, 1, 352, 2]),
    ];
    efficientnet(Layers::new(0), size, (32, &stages, 1408))
}

/// Builds EfficientNetV2-S up to the mean of its last map.
pub fn v2_s(size: usize) -> Result<(NetworkBuilder, Map)> {
    let stages = [
        stage(true, [1, 3, 1, 24, 2]),
        stage(true, [4, 3, 2, 48, 4]),
        stage(true, [4, 3, 2, 64, 4]),
        stage(false, [4, 3, 2, 128, 6]),
        stage(false, [6, 3, 1, 160, 9]),
        stage(false, [6, 3, 2, 256, 15]),
    ];
    efficientnet(Layers::with_gain(0, 3.0), size, (24, &stages, 1280))
}

/// Builds a small EfficientNet for small frames.
pub fn tiny(size: usize) -> Result<(NetworkBuilder, Map)> {
    let stages = [stage(false, [1, 3, 1, 8, 1]), stage(false, [4, 3, 2, 16, 2]), stage(false, [4, 5, 2, 24, 2])];
    efficientnet(Layers::new(0), size, (8, &stages, 64))
}

fn efficientnet(
    mut layers: Layers,
    size: usize,
    (stem, stages, head): (usize, &[Stage], usize),
) -> Result<(NetworkBuilder, Map)> {
    let (mut network, frames) = NetworkBuilder::new(MapShape::new(3, size, size))?;
    let mut x = layers.convolution(&mut network, frames, (stem, Window::symmetric(3, 2, 1), Silu))?;
    for stage in stages {
        for block in 0..stage.blocks {
            let stride = if block == 0 { stage.stride } else { 1 };
            let window = Window::symmetric(stage.kernel, stride, stage.kernel / 2);
            let width_in = network.shape(x)?.channels;
            let inside = width_in * stage.expansion;
            let skip = x;
            if stage.fused {
                let (width, after) = if stage.expansion == 1 { (stage.width, Silu) } else { (inside, Silu) };
                x = layers.convolution(&mut network, x, (width, window, after))?;
            } else {
                if stage.expansion > 1 {
                    x = layers.pointwise(&mut network, x, inside, Silu)?;
                }
                x = layers.depthwise(&mut network, x, (window, Silu))?;
                x = layers.squeeze_excite(&mut network, x, (width_in / 4).max(1))?;
            }
            if !stage.fused || stage.expansion > 1 {
                x = layers.pointwise(&mut network, x, stage.width, Identity)?;
            }
            if stride == 1 && width_in == stage.width {
                x = network.add(x, skip, Identity)?;
            }
        }
    }
    x = layers.pointwise(&mut network, x, head, Silu)?;
    let mean = network.global_average(x)?;
    Ok((network, mean))
}
