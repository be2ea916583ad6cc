//! Learning and judging a new last layer.

use std::collections::{BTreeMap, BTreeSet};

use evaluate::calibration::{CalibrationFit, CalibrationTargets, expected_error};
use evaluate::comparison::{Interval, bootstrap_by_patient, interval_of_all_alike};
use evaluate::{Level, Prediction, Predictions, Truth, aggregate};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::folds::Folds;
use crate::head::softmax;
use crate::ridge::{Rows, fit};
use crate::{LabelledLoop, LinearHead, Result, requirements};

/// Parts of the patients, each left out in turn.
pub(crate) const FOLDS: usize = 5;
const BOOTSTRAP_ROUNDS: usize = 2000;
/// The share of resamples inside an interval that is shown.
const LEVEL: f64 = 0.95;
/// The same for the decision: the layer is better in all but a tenth of the resamples.
const DECISION_LEVEL: f64 = 0.8;

/// A model's answers on loops whose patients it did not learn from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// The share of loops whose likeliest view is right; the interval is over patients.
    pub accuracy: Option<Interval>,
    /// The expected calibration error over 15 bins, 0 to 1.
    pub calibration_error: Option<f64>,
}

/// One view before and after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ViewChange {
    /// The view.
    pub view: String,
    /// Its labelled loops.
    pub loops: usize,
    /// The patients of these loops.
    pub patients: usize,
    /// The share of them that the model itself gets right.
    pub before: Option<Interval>,
    /// The share that new layers get right on patients left out.
    pub after: Option<Interval>,
}

/// A new last layer and its judgement on patients left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Adaptation {
    /// The layer, learned from all loops.
    pub head: LinearHead,
    /// Its penalty.
    pub ridge: f64,
    /// Loops whose view is known.
    pub loops: usize,
    /// Patients of all loops.
    pub patients: usize,
    /// The model itself.
    pub before: Judgement,
    /// Layers that learned from the other patients.
    pub after: Judgement,
    /// The gain in accuracy, with an interval over patients.
    pub gain: Option<Interval>,
    /// View by view.
    pub views: Vec<ViewChange>,
    /// Temperature, sets and energy threshold, fitted on the patients left out.
    pub calibration: CalibrationFit,
    /// True if patients left out are labelled better, in all but a tenth of the resamples of patients.
    pub is_better: bool,
}

/// Learns a new last layer for `views` from labelled loops and judges it on patients left out.
///
/// `own` is the model's own layer; one of zeros for a model without classes or of other views. `progress` hears of parts
/// of the patients judged, and of all.
///
/// # Errors
/// There are too few loops of a view or too few patients, or vectors that differ in length or are not finite.
pub fn adapt(
    loops: &[LabelledLoop],
    views: &[String],
    own: &LinearHead,
    seed: u64,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Adaptation> {
    requirements::check(loops, views, own)?;
    let patients: Vec<String> = loops.iter().map(|one| one.patient.clone()).collect();
    let folds = Folds::new(&patients, FOLDS, seed);
    let done = std::sync::atomic::AtomicUsize::new(0);
    let heads: Vec<LinearHead> = (0..folds.count())
        .into_par_iter()
        .map(|fold| {
            let others = loops.iter().enumerate().filter(|(row, _)| folds.of_row(*row) != fold).map(|(_, one)| one);
            let (head, _) = fit(&Rows::new(others, own), own, seed + 1 + fold as u64);
            let done = 1 + done.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            progress(done, folds.count() + 1);
            head
        })
        .collect();
    let before = predictions(loops, views, |_| own)?;
    let after = predictions(loops, views, |row| &heads[folds.of_row(row)])?;
    let calibration = CalibrationFit::from_clips(&after, CalibrationTargets::default())?;
    let (head, ridge) = fit(&Rows::new(loops.iter(), own), own, seed);
    progress(folds.count() + 1, folds.count() + 1);

    let before = aggregate(&before, Level::Loop)?;
    let after = aggregate(&after.at_temperature(calibration.temperature)?, Level::Loop)?;
    let (gain, is_better) = gain(&before, &after)?;
    Ok(Adaptation {
        head,
        ridge,
        loops: before.labelled().count(),
        patients: patients.iter().collect::<BTreeSet<_>>().len(),
        before: judgement(&before)?,
        after: judgement(&after)?,
        gain,
        views: view_changes(views, &before, &after)?,
        calibration,
        is_better,
    })
}

/// Returns one row a sample, with the probabilities that the layer `head_of` the loop's row gives.
pub(crate) fn predictions<'a>(
    loops: &[LabelledLoop],
    views: &[String],
    head_of: impl Fn(usize) -> &'a LinearHead,
) -> Result<Predictions> {
    let mut rows = Vec::new();
    for (row, one) in loops.iter().enumerate() {
        for (clip, sample) in one.samples.iter().enumerate() {
            let (probabilities, log_sum) = softmax(&head_of(row).logits(&sample.vector));
            rows.push(Prediction {
                patient: one.patient.clone(),
                study: one.study.clone(),
                loop_name: one.loop_name.clone(),
                beat: sample.beat,
                clip: Some(clip),
                truth: one.class.map_or(Truth::Outside, Truth::Class),
                probabilities,
                energy: Some(-log_sum),
                features: None,
                experts: Vec::new(),
                weight: 1.0,
            });
        }
    }
    Ok(Predictions::new(views.to_vec(), rows)?)
}

