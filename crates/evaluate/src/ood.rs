//! The out-of-distribution score of a row: its energy, which is larger the less it is like the training data.

use crate::error::{Result, need_at_least, need_open_unit};
use crate::probability::log_sum_exp;

/// Returns the energy of logits at temperature 1, `-ln(sum(exp(logits)))`: larger is farther from the training data (Liu et
/// al., NeurIPS 2020).
pub fn energy(logits: &[f64]) -> f64 {
    -log_sum_exp(logits)
}

/// Returns the threshold above which a score counts as out-of-distribution, so that at most `loss` of the `scores` of true
/// views are lost.
///
/// It is the smallest of the scores for which that holds; for new rows it holds about as well as `scores` are many.
///
/// # Errors
/// Without scores, and for a `loss` that is not between 0 and 1.
pub fn threshold_at_loss(scores: &[f64], loss: f64) -> Result<f64> {
    need_open_unit("the loss of true views", loss)?;
    need_at_least("scores of true views", 1, scores.len())?;
    let mut sorted = scores.to_vec();
    sorted.sort_by(f64::total_cmp);
    let lost = (scores.len() as f64 * loss + 1e-9).floor() as usize;
    Ok(sorted[scores.len() - 1 - lost.min(scores.len() - 1)])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn energy_is_the_negative_log_sum() {
        assert!((energy(&[0.0, 0.0]) + 2.0_f64.ln()).abs() < 1e-12);
        assert!((energy(&[1000.0, 0.0]) + 1000.0).abs() < 1e-9);
        assert!(energy(&[9.0, 0.0]) < energy(&[3.0, 0.0]), "large logits are in distribution");
    }

    #[test]
    fn a_threshold_loses_what_was_stated() {
        let scores: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(threshold_at_loss(&scores, 0.05).unwrap(), 95.0);
        assert_eq!(threshold_at_loss(&scores[..10], 0.05).unwrap(), 10.0);
        assert!(threshold_at_loss(&[], 0.05).is_err() && threshold_at_loss(&scores, 0.0).is_err());
    }

    proptest! {
        #[test]
        fn never_more_than_stated_are_lost(scores in proptest::collection::vec(-5.0..5.0_f64, 1..50), loss in 0.01..0.99_f64) {
            let threshold = threshold_at_loss(&scores, loss).unwrap();
            let lost = scores.iter().filter(|score| **score > threshold).count() as f64;
            prop_assert!(lost <= loss * scores.len() as f64 + 1e-6);
        }
    }
}
