use nn::Conv2d;

use super::super::framework::{ConvSizes, Framework};
use super::config::{EfficientNetConfig, Expansion};
use crate::Result;
use crate::weights::Weights;

/// The names of the layers in the checkpoint.
pub(super) struct Places<'a> {
    pub config: &'a EfficientNetConfig,
    pub weights: &'a Weights<'a>,
}

/// The layers of a block, in the order in which they run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Expand,
    Depthwise,
    Squeeze,
    Excite,
    Project,
}

impl Places<'_> {
    pub(super) fn stem(&self, sizes: ConvSizes) -> Result<Conv2d> {
        match self.config.framework {
            Framework::Torch => self.conv_norm(&self.weights.at(0).at(0), &self.weights.at(0).at(1), sizes),
            Framework::Keras => self.conv_norm(&self.weights.at("stem_conv"), &self.weights.at("stem_bn"), sizes),
        }
    }

    pub(super) fn head(&self, sizes: ConvSizes) -> Result<Conv2d> {
        match self.config.framework {
            Framework::Torch => {
                let head = self.weights.at(self.config.stages.len() + 1);
                self.conv_norm(&head.at(0), &head.at(1), sizes)
            }
            Framework::Keras => self.conv_norm(&self.weights.at("top_conv"), &self.weights.at("top_bn"), sizes),
        }
    }

    /// A convolution of block (stage, number) with its norm folded in.
    pub(super) fn block_conv(&self, block: (usize, usize), part: Part, sizes: ConvSizes) -> Result<Conv2d> {
        match self.config.framework {
            Framework::Torch => {
                let place = self.torch_block(block).at(self.torch_index(block.0, part));
                self.conv_norm(&place.at(0), &place.at(1), sizes)
            }
            Framework::Keras => {
                let at = |layer: &str| self.weights.at(keras_layer(block, layer));
                let (conv, norm) = match part {
                    Part::Expand => ("expand_conv", "expand_bn"),
                    Part::Depthwise => ("dwconv2", "bn"),
                    _ => ("project_conv", "project_bn"),
                };
                match part {
                    Part::Depthwise => self.keras_depthwise(&at(conv), &at(norm), sizes),
                    _ => self.conv_norm(&at(conv), &at(norm), sizes),
                }
            }
        }
    }

    /// One of the two squeeze-excite convolutions, which have biases and no norm.
    pub(super) fn excitation(&self, block: (usize, usize), part: Part, sizes: ConvSizes) -> Result<Conv2d> {
        let first = part == Part::Squeeze;
        let place = match self.config.framework {
            Framework::Torch => {
                let place = self.torch_block(block).at(self.torch_index(block.0, part));
                place.at(if first { "fc1" } else { "fc2" })
            }
            Framework::Keras => self.weights.at(keras_layer(block, if first { "se_reduce" } else { "se_expand" })),
        };
        self.config.framework.conv_bias(&place, sizes)
    }

    fn torch_block(&self, (stage, number): (usize, usize)) -> Weights<'_> {
        self.weights.at(stage + 1).at(number).at("block")
    }

    /// torchvision numbers the layers of a block, so the numbers depend on which layers there are.
    fn torch_index(&self, stage: usize, part: Part) -> usize {
        let stage = &self.config.stages[stage];
        let expands = usize::from(stage.expansion != 1);
        match (stage.kind, part) {
            (_, Part::Expand) => 0,
            (Expansion::Fused, _) => expands,
            (Expansion::Depthwise, Part::Depthwise) => expands,
            (Expansion::Depthwise, Part::Squeeze | Part::Excite) => expands + 1,
            (Expansion::Depthwise, Part::Project) => expands + 2,
        }
    }

    fn conv_norm(&self, conv: &Weights<'_>, norm: &Weights<'_>, sizes: ConvSizes) -> Result<Conv2d> {
        let framework = self.config.framework;
        let norm = framework.batch_norm(norm, sizes.width_out, self.config.norm_eps)?;
        Ok(framework.conv(conv, sizes)?.with_norm(&norm)?)
    }

    /// Keras keeps depthwise kernels as [kh, kw, channels, 1].
    fn keras_depthwise(&self, conv: &Weights<'_>, norm: &Weights<'_>, sizes: ConvSizes) -> Result<Conv2d> {
        let kernel = conv.tensor("depthwise_kernel", &[sizes.kernel, sizes.kernel, sizes.width_in, 1])?;
        let kernel = kernel.permute((2, 3, 0, 1))?.contiguous()?;
        let norm = self.config.framework.batch_norm(norm, sizes.width_out, self.config.norm_eps)?;
        Ok(Conv2d::new(kernel, None, sizes.stride, sizes.groups).with_norm(&norm)?)
    }
}

/// Keras counts stages from 1 and blocks from the letter a: `block4c_expand_conv`.
fn keras_layer((stage, number): (usize, usize), layer: &str) -> String {
    let letter = char::from(b'a' + number as u8);
    format!("block{}{letter}_{layer}", stage + 1)
}
