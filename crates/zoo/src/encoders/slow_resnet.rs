//! The slow pathway of SlowFast as in PyTorchVideo (Feichtenhofer et al., "SlowFast Networks for Video Recognition",
//! ICCV 2019): a ResNet over frames whose later stages look at three frames at a time.

use candle_core::Tensor;
use nn::{Activation, Clips, Conv3d, Geometry3d, Padding};

use super::video::{ConvSizes3d, VideoConfig, VideoNetwork, conv_norm};
use crate::weights::Weights;
use crate::{Result, ZooError};

/// The sizes of a slow ResNet.
#[derive(Debug, Clone)]
pub struct SlowResNetConfig {
    /// Bottlenecks in each of the four stages.
    pub blocks: [usize; 4],
    /// Channels of the stem and inside the first stage; every stage doubles them.
    pub stem: usize,
    /// Frames that each stage's first convolutions look at.
    pub temporal_kernels: [usize; 4],
    /// Frames and pixels of the window that the last average is taken over.
    pub pool: (usize, usize),
}

impl SlowResNetConfig {
    /// `slow_r50`: 8 frames of 224 x 224 or more.
    pub fn slow_r50() -> Self {
        Self { blocks: [3, 4, 6, 3], stem: 64, temporal_kernels: [1, 1, 3, 3], pool: (8, 7) }
    }

    /// Few and narrow blocks for clips of four frames of about 32 x 32 pixels, for tests.
    pub fn miniature() -> Self {
        Self { blocks: [1, 1, 1, 1], stem: 4, temporal_kernels: [1, 1, 3, 3], pool: (4, 1) }
    }

    /// The length of the vector that stands for a clip.
    pub fn width(&self) -> usize {
        4 * (self.stem << 3)
    }
}

impl VideoConfig for SlowResNetConfig {
    fn network(&self, weights: &Weights<'_>) -> Result<Box<dyn VideoNetwork>> {
        Ok(Box::new(SlowResNet::read(self, weights)?))
    }

    fn vector_width(&self) -> usize {
        self.width()
    }
}

/// A slow ResNet without its classifier.
pub struct SlowResNet {
    stem: Conv3d,
    blocks: Vec<Bottleneck>,
    pool: (usize, usize),
}

impl SlowResNet {
    /// Reads the network from weights at the root of PyTorchVideo's names.
    ///
    /// # Errors
    /// A tensor is missing or has another shape.
    pub fn read(config: &SlowResNetConfig, weights: &Weights<'_>) -> Result<Self> {
        let stages = weights.at("blocks");
        let stem = ConvSizes3d {
            widths: (3, config.stem),
            kernel: (1, 7),
            geometry: Geometry3d { spatial_stride: 2, ..Geometry3d::keeping(1, 7) },
        };
        let place = stages.at(0);
        let stem = conv_norm((&place.at("conv"), &place.at("norm")), stem)?.with_activation(Activation::Relu);
        let mut blocks = Vec::new();
        let mut width_in = config.stem;
        for (stage, (&count, &temporal_kernel)) in config.blocks.iter().zip(&config.temporal_kernels).enumerate() {
            let inside = config.stem << stage;
            for block in 0..count {
                let stride = if block == 0 && stage > 0 { 2 } else { 1 };
                let place = stages.at(stage + 1).at("res_blocks").at(block);
                blocks.push(Bottleneck::read(&place, (width_in, inside), stride, temporal_kernel)?);
                width_in = 4 * inside;
            }
        }
        Ok(Self { stem, blocks, pool: config.pool })
    }
}

impl VideoNetwork for SlowResNet {
    fn maps(&self, clips: &Clips) -> Result<Clips> {
        let x = self.stem.over(clips)?;
        let mut x = x.each_frame(|maps| maps.max_pool(3, 2, Padding::symmetric(1)))?;
        for block in &self.blocks {
            x = block.forward(&x)?;
        }
        Ok(x)
    }

