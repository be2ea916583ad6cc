use std::collections::BTreeMap;

use zoo::ProbabilityCalibration;

/// Joins what a model says of each clip into what it says of the loop.
///
/// Softmax vectors are averaged over the clips of a beat (its frames where a model sees stills) and then over the
/// beats, so that a beat with many windows does not outvote the others.
pub struct Aggregation;

/// The decision about a loop.
#[derive(Debug, Clone, PartialEq)]
pub struct LoopView {
    /// The most likely view's index, or `None` when the pipeline abstains.
    pub view: Option<usize>,
    /// The probability of the most likely view, 0 to 1.
    pub confidence: f64,
    /// One probability a view; they sum to 1.
    pub probabilities: Vec<f64>,
    /// The views that it may show, most likely first: with the card's promise of how often the true one is among them.
    pub prediction_set: Vec<usize>,
    /// The mean energy of its clips: high where no view speaks up; `None` where the model gave no usable numbers.
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
    /// Joins the logits of clips, each with its beat's number (if any), and abstains by `rules`, or where
    /// `calibration` says that the loop shows none of the views.
    pub fn join(
        clips: &[(Option<usize>, &[f32])],
        calibration: &ProbabilityCalibration,
        rules: AbstentionRules,
    ) -> LoopView {
        let mut beats: BTreeMap<Option<usize>, Vec<Vec<f64>>> = BTreeMap::new();
        for (beat, logits) in clips {
            beats.entry(*beat).or_default().push(calibration.probabilities(logits));
        }
        let of_beats: Vec<Vec<f64>> = beats.values().map(|clips| mean(clips)).collect();
        let probabilities = mean(&of_beats);
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
        let prediction_set = calibration.set(&probabilities);
        let energy =
            clips.iter().map(|(_, logits)| ProbabilityCalibration::energy(logits)).sum::<f64>() / clips.len() as f64;
        let reason = if calibration.energy_threshold.is_some_and(|most| energy > most) {
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

fn mean(rows: &[Vec<f64>]) -> Vec<f64> {
    let width = rows.first().map_or(0, Vec::len);
    (0..width).map(|column| rows.iter().map(|row| row[column]).sum::<f64>() / rows.len() as f64).collect()
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
        Aggregation::join(&clips, calibration, rules)
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
}
