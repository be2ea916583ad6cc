//! The network in the tiny Keras files: Xception's first blocks with few channels, nested as EchoView47's files are.

use candle_core::D;
use nn::{Activation, Conv2d, FeatureMaps, Padding};
use zoo::weights::Weights;
use zoo::{Classifier, ConvSizes, Framework};

use super::Run;
use crate::Result;

const NORM_EPS: f64 = 1e-3;
const WIDTHS: [usize; 3] = [8, 16, 24];

/// Reads the network, with a last layer if it has `classes`.
pub(super) fn read(weights: &Weights<'_>, classes: Option<usize>) -> Result<Run> {
    let encoder = weights.at("encoder").separated_by('/');
    let [stem, middle, last] = WIDTHS;
    let first = conv_norm(&encoder, ("block1_conv1", "block1_conv1_bn"), ConvSizes::new(3, stem, 3, 2))?;
    let first = first.with_activation(Activation::Relu);
    let second = Block::read(&encoder, (2, ""), (stem, middle))?;
    let third = Block::read(&encoder, (3, "_1"), (middle, last))?;
    let classifier = classes.map(|classes| Classifier::read(last, classes, &weights.at("classifier"))).transpose()?;
    Ok(Box::new(move |frames| {
        let x = first.over(&frames.clone().into(), Padding::symmetric(0))?;
        let x = second.forward(&x, &x)?;
        let x = third.forward(&x.relu()?, &x)?;
        let features = x.global_average()?.tensor()?.flatten_from(1)?;
        Ok(match &classifier {
            Some(classifier) => {
                let logits = classifier.forward(&features.unsqueeze(1)?)?;
                vec![("softmax", candle_nn::ops::softmax(&logits, D::Minus1)?)]
            }
            None => vec![("features", features)],
        })
    }))
}

/// A separable convolution and a pooling beside a strided shortcut.
struct Block {
    depthwise: Conv2d,
    pointwise: Conv2d,
    shortcut: Conv2d,
}

impl Block {
    fn read(
        weights: &Weights<'_>,
        (number, suffix): (usize, &str),
        (width_in, width_out): (usize, usize),
    ) -> Result<Self> {
        let name = format!("block{number}_sepconv1");
        let pair = weights.at(&name);
        let depthwise = pair.tensor("depthwise_kernel", &[3, 3, width_in, 1])?.permute((2, 3, 0, 1))?.contiguous()?;
        let pointwise = pair.tensor("pointwise_kernel", &[1, 1, width_in, width_out])?;
        let pointwise = Conv2d::new(pointwise.permute((3, 2, 0, 1))?.contiguous()?, None, 1, 1);
        let norm = Framework::Keras.batch_norm(&weights.at(format!("{name}_bn")), width_out, NORM_EPS)?;
        let places = (format!("conv2d{suffix}"), format!("batch_normalization{suffix}"));
        Ok(Self {
            depthwise: Conv2d::new(depthwise, None, 1, width_in),
            pointwise: pointwise.with_norm(&norm)?,
            shortcut: conv_norm(weights, (&places.0, &places.1), ConvSizes::new(width_in, width_out, 1, 2))?,
        })
    }

    fn forward(&self, x: &FeatureMaps, before: &FeatureMaps) -> Result<FeatureMaps> {
        let x = self.pointwise.over(&self.depthwise.over_same(x)?, Padding::symmetric(0))?;
        let (_, height, width) = x.size()?;
        let pooled = x.max_pool(3, 2, Padding::same(height, width, 3, 2))?;
        Ok(pooled.add(&self.shortcut.over_same(before)?, Activation::Identity)?)
    }
}

fn conv_norm(weights: &Weights<'_>, (conv, norm): (&str, &str), sizes: ConvSizes) -> Result<Conv2d> {
    let norm_weights = weights.at(norm);
    let conv = Framework::Keras.conv(&weights.at(conv), sizes)?;
    Ok(conv.with_norm(&Framework::Keras.batch_norm(&norm_weights, sizes.width_out, NORM_EPS)?)?)
}
