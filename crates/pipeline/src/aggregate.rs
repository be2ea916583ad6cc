use std::collections::BTreeMap;

use zoo::ProbabilityCalibration;

/// Joins what models say of each clip into what a pipeline says of the loop.
///
/// Softmax vectors are averaged over the clips of a beat (its frames where a model sees stills), over the beats, so that
/// a beat with many windows does not outvote the others, and over the models.
pub struct Aggregation;

/// Answer of one model about a loop.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelAnswer {
    /// One probability a view; they sum to 1.
    probabilities: Vec<f64>,
    /// The views that it may show: with the card's promise of how often the true one is among them.
    prediction_set: Vec<usize>,
    /// The mean energy of its clips: high where no view speaks up.
    energy: f64,
    /// The energy above which the loop shows none of the views.
    energy_threshold: Option<f64>,
}

/// The decision about a loop.
#[derive(Debug, Clone, PartialEq)]
pub struct LoopView {
    /// The most likely view's index, or `None` when the pipeline abstains.
    pub view: Option<usize>,
    /// The probability of the most likely view, 0 to 1.
    pub confidence: f64,
    /// One probability a view; they sum to 1.
    pub probabilities: Vec<f64>,
    /// The views that it may show by any of the models, most likely first.
    pub prediction_set: Vec<usize>,
    /// The mean energy of the models; `None` where one gave no usable numbers.
    pub energy: Option<f64>,
    /// The reason for abstaining.
    pub reason: Option<String>,
}

/// The rule for giving a loop no view.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AbstentionRules {
    /// The most likely view is less likely than this.
    pub below: f64,
    /// It may show more views than this.
    pub most_views: Option<usize>,
}

impl Aggregation {
    /// Joins the logits that a model gives for clips, each with its beat's number (if any).
    pub fn of_clips(clips: &[(Option<usize>, &[f32])], calibration: &ProbabilityCalibration) -> ModelAnswer {
        let mut beats: BTreeMap<Option<usize>, Vec<Vec<f64>>> = BTreeMap::new();
        for (beat, logits) in clips {
            beats.entry(*beat).or_default().push(calibration.probabilities(logits));
        }
        let of_beats: Vec<Vec<f64>> = beats.values().map(|clips| mean(clips)).collect();
        let probabilities = mean(&of_beats);
        let energies = clips.iter().map(|(_, logits)| ProbabilityCalibration::energy(logits));
        ModelAnswer {
            prediction_set: calibration.set(&probabilities),
            probabilities,
            energy: mean_of(energies),
            energy_threshold: calibration.energy_threshold,
        }
    }

    /// Returns the probability of each view: the mean of the models', times the `shares` that the views have of what is
    /// recorded, where models were trained on as many loops of each (Saerens, Latinne and Decaestecker, Neural Computation
    /// 2002;14:21-41).
    pub fn probabilities(answers: &[ModelAnswer], shares: Option<&[f64]>) -> Vec<f64> {
        let all: Vec<&[f64]> = answers.iter().map(|answer| answer.probabilities.as_slice()).collect();
        let mut probabilities = mean(&all);
        if let Some(shares) = shares {
            probabilities.iter_mut().zip(shares).for_each(|(probability, share)| *probability *= share);
            let sum: f64 = probabilities.iter().sum();
            probabilities.iter_mut().for_each(|probability| *probability /= sum);
        }
        probabilities
    }

    /// Decides about a loop from the answers of one or more models, and abstains by `rules`, or where the models' calibration
    /// says that the loop shows none of the views.
    pub fn decide(answers: &[ModelAnswer], shares: Option<&[f64]>, rules: AbstentionRules) -> LoopView {
        let probabilities = Self::probabilities(answers, shares);
        let best = probabilities.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1));
        let Some((view, largest)) = best.filter(|(_, largest)| largest.is_finite()) else {
            return LoopView {
                view: None,
                confidence: 0.0,
                probabilities: Vec::new(),
                prediction_set: Vec::new(),
                energy: None,
                reason: Some("the model gave no usable numbers".to_owned()),
            };
        };
        let in_a_set = |view: &usize| answers.iter().any(|answer| answer.prediction_set.contains(view));
        let mut prediction_set: Vec<usize> = (0..probabilities.len()).filter(in_a_set).collect();
        prediction_set.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
        let energy = mean_of(answers.iter().map(|answer| answer.energy));
        let thresholds: Option<Vec<f64>> = answers.iter().map(|answer| answer.energy_threshold).collect();
        let most = thresholds.map(|thresholds| mean_of(thresholds.into_iter()));
        let reason = if most.is_some_and(|most| energy > most) {
            Some("it looks like none of the views that the model knows".to_owned())
        } else if largest < rules.below {
            Some(format!("confidence {largest:.2} is below {:.2}", rules.below))
        } else {
            let most = rules.most_views.filter(|most| prediction_set.len() > *most);
            most.map(|most| format!("it may show any of {} views, more than {most}", prediction_set.len()))
        };
        LoopView {
            view: reason.is_none().then_some(view),
            confidence: largest,
            probabilities,
            prediction_set,
            energy: Some(energy),
            reason,
        }
    }
}