fn judgement(loops: &Predictions) -> Result<Judgement> {
    let rows: Vec<&Prediction> = loops.labelled().map(|(row, _)| row).collect();
    Ok(Judgement { accuracy: accuracy(&rows)?, calibration_error: expected_error(loops) })
}

/// Returns the gain in accuracy, and whether it is one in all but a tenth of the resamples.
fn gain(before: &Predictions, after: &Predictions) -> Result<(Option<Interval>, bool)> {
    let pairs: Vec<(&Prediction, &Prediction)> =
        before.labelled().zip(after.labelled()).map(|((before, _), (after, _))| (before, after)).collect();
    let rows: Vec<&Prediction> = pairs.iter().map(|(before, _)| *before).collect();
    let difference = |drawn: &[usize]| {
        let of = |side: fn(&(&Prediction, &Prediction)) -> bool| share(drawn.iter().map(|row| side(&pairs[*row])));
        vec![of(|pair| is_right(pair.1)).zip(of(|pair| is_right(pair.0))).map(|(after, before)| after - before)]
    };
    let patients = patient_numbers(&rows);
    let at = |level| -> Result<Option<Interval>> {
        Ok(bootstrap_by_patient(&patients, BOOTSTRAP_ROUNDS, level, 0, difference)?.into_iter().next().flatten())
    };
    Ok((at(LEVEL)?, at(DECISION_LEVEL)?.is_some_and(|interval| interval.low > 0.0)))
}

fn view_changes(views: &[String], before: &Predictions, after: &Predictions) -> Result<Vec<ViewChange>> {
    let of_view = |predictions: &Predictions, class: usize| -> Result<(Option<Interval>, usize, usize)> {
        let rows: Vec<&Prediction> =
            predictions.labelled().filter(|(_, truth)| *truth == class).map(|(row, _)| row).collect();
        let patients: BTreeSet<usize> = patient_numbers(&rows).into_iter().collect();
        Ok((accuracy(&rows)?, rows.len(), patients.len()))
    };
    let change = |(class, view): (usize, &String)| {
        let ((before, loops, patients), (after, ..)) = (of_view(before, class)?, of_view(after, class)?);
        Ok(ViewChange { view: view.clone(), loops, patients, before, after })
    };
    views.iter().enumerate().map(change).collect()
}

/// Returns the share of rows that are right, with an interval over patients.
fn accuracy(rows: &[&Prediction]) -> Result<Option<Interval>> {
    let patients = patient_numbers(rows);
    let count = patients.iter().collect::<BTreeSet<_>>().len();
    if let Some(alike) =
        share(rows.iter().map(|row| is_right(row))).and_then(|share| interval_of_all_alike(share, count, LEVEL))
    {
        return Ok(Some(alike));
    }
    let metric = |drawn: &[usize]| vec![share(drawn.iter().map(|row| is_right(rows[*row])))];
    Ok(bootstrap_by_patient(&patients, BOOTSTRAP_ROUNDS, LEVEL, 0, metric)?.into_iter().next().flatten())
}

