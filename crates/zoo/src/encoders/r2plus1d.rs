//! R(2+1)D as in torchvision (Tran et al., "A Closer Look at Spatiotemporal Convolutions for Action Recognition", CVPR
//! 2018): every 3D convolution is one over the image and then one over time.

use nn::{Activation, Clips, Conv3d, Geometry3d};

use super::video::{ConvSizes3d, VideoConfig, VideoNetwork, conv_norm};
use crate::Result;
use crate::heads::factorized_width;
use crate::weights::Weights;

/// The sizes of an R(2+1)D network.
#[derive(Debug, Clone)]
pub struct R2Plus1dConfig {
    /// Blocks in each of the four stages.
    pub blocks: [usize; 4],
    /// Channels of the stem and of the first stage; every stage doubles them.
    pub stem: usize,
}

impl R2Plus1dConfig {
    /// R(2+1)D with 18 layers.
    pub fn layers18() -> Self {
        Self { blocks: [2, 2, 2, 2], stem: 64 }
    }

    /// Few and narrow blocks, for tests.
    pub fn miniature() -> Self {
        Self { blocks: [1, 1, 1, 1], stem: 4 }
    }

    /// The length of the vector that stands for a clip.
    pub fn width(&self) -> usize {
        self.stem << 3
    }
}

/// Channels between the stem's two convolutions.
const STEM_INSIDE: usize = 45;

impl VideoConfig for R2Plus1dConfig {
    fn network(&self, weights: &Weights<'_>) -> Result<Box<dyn VideoNetwork>> {
        Ok(Box::new(R2Plus1d::read(self, weights)?))
    }

    fn vector_width(&self) -> usize {
        self.width()
    }
}

/// An R(2+1)D network without its classifier.
pub struct R2Plus1d {
    stem: [Conv3d; 2],
    blocks: Vec<Block>,
}

impl R2Plus1d {
    /// Reads the network from weights at the root of torchvision's names.
    ///
    /// # Errors
    /// A tensor is missing or has another shape.
    pub fn read(config: &R2Plus1dConfig, weights: &Weights<'_>) -> Result<Self> {
        let stem = weights.at("stem");
        let over_image = ConvSizes3d {
            widths: (3, STEM_INSIDE),
            kernel: (1, 7),
            geometry: Geometry3d { spatial_stride: 2, ..Geometry3d::keeping(1, 7) },
        };
        let over_time =
            ConvSizes3d { widths: (STEM_INSIDE, config.stem), kernel: (3, 1), geometry: Geometry3d::keeping(3, 1) };
        let stem = [
            conv_norm((&stem.at(0), &stem.at(1)), over_image)?.with_activation(Activation::Relu),
            conv_norm((&stem.at(3), &stem.at(4)), over_time)?.with_activation(Activation::Relu),
        ];
        let mut blocks = Vec::new();
        let mut width_in = config.stem;
        for (stage, &count) in config.blocks.iter().enumerate() {
            let width = config.stem << stage;
            for block in 0..count {
                let stride = if block == 0 && stage > 0 { 2 } else { 1 };
                blocks.push(Block::read(
                    &weights.at(format!("layer{}", stage + 1)).at(block),
                    (width_in, width),
                    stride,
                )?);
                width_in = width;
            }
        }
        Ok(Self { stem, blocks })
    }
}

impl VideoNetwork for R2Plus1d {
    fn maps(&self, clips: &Clips) -> Result<Clips> {
        let mut x = clips.clone();
        for conv in &self.stem {
            x = conv.over(&x)?;
        }
        for block in &self.blocks {
            x = block.forward(&x)?;
        }
        Ok(x)
    }
}

/// Two factorized convolutions beside a shortcut.
struct Block {
    convs: [Conv3d; 4],
    shortcut: Option<Conv3d>,
}

impl Block {
    fn read(weights: &Weights<'_>, (width_in, width): (usize, usize), stride: usize) -> Result<Self> {
        // torchvision takes the first convolution's inner width for the second as well.
        let inside = factorized_width(width_in, width);
        let [image1, time1] = factorized(&weights.at("conv1"), [width_in, inside, width], stride)?;
        let [image2, time2] = factorized(&weights.at("conv2"), [width, inside, width], 1)?;
        let shortcut = match stride == 1 && width_in == width {
            true => None,
            false => {
                let places = weights.at("downsample");
                let sizes = ConvSizes3d {
                    widths: (width_in, width),
                    kernel: (1, 1),
                    geometry: Geometry3d {
                        temporal_stride: stride,
                        spatial_stride: stride,
                        ..Geometry3d::keeping(1, 1)
                    },
                };
                Some(conv_norm((&places.at(0), &places.at(1)), sizes)?)
            }
        };
        Ok(Self { convs: [image1, time1.with_activation(Activation::Relu), image2, time2], shortcut })
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

/// A convolution over the image with norm and ReLU, then one over time with norm; both have the stride.
fn factorized(weights: &Weights<'_>, [width_in, inside, width]: [usize; 3], stride: usize) -> Result<[Conv3d; 2]> {
    let pair = weights.at(0);
    let over_image = ConvSizes3d {
        widths: (width_in, inside),
        kernel: (1, 3),
        geometry: Geometry3d { spatial_stride: stride, ..Geometry3d::keeping(1, 3) },
    };
    let over_time = ConvSizes3d {
        widths: (inside, width),
        kernel: (3, 1),
        geometry: Geometry3d { temporal_stride: stride, ..Geometry3d::keeping(3, 1) },
    };
    let image = conv_norm((&pair.at(0), &pair.at(1)), over_image)?.with_activation(Activation::Relu);
    Ok([image, conv_norm((&pair.at(3), &weights.at(1)), over_time)?])
}
