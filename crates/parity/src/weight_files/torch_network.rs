//! The network in the tiny torch files: two convolutions a frame and one over time, named as the thesis' checkpoints are.

use candle_core::{D, Tensor};
use nn::{Activation, Conv2d, Padding};
use zoo::weights::Weights;
use zoo::{Classifier, ClipNetwork, Conv1dHead, ConvSizes, Framework};

use super::Run;
use crate::Result;

const NORM_EPS: f64 = 1e-5;
const STEM: usize = 8;
const WIDTH: usize = 24;

/// Reads the network with a last layer of `classes`.
pub(super) fn read(weights: &Weights<'_>, classes: usize) -> Result<Run> {
    let frames = weights.at("encoder").at("feature");
    let stem = conv_norm(&frames.at(0), 0, ConvSizes::new(3, STEM, 3, 2))?;
    let depthwise = conv_norm(&frames.at(1), 0, ConvSizes::depthwise(STEM, 3, 1))?;
    let pointwise = conv_norm(&frames.at(1), 3, ConvSizes::new(STEM, WIDTH, 1, 1))?;
    let head = Conv1dHead::read(WIDTH, &weights.at("head"))?;
    let classifier = Classifier::read(WIDTH, classes, &weights.at("classifier"))?;
    Ok(Box::new(move |clips| {
        let (batch, count, channels, height, width) = clips.dims5()?;
        let frames = clips.reshape((batch * count, channels, height, width))?;
        let x = stem.forward(&frames, Padding::symmetric(1))?;
        let x = pointwise.forward(&depthwise.forward(&x, Padding::symmetric(1))?, Padding::symmetric(0))?;
        let spatial = nn::global_average(&x)?.reshape((batch, count, WIDTH))?;
        let logits = classifier.forward(&residual(&head, &spatial)?)?;
        Ok(vec![("softmax", candle_nn::ops::softmax(&logits, D::Minus1)?), ("logits", logits)])
    }))
}

fn residual(head: &Conv1dHead, spatial: &Tensor) -> Result<Tensor> {
    Ok((spatial + head.temporal(spatial)?)?)
}

/// The convolution `number` of a sequence and the norm behind it.
fn conv_norm(sequence: &Weights<'_>, number: usize, sizes: ConvSizes) -> Result<Conv2d> {
    let norm = Framework::Torch.batch_norm(&sequence.at(number + 1), sizes.width_out, NORM_EPS)?;
    let conv = Framework::Torch.conv(&sequence.at(number), sizes)?;
    Ok(conv.with_norm(&norm)?.with_activation(Activation::Silu))
}
