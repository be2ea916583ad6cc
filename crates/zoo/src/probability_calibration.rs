use serde::{Deserialize, Serialize};

/// The temperature and limits that were fitted on validation data after training, so that probabilities are calibrated.
///
/// All of it stands in the model's card and belongs to the weights.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProbabilityCalibration {
    /// Logits are divided by this before the softmax (Guo et al., ICML 2017).
    pub temperature: f64,
    /// Views at least this likely form the set of views that a loop may show, which holds the true one as often as
    /// `set_coverage` says (Sadinle, Lei and Wasserman, JASA 2019).
    pub set_threshold: f64,
    /// The share of loops whose set should hold the true view.
    pub set_coverage: f64,
    /// A loop whose mean energy, minus the log-sum-exp of its logits, is above this shows none of the views (Liu et al.,
    /// NeurIPS 2020).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy_threshold: Option<f64>,
}

impl ProbabilityCalibration {
    /// The calibration of weights to which nothing was fitted: logits as they are, the set of all views.
    pub const UNFITTED: Self = Self { temperature: 1.0, set_threshold: 0.0, set_coverage: 1.0, energy_threshold: None };

    /// Probabilities of logits.
    pub fn probabilities(&self, logits: &[f32]) -> Vec<f64> {
        let scaled: Vec<f64> = logits.iter().map(|&logit| f64::from(logit) / self.temperature).collect();
        let largest = scaled.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let exponentials: Vec<f64> = scaled.iter().map(|logit| (logit - largest).exp()).collect();
        let sum: f64 = exponentials.iter().sum();
        exponentials.into_iter().map(|value| value / sum).collect()
    }

    /// Minus the logarithm of the sum of the exponentials of logits: high where no view speaks up.
    pub fn energy(logits: &[f32]) -> f64 {
        let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum: f64 = logits.iter().map(|logit| f64::from(logit - largest).exp()).sum();
        -(f64::from(largest) + sum.ln())
    }

    /// The indexes of the views that a loop of these probabilities may show, most likely first.
    pub fn set(&self, probabilities: &[f64]) -> Vec<usize> {
        let mut set: Vec<usize> =
            (0..probabilities.len()).filter(|&view| probabilities[view] >= self.set_threshold).collect();
        set.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_survive_large_logits_and_soften_with_temperature() {
        let fitted = ProbabilityCalibration { temperature: 2.0, ..ProbabilityCalibration::UNFITTED };
        let probabilities = ProbabilityCalibration::UNFITTED.probabilities(&[1000.0, 999.0]);
        assert!((probabilities[0] - 0.731).abs() < 1e-3 && (probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!((fitted.probabilities(&[1000.0, 998.0])[0] - probabilities[0]).abs() < 1e-12);
    }

    #[test]
    fn energy_is_high_where_no_view_speaks_up() {
        assert!((ProbabilityCalibration::energy(&[0.0, 0.0]) + 2f64.ln()).abs() < 1e-12);
        assert!(ProbabilityCalibration::energy(&[10.0, 0.0]) < ProbabilityCalibration::energy(&[1.0, 1.0]));
    }

    #[test]
    fn the_set_holds_what_is_likely_enough() {
        let fitted = ProbabilityCalibration { set_threshold: 0.2, ..ProbabilityCalibration::UNFITTED };
        assert_eq!(fitted.set(&[0.25, 0.6, 0.15]), [1, 0]);
        assert_eq!(ProbabilityCalibration::UNFITTED.set(&[0.25, 0.6, 0.15]).len(), 3);
        assert!(fitted.set(&[0.1; 10]).is_empty());
    }
}
