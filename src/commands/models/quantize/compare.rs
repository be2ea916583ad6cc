//! The comparison of predictions by int8 with those in single precision.

use std::collections::BTreeMap;

use evaluate::calibration::expected_error;
use evaluate::comparison::ProbabilityDifference;
use evaluate::{Prediction, Predictions, Truth};
use zoo::QuantizationError;

/// Predictions in two precisions, loop by loop.
#[derive(Default)]
pub struct PrecisionComparison {
    classes: Vec<String>,
    single: Vec<Prediction>,
    int8: Vec<Prediction>,
}

impl PrecisionComparison {
    /// Adds a loop's probabilities in single precision and in int8; a loop without any is passed over.
    pub fn add(&mut self, single: &BTreeMap<String, f64>, int8: &BTreeMap<String, f64>, view: Option<&str>) {
        if single.is_empty() || int8.is_empty() {
            return;
        }
        if self.classes.is_empty() {
            self.classes = single.keys().cloned().collect();
        }
        // A view that the model does not know can never be right and says nothing of it.
        let class = view.and_then(|view| self.classes.iter().position(|class| class == view));
        let row = |probabilities: &BTreeMap<String, f64>| Prediction {
            patient: self.single.len().to_string(),
            study: self.single.len().to_string(),
            loop_name: "1".to_owned(),
            beat: None,
            clip: None,
            truth: class.map_or(Truth::Unlabelled, Truth::Class),
            probabilities: self.classes.iter().map(|class| probabilities.get(class).copied().unwrap_or(0.0)).collect(),
            energy: None,
            features: None,
            experts: Vec::new(),
            weight: 1.0,
        };
        let (single, int8) = (row(single), row(int8));
        self.single.push(single);
        self.int8.push(int8);
    }

    /// Returns the differences; `None` where there was nothing to compare.
    pub fn measured(self) -> evaluate::Result<Option<QuantizationError>> {
        if self.single.is_empty() {
            return Ok(None);
        }
        let single = Predictions::new(self.classes.clone(), self.single)?;
        let int8 = Predictions::new(self.classes, self.int8)?;
        let difference = ProbabilityDifference::between(&single, &int8)?;
        Ok(Some(QuantizationError {
            loops: single.rows().len(),
            same_class: difference.same_class,
            largest_difference: difference.largest,
            mean_difference: difference.mean,
            loops_with_truth: single.labelled().count(),
            calibration_error_f32: expected_error(&single),
            calibration_error_int8: expected_error(&int8),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probabilities(a: f64) -> BTreeMap<String, f64> {
        [("a".to_owned(), a), ("b".to_owned(), 1.0 - a)].into()
    }

    #[test]
    fn loops_without_probabilities_and_unknown_views_are_left_out() {
        let mut compared = PrecisionComparison::default();
        compared.add(&probabilities(0.9), &probabilities(0.8), Some("a"));
        compared.add(&probabilities(0.6), &probabilities(0.4), Some("unknown"));
        compared.add(&BTreeMap::new(), &BTreeMap::new(), Some("a"));
        let measured = compared.measured().unwrap().unwrap();
        assert_eq!((measured.loops, measured.loops_with_truth, measured.same_class), (2, 1, 0.5));
        assert!((measured.calibration_error_f32.unwrap() - 0.1).abs() < 1e-12);
        assert!((measured.calibration_error_int8.unwrap() - 0.2).abs() < 1e-12);
        assert!(PrecisionComparison::default().measured().unwrap().is_none());
    }
}
