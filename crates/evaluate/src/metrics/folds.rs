use serde::Serialize;

use super::{Confusion, mean, ratio};
use crate::error::{EvaluateError, Result, need_at_least};

/// Accuracy over the rows of some classes only, in the two ways that reports mix up.
///
/// For TMED2 the classes are PLAX, PSAX, A4C and A2C: rows of the fifth class are left out, and a row of the four that is
/// called the fifth is an error (Huang et al., "TMED 2", 2022).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SubsetAccuracy {
    /// The share of all these rows that is classified correctly; `None` without rows.
    pub pooled: Option<f64>,
    /// The mean of the recalls of those of the classes that have rows; TMED2's own metric.
    pub mean_recall: Option<f64>,
}

impl SubsetAccuracy {
    /// Counts the rows whose truth is one of `classes`.
    ///
    /// # Errors
    /// If one of `classes` is not a class of the matrix.
    pub fn from_confusion(confusion: &Confusion, classes: &[usize]) -> Result<Self> {
        if let Some(found) = classes.iter().copied().find(|class| *class >= confusion.classes()) {
            return Err(EvaluateError::Size { what: "class index".to_owned(), expected: confusion.classes(), found });
        }
        let correct: f64 = classes.iter().map(|class| confusion.between(*class, *class)).sum();
        let support: f64 = classes.iter().map(|class| confusion.support(*class)).sum();
        Ok(Self {
            pooled: ratio(correct, support),
            mean_recall: mean(classes.iter().filter_map(|class| confusion.class_metrics(*class).recall)),
        })
    }
}

/// The mean of one metric over the folds of a cross-validation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FoldMetrics {
    /// The metric in each fold.
    pub folds: Vec<f64>,
    /// Their mean; folds weigh equally.
    pub mean: f64,
    /// Their sample standard deviation (divided by n - 1); `None` for one fold.
    pub standard_deviation: Option<f64>,
}

/// Returns mean and spread of a metric over folds.
///
/// # Errors
/// Without folds.
pub fn mean_over_folds(folds: &[f64]) -> Result<FoldMetrics> {
    need_at_least("folds", 1, folds.len())?;
    let count = folds.len() as f64;
    let mean = folds.iter().sum::<f64>() / count;
    let squares: f64 = folds.iter().map(|fold| (fold - mean).powi(2)).sum();
    let standard_deviation = (folds.len() > 1).then(|| (squares / (count - 1.0)).sqrt());
    Ok(FoldMetrics { folds: folds.to_vec(), mean, standard_deviation })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pooled_accuracy_and_mean_recall_differ() {
        // Class 0: 3 of 4 correct, class 1: 0 of 1 (called 2), class 2 is left out.
        let rows = [(0, 0), (0, 0), (0, 0), (0, 1), (1, 2), (2, 2), (2, 0)];
        let matrix = Confusion::from_counts(3, rows.into_iter().map(|(t, a)| (Some(t), Some(a), 1.0))).unwrap();
        let metrics = SubsetAccuracy::from_confusion(&matrix, &[0, 1]).unwrap();
        assert_eq!((metrics.pooled, metrics.mean_recall), (Some(0.6), Some(0.375)));
        assert!(SubsetAccuracy::from_confusion(&matrix, &[3]).is_err());
    }

    #[test]
    fn folds_of_the_tmed2_card_have_its_mean() {
        let metrics = mean_over_folds(&[98.10, 98.17, 97.81]).unwrap();
        assert!((metrics.mean - 98.03).abs() < 0.005);
        // numpy.std([98.10, 98.17, 97.81], ddof=1)
        assert!((metrics.standard_deviation.unwrap() - 0.190_875_177).abs() < 1e-8);
        assert_eq!(mean_over_folds(&[1.0]).unwrap().standard_deviation, None);
        assert!(mean_over_folds(&[]).is_err());
    }
}
