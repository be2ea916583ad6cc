//! Predictions of trained weights for one side of the split.

use candle_core::Device;
use evaluate::{Prediction, Predictions, Truth};
use zoo::weights::TensorSource;
use zoo::{Model, ModelCard, ProbabilityCalibration};

use crate::encoded::encoded;
use crate::{DataSet, Result, Split, TrainError};

/// Predicts one row for each clip of `split`, or for each frame where the model sees stills.
///
/// Probabilities are those of the card's calibration; features are the vectors that the last layer sees.
///
/// # Errors
/// The weights do not fit the card, or the device fails.
pub fn predict(
    card: &ModelCard,
    weights: &dyn TensorSource,
    data: &DataSet,
    split: Split,
    device: &Device,
) -> Result<Predictions> {
    let model = Model::read(&card.architecture()?, weights, device)?;
    let views = card.views()?.ok_or_else(|| TrainError::Recipe {
        recipe: card.name.clone(),
        problem: "the model has no views".to_owned(),
    })?;
    let calibration = card.calibration.unwrap_or(ProbabilityCalibration::UNFITTED);
    let mut rows = Vec::new();
    for number in data.of(split) {
        let example = &data.clips().examples()[number];
        for (clip, (logits, vector)) in outputs(&model, card, data, number)?.into_iter().enumerate() {
            rows.push(Prediction {
                patient: example.patient.clone(),
                study: example.study.clone(),
                loop_name: example.source.clone(),
                beat: Some(0),
                clip: Some(clip),
                truth: example.class.map_or(Truth::Outside, Truth::Class),
                probabilities: calibration.probabilities(&logits),
                energy: Some(ProbabilityCalibration::energy(&logits)),
                features: Some(vector),
                experts: Vec::new(),
                weight: 1.0,
            });
        }
    }
    Predictions::new(views.view_names(), numbered(rows))
        .map_err(|error| TrainError::Recipe { recipe: card.name.clone(), problem: error.to_string() })
}

/// Returns the vector of each example of `numbers`: the last layer's input, or the output of a model without classes.
/// It is the mean over frames where the model sees stills.
pub(crate) fn vectors(
    card: &ModelCard,
    weights: &dyn TensorSource,
    data: &DataSet,
    numbers: &[usize],
    device: &Device,
) -> Result<Vec<Vec<f32>>> {
    let model = Model::read(&card.architecture()?, weights, device)?;
    let vector = |&number: &usize| {
        let outputs = outputs(&model, card, data, number)?;
        let mean = |at: usize| outputs.iter().map(|(_, vector)| vector[at]).sum::<f32>() / outputs.len() as f32;
        Ok((0..outputs.first().map_or(0, |(_, vector)| vector.len())).map(mean).collect())
    };
    numbers.iter().map(vector).collect()
}

/// Counts the clips of a loop, which may have come one after the other.
fn numbered(mut rows: Vec<Prediction>) -> Vec<Prediction> {
    let mut seen: std::collections::BTreeMap<String, usize> = std::collections::BTreeMap::new();
    for row in &mut rows {
        let next = seen.entry(row.loop_name.clone()).or_default();
        row.clip = Some(*next);
        *next += 1;
    }
    rows
}

/// Returns logits (none where the model has no classes) and vector of each input that an example gives: the clip, or
/// each of its frames.
pub(crate) fn outputs(
    model: &Model,
    card: &ModelCard,
    data: &DataSet,
    number: usize,
) -> Result<Vec<(Vec<f32>, Vec<f32>)>> {
    let clips = encoded(model, &[data.clips().clip(number)?], card, |pixels| model.encode(pixels))?;
    // A model of stills takes each frame as a clip of its own.
    let inputs = if card.sees_stills() { clips.transpose(0, 1)? } else { clips };
    let embedded: Vec<Vec<f32>> = model.embed(&inputs)?.to_vec2()?;
    let logits = match model.has_classes() {
        true => model.classify(&inputs)?.logits.to_vec2()?,
        false => vec![Vec::new(); embedded.len()],
    };
    Ok(logits.into_iter().zip(embedded).collect())
}
