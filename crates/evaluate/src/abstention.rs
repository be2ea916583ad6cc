//! Selective prediction: accuracy where only confident rows are labelled.

use serde::Serialize;

use crate::error::{EvaluateError, Result, need_at_least, need_size};

/// The rows that one threshold of the score keeps.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CoveragePoint {
    /// Rows whose score is at least this are labelled.
    pub threshold: f64,
    /// The share of rows that are labelled.
    pub coverage: f64,
    /// The share of the labelled rows that is correct.
    pub accuracy: f64,
}

/// Returns accuracy over coverage: one point for every distinct score, from the most confident rows to all of them.
///
/// `scores` are larger where the model is more confident. Rows outside the classes are wrong whatever their label.
///
/// # Errors
/// Without rows, if both differ in number, or if a score is NaN.
pub fn accuracy_over_coverage(scores: &[f64], correct: &[bool]) -> Result<Vec<CoveragePoint>> {
    let (mut answered, mut hits) = (0, 0);
    let point = |tie: &Tie| {
        answered += tie.count;
        hits += tie.correct;
        CoveragePoint {
            threshold: tie.score,
            coverage: answered as f64 / correct.len() as f64,
            accuracy: hits as f64 / answered as f64,
        }
    };
    Ok(ties(scores, correct)?.iter().map(point).collect())
}

/// Returns the area under the risk-coverage curve: the mean, over all coverages, of the share of wrong answers (Geifman and
/// El-Yaniv, NeurIPS 2017). 0 is best. Among rows of one score every order is taken as equally likely.
///
/// # Errors
/// Without rows, if both differ in number, or if a score is NaN.
pub fn area_under_risk(scores: &[f64], correct: &[bool]) -> Result<f64> {
    let (mut answered, mut wrong, mut sum) = (0.0, 0.0, 0.0);
    for tie in ties(scores, correct)? {
        let wrong_each = 1.0 - tie.correct as f64 / tie.count as f64;
        for _ in 0..tie.count {
            answered += 1.0;
            wrong += wrong_each;
            sum += wrong / answered;
        }
    }
    Ok(sum / answered)
}

/// Returns the point of largest coverage whose accuracy is at least `accuracy`, where there is one.
pub fn coverage_at_accuracy(curve: &[CoveragePoint], accuracy: f64) -> Option<CoveragePoint> {
    curve.iter().rev().find(|point| point.accuracy >= accuracy).copied()
}

/// Rows of one score.
struct Tie {
    score: f64,
    count: usize,
    correct: usize,
}

fn ties(scores: &[f64], correct: &[bool]) -> Result<Vec<Tie>> {
    need_size("rows known to be correct or wrong", scores.len(), correct.len())?;
    need_at_least("scored rows", 1, scores.len())?;
    if scores.iter().any(|score| score.is_nan()) {
        return Err(EvaluateError::Range { name: "a score", value: f64::NAN, allowed: "a number" });
    }
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|one, other| scores[*other].total_cmp(&scores[*one]));
    let tie = |rows: &[usize]| Tie {
        score: scores[rows[0]],
        count: rows.len(),
        correct: rows.iter().filter(|row| correct[**row]).count(),
    };
    Ok(order.chunk_by(|one, other| scores[*one] == scores[*other]).map(tie).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_curve_of_four_rows() {
        let curve = accuracy_over_coverage(&[0.9, 0.6, 0.8, 0.8], &[true, false, true, false]).unwrap();
        let points: Vec<(f64, f64, f64)> = curve.iter().map(|p| (p.threshold, p.coverage, p.accuracy)).collect();
        assert_eq!(points, [(0.9, 0.25, 1.0), (0.8, 0.75, 2.0 / 3.0), (0.6, 1.0, 0.5)]);
        assert_eq!(coverage_at_accuracy(&curve, 0.6).unwrap().coverage, 0.75);
        assert_eq!(coverage_at_accuracy(&curve[1..], 0.9), None);
    }

    #[test]
    fn the_area_is_the_mean_risk() {
        // Risks 0, 0, 1/3, 2/4.
        let area = area_under_risk(&[4.0, 3.0, 2.0, 1.0], &[true, true, false, false]).unwrap();
        assert!((area - (1.0 / 3.0 + 0.5) / 4.0).abs() < 1e-12);
        // Without any order, every coverage has the risk of all.
        assert!((area_under_risk(&[1.0; 4], &[true, true, false, false]).unwrap() - 0.5).abs() < 1e-12);
        assert!(area_under_risk(&[], &[]).is_err() && area_under_risk(&[f64::NAN], &[true]).is_err());
    }

    proptest! {
        #[test]
        fn the_last_point_is_everything(rows in proptest::collection::vec((0..9_u8, any::<bool>()), 1..40)) {
            let scores: Vec<f64> = rows.iter().map(|(score, _)| f64::from(*score)).collect();
            let correct: Vec<bool> = rows.iter().map(|(_, correct)| *correct).collect();
            let curve = accuracy_over_coverage(&scores, &correct).unwrap();
            let last = curve.last().unwrap();
            prop_assert_eq!(last.coverage, 1.0);
            prop_assert_eq!(last.accuracy, correct.iter().filter(|correct| **correct).count() as f64 / rows.len() as f64);
            prop_assert!((0.0..=1.0 + 1e-12).contains(&area_under_risk(&scores, &correct).unwrap()));
        }
    }
}
