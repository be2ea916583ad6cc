//! How far two sets of predictions on the same loops are apart.

use std::collections::BTreeMap;

use zoo::Measured;

/// Bins of the expected calibration error.
const BINS: usize = 10;

/// Predictions by two precisions, loop by loop.
#[derive(Default)]
pub struct Compared {
    loops: usize,
    same_class: usize,
    largest_difference: f64,
    differences: f64,
    numbers: usize,
    /// ProbabilityCalibration in single precision and in int8, with whether each was right, for loops whose view is known.
    known: Vec<[(f64, bool); 2]>,
}

impl Compared {
    /// Adds a loop's probabilities in single precision and in int8; a loop without any is passed over.
    pub fn add(&mut self, single: &BTreeMap<String, f64>, int8: &BTreeMap<String, f64>, view: Option<&str>) {
        let (Some(of_single), Some(of_int8)) = (likeliest(single), likeliest(int8)) else { return };
        self.loops += 1;
        self.same_class += usize::from(of_single.0 == of_int8.0);
        for (class, probability) in single {
            let difference = (probability - int8.get(class).copied().unwrap_or(0.0)).abs();
            self.largest_difference = self.largest_difference.max(difference);
            self.differences += difference;
            self.numbers += 1;
        }
        // A view that the model does not know can never be right and says nothing of it.
        if let Some(view) = view.filter(|view| single.contains_key(*view)) {
            self.known.push([of_single, of_int8].map(|(class, confidence)| (confidence, class == view)));
        }
    }

    /// Whether there was nothing to compare.
    pub fn is_empty(&self) -> bool {
        self.loops == 0
    }

    /// What was found.
    pub fn measured(&self) -> Measured {
        let error = |which: usize| {
            let predictions: Vec<(f64, bool)> = self.known.iter().map(|both| both[which]).collect();
            expected_calibration_error(&predictions)
        };
        Measured {
            loops: self.loops,
            same_class: self.same_class as f64 / self.loops.max(1) as f64,
            largest_difference: self.largest_difference,
            mean_difference: self.differences / self.numbers.max(1) as f64,
            loops_with_truth: self.known.len(),
            calibration_error_f32: error(0),
            calibration_error_int8: error(1),
        }
    }
}

fn likeliest(probabilities: &BTreeMap<String, f64>) -> Option<(&str, f64)> {
    let likeliest = probabilities.iter().max_by(|a, b| a.1.total_cmp(b.1));
    likeliest.map(|(class, &probability)| (class.as_str(), probability))
}

/// The mean distance between confidence and share of right answers, over bins of confidence weighted by their size (Guo et
/// al., "On QuantizationRanges of Modern Neural Networks", ICML 2017); `None` of nothing.
fn expected_calibration_error(predictions: &[(f64, bool)]) -> Option<f64> {
    if predictions.is_empty() {
        return None;
    }
    let mut bins = [(0.0, 0.0); BINS];
    for &(confidence, right) in predictions {
        let bin = ((confidence * BINS as f64) as usize).min(BINS - 1);
        bins[bin].0 += confidence;
        bins[bin].1 += f64::from(u8::from(right));
    }
    // A bin's weight and the means' denominators are both its size, which cancels out.
    Some(bins.iter().map(|(confidence, right)| (confidence - right).abs()).sum::<f64>() / predictions.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probabilities(a: f64) -> BTreeMap<String, f64> {
        [("a".to_owned(), a), ("b".to_owned(), 1.0 - a)].into()
    }

    #[test]
    fn agreement_and_differences_are_over_loops_and_classes() {
        let mut compared = Compared::default();
        compared.add(&probabilities(0.9), &probabilities(0.8), Some("a"));
        compared.add(&probabilities(0.6), &probabilities(0.4), Some("unknown"));
        compared.add(&BTreeMap::new(), &BTreeMap::new(), Some("a"));
        let measured = compared.measured();
        assert_eq!((measured.loops, measured.loops_with_truth), (2, 1));
        assert!((measured.same_class - 0.5).abs() < 1e-12);
        assert!((measured.largest_difference - 0.2).abs() < 1e-12);
        assert!((measured.mean_difference - 0.15).abs() < 1e-12);
        assert!((measured.calibration_error_f32.unwrap() - 0.1).abs() < 1e-12);
        assert!((measured.calibration_error_int8.unwrap() - 0.2).abs() < 1e-12);
    }

    #[test]
    fn a_model_that_is_as_right_as_it_says_has_no_error() {
        let mut predictions = vec![(0.75, true); 3];
        predictions.push((0.75, false));
        assert!(expected_calibration_error(&predictions).unwrap().abs() < 1e-12);
        assert!((expected_calibration_error(&[(1.0, false), (0.5, true)]).unwrap() - 0.75).abs() < 1e-12);
        assert_eq!(expected_calibration_error(&[]), None);
    }
}