fn mean<Row: AsRef<[f64]>>(rows: &[Row]) -> Vec<f64> {
    let width = rows.first().map_or(0, |row| row.as_ref().len());
    (0..width).map(|column| mean_of(rows.iter().map(|row| row.as_ref()[column]))).collect()
}

fn mean_of(numbers: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = numbers.len() as f64;
    numbers.sum::<f64>() / count
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: AbstentionRules = AbstentionRules { below: 0.6, most_views: None };

    /// Logits whose softmax is these probabilities.
    fn logits(probabilities: &[f32]) -> Vec<f32> {
        probabilities.iter().map(|probability| probability.max(1e-9).ln()).collect()
    }

    fn join(
        clips: &[(Option<usize>, Vec<f32>)],
        calibration: &ProbabilityCalibration,
        rules: AbstentionRules,
    ) -> LoopView {
        let clips: Vec<_> = clips.iter().map(|(beat, logits)| (*beat, logits.as_slice())).collect();
        Aggregation::decide(&[Aggregation::of_clips(&clips, calibration)], None, rules)
    }

    #[test]
    fn every_beat_counts_alike() {
        let (first, second) = (logits(&[1.0, 0.0]), logits(&[0.0, 1.0]));
        let clips = [(Some(0), first.clone()), (Some(0), first), (Some(1), second)];
        let view = join(&clips, &ProbabilityCalibration::UNFITTED, RULES);
        assert!((view.probabilities[0] - 0.5).abs() < 1e-6);
        assert_eq!(view.view, None);
        assert!(view.reason.unwrap().contains("below 0.60"));
    }

    #[test]
    fn a_sure_model_is_believed_and_a_broken_one_is_not() {
        let sure = join(&[(None, logits(&[0.1, 0.9]))], &ProbabilityCalibration::UNFITTED, RULES);
        assert_eq!(sure.view, Some(1));
        assert!((sure.confidence - 0.9).abs() < 1e-6);
        assert_eq!(join(&[(None, vec![f32::NAN, f32::NAN])], &ProbabilityCalibration::UNFITTED, RULES).view, None);
        let nothing = join(&[], &ProbabilityCalibration::UNFITTED, RULES);
        assert_eq!((nothing.view, nothing.energy), (None, None));
    }

    #[test]
    fn too_many_likely_views_and_none_at_all_are_reasons() {
        let clip = [(None, logits(&[0.05, 0.3, 0.65]))];
        let fitted =
            ProbabilityCalibration { set_threshold: 0.2, set_coverage: 0.9, ..ProbabilityCalibration::UNFITTED };
        let two = join(&clip, &fitted, AbstentionRules { most_views: Some(2), ..RULES });
        assert_eq!((two.view, two.prediction_set.as_slice()), (Some(2), [2, 1].as_slice()));
        let one = join(&clip, &fitted, AbstentionRules { most_views: Some(1), ..RULES });
        assert!(one.view.is_none() && one.reason.unwrap().contains("any of 2 views"));
        let stranger = ProbabilityCalibration { energy_threshold: Some(-1.0), ..fitted };
        let strange = join(&clip, &stranger, RULES);
        assert!(strange.view.is_none() && strange.reason.unwrap().contains("none of the views"));
        assert_eq!(strange.energy, Some(ProbabilityCalibration::energy(&clip[0].1)));
    }

    #[test]
    fn models_are_averaged_and_views_weighed() {
        let answer = |probabilities: &[f32], fitted: &ProbabilityCalibration| {
            Aggregation::of_clips(&[(None, logits(probabilities).as_slice())], fitted)
        };
        let narrow = ProbabilityCalibration {
            set_threshold: 0.5,
            energy_threshold: Some(-0.5),
            ..ProbabilityCalibration::UNFITTED
        };
        let wide = ProbabilityCalibration {
            set_threshold: 0.1,
            energy_threshold: Some(0.7),
            ..ProbabilityCalibration::UNFITTED
        };
        let both = [answer(&[0.9, 0.05, 0.05], &narrow), answer(&[0.2, 0.5, 0.3], &wide)];
        let mean = Aggregation::decide(&both, None, AbstentionRules { below: 0.5, most_views: None });
        assert_eq!((mean.view, mean.prediction_set.as_slice()), (Some(0), [0, 1, 2].as_slice()), "{mean:?}");
        assert!((mean.confidence - 0.55).abs() < 1e-6 && mean.energy.unwrap().abs() < 1e-6);
        // In mean the energy is zero and the thresholds are 0.1: alone, the first would call it none of the views.
        let alone = Aggregation::decide(&both[..1], None, RULES);
        assert!(alone.reason.unwrap().contains("none of the views"));
        let weighed = Aggregation::decide(&both[1..], Some(&[0.6, 0.1, 0.3]), AbstentionRules { below: 0.0, ..RULES });
        assert_eq!(weighed.view, Some(0), "0.12 against 0.05 and 0.09");
        assert!((weighed.probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }
}
