use nn::{Activation, Conv2d, FeatureMaps, Padding};

use super::super::framework::{ConvSizes, Framework};
use super::config::Expansion;
use super::places::{Part, Places};
use crate::Result;

/// An inverted residual: widen, look around, weigh the channels, narrow.
pub(super) struct Block {
    expand: Option<Padded>,
    depthwise: Option<(Padded, SqueezeExcite)>,
    project: Option<Conv2d>,
    residual: bool,
    /// Probability that the block is skipped during training (stochastic depth).
    drop_rate: f64,
}

/// A convolution whose padding depends on the framework.
struct Padded {
    conv: Conv2d,
    kernel: usize,
    stride: usize,
}

impl Padded {
    fn forward(&self, framework: Framework, x: &FeatureMaps) -> Result<FeatureMaps> {
        Ok(self.conv.over(x, framework.padding(x, self.kernel, self.stride)?)?)
    }
}

impl Block {
    /// Reads the block at (stage, number).
    pub(super) fn read(places: &Places<'_>, at: (usize, usize), width_in: usize, stride: usize) -> Result<Self> {
        let drop_rate = places.config.drop_rate(at);
        let stage = places.config.stages[at.0];
        let inside = width_in * stage.expansion;
        let silu = |part, sizes: ConvSizes| -> Result<Padded> {
            let conv = places.block_conv(at, part, sizes)?.with_activation(Activation::Silu);
            Ok(Padded { conv, kernel: sizes.kernel, stride: sizes.stride })
        };
        let project = || places.block_conv(at, Part::Project, ConvSizes::new(inside, stage.width, 1, 1));
        let (expand, depthwise, project) = match (stage.kind, stage.expansion) {
            // Without expansion one full convolution is the whole block; both frameworks keep it where the projection is.
            (Expansion::Fused, 1) => {
                (Some(silu(Part::Project, ConvSizes::new(width_in, stage.width, stage.kernel, stride))?), None, None)
            }
            (Expansion::Fused, _) => {
                let expand = silu(Part::Expand, ConvSizes::new(width_in, inside, stage.kernel, stride))?;
                (Some(expand), None, Some(project()?))
            }
            (Expansion::Depthwise, expansion) => {
                let expand = match expansion {
                    1 => None,
                    _ => Some(silu(Part::Expand, ConvSizes::new(width_in, inside, 1, 1))?),
                };
                let depthwise = silu(Part::Depthwise, ConvSizes::depthwise(inside, stage.kernel, stride))?;
                let excite = SqueezeExcite::read(places, at, inside, (width_in / 4).max(1))?;
                (expand, Some((depthwise, excite)), Some(project()?))
            }
        };
        Ok(Self { expand, depthwise, project, residual: stride == 1 && width_in == stage.width, drop_rate })
    }

    pub(super) fn forward(&self, framework: Framework, input: &FeatureMaps) -> Result<FeatureMaps> {
        let mut x = input.clone();
        if let Some(expand) = &self.expand {
            x = expand.forward(framework, &x)?;
        }
        if let Some((depthwise, excite)) = &self.depthwise {
            x = excite.forward(&depthwise.forward(framework, &x)?)?;
        }
        if let Some(project) = &self.project {
            x = project.over(&x, Padding::symmetric(0))?;
        }
        Ok(if self.residual { x.stochastic_depth(self.drop_rate)?.add(input, Activation::Identity)? } else { x })
    }
}

/// Weighs channels by a small network that sees their means.
struct SqueezeExcite {
    squeeze: Conv2d,
    excite: Conv2d,
}

impl SqueezeExcite {
    fn read(places: &Places<'_>, at: (usize, usize), width: usize, squeezed: usize) -> Result<Self> {
        let squeeze = places.excitation(at, Part::Squeeze, ConvSizes::new(width, squeezed, 1, 1))?;
        let excite = places.excitation(at, Part::Excite, ConvSizes::new(squeezed, width, 1, 1))?;
        Ok(Self {
            squeeze: squeeze.with_activation(Activation::Silu),
            excite: excite.with_activation(Activation::Sigmoid),
        })
    }

    fn forward(&self, x: &FeatureMaps) -> Result<FeatureMaps> {
        let none = Padding::symmetric(0);
        Ok(x.gate(|means| self.excite.over(&self.squeeze.over(means, none)?, none))?)
    }
}
