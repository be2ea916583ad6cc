use std::collections::BTreeMap;

/// Joins what a model says of each clip into what it says of the loop.
///
/// Softmax vectors are averaged over the clips of a beat (its frames where a model sees stills) and then over the beats, so
/// that a beat with many windows does not outvote the others (`seed-systems.md` 7.3).
pub struct Aggregation;

/// What is said of a loop.
#[derive(Debug, Clone, PartialEq)]
pub struct LoopView {
    /// The most likely view's index, or `None` when the pipeline abstains.
    pub view: Option<usize>,
    /// The probability of the most likely view, 0 to 1.
    pub confidence: f64,
    /// One probability a view; they sum to 1.
    pub probabilities: Vec<f64>,
    /// Why it abstained.
    pub reason: Option<String>,
}

impl Aggregation {
    /// Averages `clips`, each a beat's number (if any) and its probabilities, and abstains below `abstain_below`.
    pub fn join(clips: &[(Option<usize>, Vec<f64>)], abstain_below: f64) -> LoopView {
        let mut beats: BTreeMap<Option<usize>, Vec<&[f64]>> = BTreeMap::new();
        for (beat, probabilities) in clips {
            beats.entry(*beat).or_default().push(probabilities);
        }
        let of_beats: Vec<Vec<f64>> = beats.values().map(|clips| mean(clips)).collect();
        let probabilities = mean(&of_beats.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let best = probabilities.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1));
        match best {
            Some((view, confidence)) if confidence.is_finite() && confidence >= abstain_below => {
                LoopView { view: Some(view), confidence, probabilities, reason: None }
            }
            Some((_, confidence)) if confidence.is_finite() => LoopView {
                view: None,
                confidence,
                reason: Some(format!("confidence {confidence:.2} is below {abstain_below:.2}")),
                probabilities,
            },
            _ => LoopView {
                view: None,
                confidence: 0.0,
                probabilities: Vec::new(),
                reason: Some("the model gave no usable numbers".to_owned()),
            },
        }
    }
}

fn mean(rows: &[&[f64]]) -> Vec<f64> {
    let width = rows.first().map_or(0, |row| row.len());
    (0..width).map(|column| rows.iter().map(|row| row[column]).sum::<f64>() / rows.len() as f64).collect()
}

/// Turns logits into probabilities that sum to 1.
pub(crate) fn softmax(logits: &[f32]) -> Vec<f64> {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exponentials: Vec<f64> = logits.iter().map(|logit| f64::from(logit - largest).exp()).collect();
    let sum: f64 = exponentials.iter().sum();
    exponentials.into_iter().map(|value| value / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_beat_counts_alike() {
        let clips = vec![(Some(0), vec![1.0, 0.0]), (Some(0), vec![1.0, 0.0]), (Some(1), vec![0.0, 1.0])];
        let view = Aggregation::join(&clips, 0.6);
        assert_eq!(view.probabilities, vec![0.5, 0.5]);
        assert_eq!(view.view, None);
        assert!(view.reason.unwrap().contains("below 0.60"));
    }

    #[test]
    fn a_sure_model_is_believed_and_a_broken_one_is_not() {
        let sure = Aggregation::join(&[(None, vec![0.1, 0.9])], 0.5);
        assert_eq!((sure.view, sure.confidence), (Some(1), 0.9));
        assert_eq!(Aggregation::join(&[(None, vec![f64::NAN, f64::NAN])], 0.0).view, None);
        assert_eq!(Aggregation::join(&[], 0.0).view, None);
    }

    #[test]
    fn softmax_survives_large_logits() {
        let probabilities = softmax(&[1000.0, 999.0]);
        assert!((probabilities[0] - 0.731).abs() < 1e-3 && (probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }
}
