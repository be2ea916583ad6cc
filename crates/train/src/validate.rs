use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};
use zoo::{Model, ModelCard, ProbabilityCalibration};

use crate::objective::{Contrast, contrastive};
use crate::predict::outputs;
use crate::{DataSet, Result, Split};

/// Metrics of a model on one side of the split.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Validation {
    /// Clips of views.
    pub clips: usize,
    /// Mean of minus the logarithm of the true view's probability; the contrastive loss where that is the objective.
    pub loss: f64,
    /// Share of clips whose most likely view, or nearest neighbor, is of the true view.
    pub accuracy: f64,
    /// Mean of the largest probability on clips that show none of the views; low is good.
    pub confidence_on_others: Option<f64>,
}

/// Evaluates the model on all clips of the validation set.
pub(crate) fn validate(model: &Model, card: &ModelCard, data: &DataSet) -> Result<Validation> {
    let (mut clips, mut right, mut loss) = (0, 0, 0.0);
    let (mut others, mut confidence) = (0, 0.0);
    for number in data.of(Split::Validation) {
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

/// Most clips whose vectors are compared with each other: the cosines are a matrix of all pairs.
const MAX_COMPARED: usize = 2048;

/// Evaluates the vectors of the validation set: the contrastive loss, and the share of clips whose nearest neighbor by angle
/// is of their class.
pub(crate) fn validate_vectors(
    model: &Model,
    card: &ModelCard,
    data: &DataSet,
    (form, temperature): (Contrast, f64),
) -> Result<Validation> {
    let mut numbers = data.of(Split::Validation);
    numbers.truncate(MAX_COMPARED);
    let (mut vectors, mut classes) = (Vec::new(), Vec::new());
    for &number in &numbers {
        for (_, vector) in outputs(model, card, data, number)?.into_iter().take(1) {
            vectors.push(Tensor::from_vec(vector, model.width(), &Device::Cpu)?);
            classes.push(data.clips().examples()[number].class);
        }
    }
    let vectors = Tensor::stack(&vectors, 0)?;
    let unit = vectors.broadcast_div(&(vectors.sqr()?.sum_keepdim(1)?.sqrt()? + 1e-12)?)?;
    let cosines: Vec<Vec<f32>> = unit.matmul(&unit.t()?)?.to_vec2()?;
    let has_nearest_of_its_class = |(row, cosines): (usize, &Vec<f32>)| {
        let others = cosines.iter().enumerate().filter(|(other, _)| *other != row);
        others.max_by(|a, b| a.1.total_cmp(b.1)).is_some_and(|(nearest, _)| classes[nearest] == classes[row])
    };
    let right = cosines.iter().enumerate().filter(|row| has_nearest_of_its_class(*row)).count();
    let loss = contrastive(&vectors, &classes, form, temperature)?.to_scalar::<f32>()?;
    Ok(Validation {
        clips: classes.len(),
        loss: f64::from(loss),
        accuracy: right as f64 / classes.len().max(1) as f64,
        confidence_on_others: None,
    })
}

/// Returns the probabilities of one example; a model of stills sees every frame and their mean is taken.
fn probabilities(model: &Model, card: &ModelCard, data: &DataSet, number: usize) -> Result<Vec<f64>> {
    let outputs = outputs(model, card, data, number)?;
    let all: Vec<Vec<f64>> =
        outputs.iter().map(|(logits, _)| ProbabilityCalibration::UNFITTED.probabilities(logits)).collect();
    let classes = all.first().map_or(0, Vec::len);
    Ok((0..classes).map(|class| all.iter().map(|row| row[class]).sum::<f64>() / all.len() as f64).collect())
}

fn largest(probabilities: &[f64]) -> (usize, f64) {
    let best = probabilities.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1));
    best.unwrap_or((0, f64::NAN))
}
