use serde::{Deserialize, Serialize};
use zoo::{Confidence, Model, ModelCard};

use crate::predict::looks;
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

/// Looks at all clips of `split` without changing anything.
pub(crate) fn validate(model: &Model, card: &ModelCard, data: &DataSet, split: Split) -> Result<Validation> {
    let (mut clips, mut right, mut loss) = (0, 0, 0.0);
    let (mut others, mut confidence) = (0, 0.0);
    for number in data.of(split) {
        let probabilities = probabilities(model, card, data, number)?;
        let (best, largest) = largest(&probabilities);
        match data.clips().examples()[number].class {
            Some(class) => {
                clips += 1;
                right += usize::from(best == class);
                loss -= probabilities[class].max(1e-12).ln();
            }
            None => {
                others += 1;
                confidence += largest;
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

/// The probabilities of one example; a model of stills sees every frame and their mean is taken.
fn probabilities(model: &Model, card: &ModelCard, data: &DataSet, number: usize) -> Result<Vec<f64>> {
    let looks = looks(model, card, data, number)?;
    let all: Vec<Vec<f64>> = looks.iter().map(|(logits, _)| Confidence::UNFITTED.probabilities(logits)).collect();
    let classes = all.first().map_or(0, Vec::len);
    Ok((0..classes).map(|class| all.iter().map(|row| row[class]).sum::<f64>() / all.len() as f64).collect())
}

fn largest(probabilities: &[f64]) -> (usize, f64) {
    let best = probabilities.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1));
    best.unwrap_or((0, f64::NAN))
}