pub(crate) fn is_right(row: &Prediction) -> bool {
    row.is_correct() == Some(true)
}

pub(crate) fn share(flags: impl ExactSizeIterator<Item = bool>) -> Option<f64> {
    let count = flags.len();
    (count > 0).then(|| flags.filter(|flag| *flag).count() as f64 / count as f64)
}

/// Numbers the rows' patients from 0.
fn patient_numbers(rows: &[&Prediction]) -> Vec<usize> {
    let mut number_of: BTreeMap<&str, usize> = BTreeMap::new();
    rows.iter()
        .map(|row| {
            let next = number_of.len();
            *number_of.entry(row.patient.as_str()).or_insert(next)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use random::Stream;

    use super::*;
    use crate::AdaptError;

    /// Loops of three views of `patients` patients, `each` of a view: the view is in the vector's first numbers.
    fn loops(patients: usize, each: usize, signal: f64) -> Vec<LabelledLoop> {
        let mut stream = Stream::new(7);
        let mut loops = Vec::new();
        for number in 0..3 * each {
            let class = number % 3;
            let samples = (0..2).map(|beat| {
                let value = |at: usize| signal * f64::from(u8::from(at == class)) + stream.normal();
                crate::Sample { beat: Some(beat), vector: (0..20).map(value).map(|value| value as f32).collect() }
            });
            loops.push(LabelledLoop {
                patient: format!("p{}", number % patients),
                study: format!("s{}", number % patients),
                loop_name: format!("l{number}"),
                class: Some(class),
                samples: samples.collect(),
            });
        }
        loops
    }

    fn views() -> Vec<String> {
        ["A", "B", "C"].map(ToOwned::to_owned).to_vec()
    }

    #[test]
    fn a_signal_is_learned_and_accepted() {
        let adapted = adapt(&loops(10, 30, 3.0), &views(), &LinearHead::zeros(3, 20), 1, &|_, _| ()).expect("learned");
        let accuracy = adapted.after.accuracy.expect("an interval").value;
        assert!(adapted.is_better && accuracy > 0.9, "{accuracy}");
        assert!(adapted.views.iter().all(|view| view.loops == 30 && view.patients == 10));
    }

    #[test]
    fn noise_is_not_accepted_and_a_good_layer_is_kept() {
        let mut own = LinearHead::zeros(3, 20);
        (0..3).for_each(|view| own.weight[view][view] = 4.0);
        let adapted = adapt(&loops(10, 30, 5.0), &views(), &own, 1, &|_, _| ()).expect("learned");
        let (before, after) = (adapted.before.accuracy.expect("one").value, adapted.after.accuracy.expect("one").value);
        assert!(!adapted.is_better && after >= before - 0.04, "{before} {after}");
        let noise = adapt(&loops(10, 30, 0.0), &views(), &LinearHead::zeros(3, 20), 1, &|_, _| ()).expect("learned");
        assert!(!noise.is_better || noise.after.accuracy.expect("one").value < 0.5);
    }

    #[test]
    fn too_few_loops_or_patients_are_refused_by_name() {
        let few = adapt(&loops(10, 4, 3.0), &views(), &LinearHead::zeros(3, 20), 1, &|_, _| ()).expect_err("too few");
        assert!(few.to_string().contains("A has 4 of 4 patients"), "{few}");
        let alone = adapt(&loops(2, 30, 3.0), &views(), &LinearHead::zeros(3, 20), 1, &|_, _| ()).expect_err("two");
        assert!(matches!(alone, AdaptError::TooFewPatients(2)));
        let mut broken = loops(10, 10, 3.0);
        broken[4].samples[0].vector[0] = f32::NAN;
        assert!(adapt(&broken, &views(), &LinearHead::zeros(3, 20), 1, &|_, _| ()).is_err());
    }

    #[test]
    fn the_same_loops_give_the_same_layer() {
        let learn = || adapt(&loops(8, 8, 2.0), &views(), &LinearHead::zeros(3, 20), 5, &|_, _| ()).expect("learned");
        assert_eq!(learn(), learn());
    }
}
