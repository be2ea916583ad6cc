use candle_core::{D, Tensor};

use super::labels::{fault, indicator, labelled_rows, tensor};
use super::log_sum_exp::log_sum_exp;
use crate::Result;

/// Cross-entropy of a softmax as in torch's `cross_entropy`.
///
/// With smoothing e, K classes and class weights w (1 where none are given) a sample of class y has the value
/// -(1 - e) w_y log p_y - e/K sum over c of w_c log p_c, and the mean is the sum divided by the sum of the w_y.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CrossEntropy {
    /// The share of every target that is spread over all classes, 0 to 1.
    pub label_smoothing: f64,
    /// A weight for each class, not negative.
    pub class_weights: Option<Vec<f64>>,
}

/// The value of a loss on logits.
#[derive(Debug, Clone)]
pub struct ClassLoss {
    /// Each sample's value [N].
    pub per_sample: Tensor,
    /// Their mean, a scalar.
    pub mean: Tensor,
}

const NAME: &str = "cross-entropy";

impl CrossEntropy {
    /// Of logits [N, K] with a class below K for each row.
    ///
    /// # Errors
    /// Labels out of range or not as many as rows, a smoothing outside 0 to 1, weights that are negative, not as many
    /// as classes, or all 0 for the labels given (the mean would divide by 0).
    pub fn of(&self, logits: &Tensor, labels: &[usize]) -> Result<ClassLoss> {
        let (count, classes) = labelled_rows(NAME, logits, labels)?;
        let weights = self.weights(classes)?;
        let targets = self.targets(labels, &weights)?;
        let weight_sum: f64 = labels.iter().map(|&label| weights[label]).sum();
        if weight_sum <= 0.0 {
            return fault(NAME, "the classes of all labels weigh nothing".to_owned());
        }
        let log_partition = log_sum_exp(logits, &indicator((count, classes), logits, |_, _| true)?)?;
        let log_probabilities = logits.broadcast_sub(&log_partition)?;
        let per_sample = (log_probabilities * tensor(targets, (count, classes), logits)?)?.sum(D::Minus1)?.neg()?;
        let mean = (per_sample.sum_all()? * (1.0 / weight_sum))?;
        Ok(ClassLoss { per_sample, mean })
    }

    fn weights(&self, classes: usize) -> Result<Vec<f64>> {
        let weights = self.class_weights.clone().unwrap_or_else(|| vec![1.0; classes]);
        if weights.len() != classes || !weights.iter().all(|weight| *weight >= 0.0 && weight.is_finite()) {
            return fault(NAME, format!("class weights {weights:?} for {classes} classes"));
        }
        Ok(weights)
    }

    /// Factor of each log-probability, [N, K] row-major.
    fn targets(&self, labels: &[usize], weights: &[f64]) -> Result<Vec<f64>> {
        if !(0.0..=1.0).contains(&self.label_smoothing) {
            return fault(NAME, format!("a label smoothing of {}", self.label_smoothing));
        }
        let spread = self.label_smoothing / weights.len() as f64;
        let mut targets = Vec::with_capacity(labels.len() * weights.len());
        for &label in labels {
            if label >= weights.len() {
                return fault(NAME, format!("label {label} of {} classes", weights.len()));
            }
            targets.extend(weights.iter().enumerate().map(|(class, weight)| {
                weight * (spread + if class == label { 1.0 - self.label_smoothing } else { 0.0 })
            }));
        }
        Ok(targets)
    }
}
