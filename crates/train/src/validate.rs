use candle_core::{D, Tensor};
use serde::{Deserialize, Serialize};
use zoo::{Model, ModelCard};

use crate::trainer::pixels;
use crate::{DataSet, Result, Split};

/// What a model makes of one side of the split.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Validation {
    /// Clips of views.
    pub clips: usize,
    /// Mean of minus the logarithm of the true view's probability.
    pub loss: f64,
    /// Share of clips whose most likely view is the true one.
    pub accuracy: f64,
    /// Mean of the largest probability on clips that show none of the views; low is good.
    pub confidence_on_others: Option<f64>,
}

/// Clips that go through the model at once.
const AT_ONCE: usize = 8;

/// Looks at all clips of `split` without changing anything.
pub(crate) fn validate(model: &Model, card: &ModelCard, data: &DataSet, split: Split) -> Result<Validation> {
    let (mut clips, mut right, mut loss) = (0, 0, 0.0);
    let (mut others, mut confidence) = (0, 0.0);
    for numbers in data.of(split).chunks(AT_ONCE) {
        let probabilities = probabilities(model, card, data, numbers)?;
        for (&number, probabilities) in numbers.iter().zip(probabilities) {
            let (best, largest) = largest(&probabilities);
            match data.clips().examples()[number].class {
                Some(class) => {
                    clips += 1;
                    right += usize::from(best == class);
                    loss -= f64::from(probabilities[class].max(1e-12)).ln();
                }
                None => {
                    others += 1;
                    confidence += f64::from(largest);
                }
            }
        }
    }
    let of = |sum: f64, count: usize| sum / count.max(1) as f64;
    Ok(Validation {
        clips,
        loss: of(loss, clips),
        accuracy: of(right as f64, clips),
        confidence_on_others: (others > 0).then(|| of(confidence, others)),
    })
}

/// The probabilities of each of the examples `numbers`; a model of stills sees every frame and their mean is taken.
pub(crate) fn probabilities(
    model: &Model,
    card: &ModelCard,
    data: &DataSet,
    numbers: &[usize],
) -> Result<Vec<Vec<f32>>> {
    let mut all = Vec::new();
    for &number in numbers {
        let clip = data.clips().clip(number)?;
        let frames = clip.frames;
        let vectors = model.encode(&pixels(&[clip], card)?)?;
        let looks = if card.sees_stills() { (frames, 1) } else { (1, frames) };
        let looks = vectors.reshape([&[looks.0, looks.1], &vectors.dims()[1..]].concat())?;
        all.push(softmax(&model.classify(&looks)?.logits)?.mean(0)?.to_vec1()?);
    }
    Ok(all)
}

fn softmax(logits: &Tensor) -> Result<Tensor> {
    Ok(candle_nn::ops::softmax(logits, D::Minus1)?)
}

fn largest(probabilities: &[f32]) -> (usize, f32) {
    let best = probabilities.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1));
    best.unwrap_or((0, f32::NAN))
}