    /// The mean over all positions of a window of the mean within it, so that positions near the edge count less.
    fn vectors(&self, maps: &Tensor) -> Result<Tensor> {
        let (frames, pixels) = self.pool;
        let x = mean_of_windows(maps, 4, pixels)?;
        let x = mean_of_windows(&x, 3, pixels)?;
        mean_of_windows(&x, 1, frames)
    }
}

/// Averages all windows of `length` along `axis`, which goes away.
fn mean_of_windows(x: &Tensor, axis: usize, length: usize) -> Result<Tensor> {
    let whole = x.dim(axis)?;
    if whole < length {
        return Err(ZooError::InputShape {
            expected: "clips as long and frames as large as the window of the last average",
            found: x.dims().to_vec(),
        });
    }
    let windows = whole - length + 1;
    let windows_around = |position: usize| (position + 1).min(whole - position).min(length).min(windows);
    let share = 1.0 / (windows * length) as f64;
    let shares: Vec<f32> = (0..whole).map(|position| (windows_around(position) as f64 * share) as f32).collect();
    let mut shape = vec![1; x.dims().len()];
    shape[axis] = whole;
    Ok(x.broadcast_mul(&Tensor::from_vec(shares, shape, x.device())?)?.sum(axis)?)
}

/// A convolution of one or three frames, a 3x3 and a 1x1 beside a shortcut.
struct Bottleneck {
    convs: [Conv3d; 3],
    shortcut: Option<Conv3d>,
}

impl Bottleneck {
    fn read(
        weights: &Weights<'_>,
        (width_in, inside): (usize, usize),
        stride: usize,
        temporal_kernel: usize,
    ) -> Result<Self> {
        let width_out = 4 * inside;
        let branch = weights.at("branch2");
        let read = |letter: char, widths, kernel: (usize, usize), spatial_stride| {
            let geometry = Geometry3d { spatial_stride, ..Geometry3d::keeping(kernel.0, kernel.1) };
            let places = (branch.at(format!("conv_{letter}")), branch.at(format!("norm_{letter}")));
            conv_norm((&places.0, &places.1), ConvSizes3d { widths, kernel, geometry })
        };
        let shortcut = match width_in == width_out {
            true => None,
            false => {
                let geometry = Geometry3d { spatial_stride: stride, ..Geometry3d::keeping(1, 1) };
                let sizes = ConvSizes3d { widths: (width_in, width_out), kernel: (1, 1), geometry };
                Some(conv_norm((&weights.at("branch1_conv"), &weights.at("branch1_norm")), sizes)?)
            }
        };
        Ok(Self {
            convs: [
                read('a', (width_in, inside), (temporal_kernel, 1), 1)?.with_activation(Activation::Relu),
                read('b', (inside, inside), (1, 3), stride)?.with_activation(Activation::Relu),
                read('c', (inside, width_out), (1, 1), 1)?,
            ],
            shortcut,
        })
    }

    fn forward(&self, input: &Clips) -> Result<Clips> {
        let mut x = input.clone();
        for conv in &self.convs {
            x = conv.over(&x)?;
        }
        Ok(match &self.shortcut {
            Some(shortcut) => x.add(&shortcut.over(input)?, Activation::Relu)?,
            None => x.add(input, Activation::Relu)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn a_window_as_long_as_the_axis_is_the_mean() {
        let x = Tensor::new(&[[1f32, 2.0, 6.0]], &Device::Cpu).unwrap();
        assert_eq!(mean_of_windows(&x, 1, 3).unwrap().to_vec1::<f32>().unwrap(), [3.0]);
    }

    #[test]
    fn the_middle_counts_more_where_windows_overlap() {
        let x = Tensor::new(&[[1f32, 2.0, 6.0]], &Device::Cpu).unwrap();
        assert_eq!(mean_of_windows(&x, 1, 2).unwrap().to_vec1::<f32>().unwrap(), [(1.5 + 4.0) / 2.0]);
        assert!(mean_of_windows(&x, 1, 4).is_err());
    }
}
