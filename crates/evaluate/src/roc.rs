//! Receiver operating characteristics: the separation of two kinds of rows by a score.

use serde::Serialize;

use crate::error::{EvaluateError, Result, need_size};

/// The rates at one threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RocPoint {
    /// Rows whose score is at least this are called positive; infinite at the first point, where none is.
    #[serde(skip)]
    pub threshold: f64,
    /// The share of negative rows that are called positive.
    pub false_positive_rate: f64,
    /// The share of positive rows that are called positive.
    pub true_positive_rate: f64,
}

/// Returns one point for every distinct score, from none called positive to all; empty where one of the two kinds is missing.
///
/// # Errors
/// If scores and kinds differ in number or a score is NaN.
pub fn roc(scores: &[f64], positive: &[bool]) -> Result<Vec<RocPoint>> {
    need_size("kinds of scored rows", scores.len(), positive.len())?;
    if scores.iter().any(|score| score.is_nan()) {
        return Err(EvaluateError::Range { name: "a score", value: f64::NAN, allowed: "a number" });
    }
    let positives = positive.iter().filter(|kind| **kind).count();
    let negatives = positive.len() - positives;
    if positives == 0 || negatives == 0 {
        return Ok(Vec::new());
    }
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|one, other| scores[*other].total_cmp(&scores[*one]));
    let mut points = vec![RocPoint { threshold: f64::INFINITY, false_positive_rate: 0.0, true_positive_rate: 0.0 }];
    let (mut hits, mut alarms) = (0, 0);
    for same_score in order.chunk_by(|one, other| scores[*one] == scores[*other]) {
        let found = same_score.iter().filter(|row| positive[**row]).count();
        hits += found;
        alarms += same_score.len() - found;
        points.push(RocPoint {
            threshold: scores[same_score[0]],
            false_positive_rate: alarms as f64 / negatives as f64,
            true_positive_rate: hits as f64 / positives as f64,
        });
    }
    Ok(points)
}

/// Returns the area under the curve: the chance that a positive row has the larger score, ties half; `None` without both kinds.
pub fn auroc(scores: &[f64], positive: &[bool]) -> Option<f64> {
    let points = roc(scores, positive).ok().filter(|points| !points.is_empty())?;
    let area = |pair: &[RocPoint]| {
        let width = pair[1].false_positive_rate - pair[0].false_positive_rate;
        width * 0.5 * (pair[0].true_positive_rate + pair[1].true_positive_rate)
    };
    Some(points.windows(2).map(area).sum())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn areas_are_those_of_scikit_learn() {
        // scikit-learn 1.9.1: roc_auc_score; one tie between kinds.
        let scores = [0.1, 0.4, 0.35, 0.8, 0.4, 0.9, 0.2];
        let positive = [false, false, true, true, true, false, false];
        assert!((auroc(&scores, &positive).unwrap() - 0.625).abs() < 1e-12);
        assert_eq!(auroc(&[1.0, 2.0], &[true, true]), None);
        assert!(roc(&[f64::NAN], &[true]).is_err() && roc(&[1.0], &[]).is_err());
    }

    proptest! {
        #[test]
        fn the_area_counts_pairs(rows in proptest::collection::vec((0..6_u8, any::<bool>()), 2..40)) {
            let scores: Vec<f64> = rows.iter().map(|(score, _)| f64::from(*score)).collect();
            let positive: Vec<bool> = rows.iter().map(|(_, kind)| *kind).collect();
            let (mut wins, mut pairs) = (0.0, 0.0);
            for (one, _) in rows.iter().filter(|(_, kind)| *kind) {
                for (other, _) in rows.iter().filter(|(_, kind)| !*kind) {
                    pairs += 1.0;
                    wins += if one > other { 1.0 } else if one == other { 0.5 } else { 0.0 };
                }
            }
            match auroc(&scores, &positive) {
                Some(area) => prop_assert!((area - wins / pairs).abs() < 1e-9),
                None => prop_assert_eq!(pairs, 0.0),
            }
            let points = roc(&scores, &positive).unwrap();
            prop_assert!(points.is_sorted_by(|a, b| a.false_positive_rate <= b.false_positive_rate
                && a.true_positive_rate <= b.true_positive_rate && a.threshold > b.threshold));
        }
    }
}
