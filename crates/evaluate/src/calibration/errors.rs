use serde::Serialize;

use crate::error::{EvaluateError, Result};
use crate::metrics::ratio;
use crate::predictions::{Prediction, Predictions};
use crate::probability::log_probability;

/// The way of putting confidences into bins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BinKind {
    /// Bins of equal width over 0 to 1.
    EqualWidth,
    /// Bins of about equally many rows ("adaptive"; Nguyen and O'Connor, EMNLP 2015).
    EqualCount,
}

/// The rows whose confidence lies in one range.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ReliabilityBin {
    /// Confidences in it are above this (the first bin: from 0), or from the smallest in a bin of equal count.
    pub low: f64,
    /// Confidences in it are at most this.
    pub high: f64,
    /// The weight of its rows.
    pub weight: f64,
    /// The mean confidence of its rows.
    pub confidence: f64,
    /// The share of its rows that is correct.
    pub accuracy: f64,
}

/// One row whose class is known, as calibration errors and proper scores need it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ScoredRow {
    confidence: f64,
    correct: bool,
    weight: f64,
    squared_distance: f64,
    log_loss: f64,
}

impl ScoredRow {
    pub(crate) fn from_row(row: &Prediction) -> Option<Self> {
        let class = row.truth.class()?;
        let distance = |(index, p): (usize, &f64)| (p - f64::from(u8::from(index == class))).powi(2);
        Some(Self {
            confidence: row.confidence(),
            correct: row.top_class() == class,
            weight: row.weight,
            squared_distance: row.probabilities.iter().enumerate().map(distance).sum(),
            log_loss: -log_probability(row.probabilities[class]),
        })
    }

    fn all(predictions: &Predictions) -> Vec<Self> {
        predictions.rows().iter().filter_map(Self::from_row).collect()
    }
}

/// The calibration metrics of some rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct CalibrationMetrics {
    pub(crate) expected_error: Option<f64>,
    pub(crate) adaptive_error: Option<f64>,
    pub(crate) brier: Option<f64>,
    pub(crate) log_loss: Option<f64>,
}

pub(crate) fn calibration_metrics(mut rows: Vec<ScoredRow>) -> CalibrationMetrics {
    CalibrationMetrics {
        brier: weighted_mean(&rows, |row| row.squared_distance),
        log_loss: weighted_mean(&rows, |row| row.log_loss),
        expected_error: calibration_error(&into_bins(&mut rows, BinKind::EqualWidth, BINS)),
        adaptive_error: calibration_error(&into_bins(&mut rows, BinKind::EqualCount, BINS)),
    }
}

/// The bins of the calibration errors (Guo et al. 2017).
const BINS: usize = 15;

/// Returns confidence against accuracy, bin by bin, over the rows whose class is known; bins without rows are left out.
///
/// Confidence is the probability of the most likely class (Guo et al., ICML 2017).
///
/// # Errors
/// For no bins.
pub fn reliability(predictions: &Predictions, kind: BinKind, bins: usize) -> Result<Vec<ReliabilityBin>> {
    if bins == 0 {
        return Err(EvaluateError::Range { name: "the number of bins", value: 0.0, allowed: "1 or more" });
    }
    Ok(into_bins(&mut ScoredRow::all(predictions), kind, bins))
}

fn into_bins(rows: &mut [ScoredRow], kind: BinKind, bins: usize) -> Vec<ReliabilityBin> {
    rows.sort_by(|one, other| one.confidence.total_cmp(&other.confidence));
    let mut found = Vec::new();
    let mut start = 0;
    for bin in 0..bins {
        let (low, high) = (bin as f64 / bins as f64, (bin + 1) as f64 / bins as f64);
        let end = match kind {
            BinKind::EqualWidth if bin + 1 == bins => rows.len(),
            BinKind::EqualWidth => rows.partition_point(|row| row.confidence <= high),
            BinKind::EqualCount => rows.len() * (bin + 1) / bins,
        };
        let inside = &rows[start..end];
        start = end;
        let (Some(first), Some(last)) = (inside.first(), inside.last()) else { continue };
        let (low, high) = match kind {
            BinKind::EqualWidth => (low, high),
            BinKind::EqualCount => (first.confidence, last.confidence),
        };
        let weight: f64 = inside.iter().map(|row| row.weight).sum();
        let correct: f64 = inside.iter().filter(|row| row.correct).map(|row| row.weight).sum();
        let confidence: f64 = inside.iter().map(|row| row.weight * row.confidence).sum();
        if weight > 0.0 {
            found.push(ReliabilityBin {
                low,
                high,
                weight,
                confidence: confidence / weight,
                accuracy: correct / weight,
            });
        }
    }
    found
}

/// Returns the mean distance of confidence and accuracy over bins, weighted by their rows; `None` without rows.
pub fn calibration_error(bins: &[ReliabilityBin]) -> Option<f64> {
    let total: f64 = bins.iter().map(|bin| bin.weight).sum();
    ratio(bins.iter().map(|bin| bin.weight * (bin.confidence - bin.accuracy).abs()).sum(), total)
}

/// Returns the expected calibration error with 15 bins of equal width (Guo et al. 2017).
pub fn expected_error(predictions: &Predictions) -> Option<f64> {
    calibration_metrics(ScoredRow::all(predictions)).expected_error
}

/// Returns the expected calibration error with 15 bins of equal count.
pub fn adaptive_error(predictions: &Predictions) -> Option<f64> {
    calibration_metrics(ScoredRow::all(predictions)).adaptive_error
}

/// Returns the mean squared distance of the probabilities from the truth, summed over classes: 0 to 2 (Brier 1950).
pub fn brier(predictions: &Predictions) -> Option<f64> {
    calibration_metrics(ScoredRow::all(predictions)).brier
}

/// Returns the mean negative logarithm of the true class's probability, in nats; a probability of 0 counts as 1.2e-38.
pub fn log_loss(predictions: &Predictions) -> Option<f64> {
    calibration_metrics(ScoredRow::all(predictions)).log_loss
}

fn weighted_mean(rows: &[ScoredRow], value: impl Fn(&ScoredRow) -> f64) -> Option<f64> {
    let weight = rows.iter().map(|row| row.weight).sum();
    ratio(rows.iter().map(|row| row.weight * value(row)).sum(), weight)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::predictions::Truth;
    use crate::predictions::tests::{names, row};

    fn binary(rows: &[(f64, usize)]) -> Predictions {
        let rows = rows.iter().map(|(first, truth)| row("a", "1", Truth::Class(*truth), &[*first, 1.0 - first]));
        Predictions::new(names(2), rows.collect()).unwrap()
    }

    fn near(found: Option<f64>, expected: f64) -> bool {
        found.is_some_and(|found| (found - expected).abs() < 1e-12)
    }

    #[test]
    fn bins_are_open_below_and_closed_above() {
        let predictions = binary(&[(0.6, 0), (0.8, 0), (0.8, 1), (0.05, 1), (1.0, 0)]);
        let bins = reliability(&predictions, BinKind::EqualWidth, 5).unwrap();
        // Confidences 0.6 | 0.8 0.8 | 0.95 1.0; in (0.4, 0.6], (0.6, 0.8], (0.8, 1].
        assert_eq!(bins.iter().map(|bin| bin.weight).collect::<Vec<_>>(), [1.0, 2.0, 2.0]);
        assert_eq!((bins[1].confidence, bins[1].accuracy), (0.8, 0.5));
        // (1 x 0.4 + 2 x 0.3 + 2 x 0.025) / 5
        assert!(near(calibration_error(&bins), 0.21));
        assert!(reliability(&predictions, BinKind::EqualWidth, 0).is_err());
    }

    #[test]
    fn bins_of_equal_count_share_the_rows() {
        let predictions = binary(&[(0.6, 0), (0.7, 0), (0.8, 1), (0.9, 0), (0.95, 0)]);
        let bins = reliability(&predictions, BinKind::EqualCount, 2).unwrap();
        assert_eq!(bins.iter().map(|bin| bin.weight).collect::<Vec<_>>(), [2.0, 3.0]);
        assert_eq!((bins[1].low, bins[1].high), (0.8, 0.95));
        // (2 x 0.35 + 3 x (0.883333 - 0.666667)) / 5
        assert!(near(calibration_error(&bins), (0.7 + 0.65) / 5.0));
        // More bins than rows: every row is its own bin.
        assert_eq!(reliability(&predictions, BinKind::EqualCount, 15).unwrap().len(), 5);
    }

    #[test]
    fn proper_scores_are_those_of_scikit_learn() {
        // scikit-learn 1.9.1: log_loss and brier_score_loss(scale_by_half=False) of these three rows.
        let rows = [(0, [0.7, 0.2, 0.1]), (2, [0.3, 0.3, 0.4]), (1, [0.5, 0.25, 0.25])];
        let rows = rows.iter().map(|(truth, p)| row("a", "1", Truth::Class(*truth), p)).collect();
        let predictions = Predictions::new(names(3), rows).unwrap();
        assert!(near(log_loss(&predictions), 0.886_420_012_310_926_2));
        assert!(near(brier(&predictions), 0.518_333_333_333_333_4));
    }

    #[test]
    fn weights_are_repetitions_and_out_of_distribution_rows_do_not_count() {
        let mut heavy = binary(&[(0.6, 0), (0.9, 1)]).rows().to_vec();
        heavy[1].weight = 2.0;
        heavy.push(row("a", "1", Truth::Outside, &[1.0, 0.0]));
        let heavy = Predictions::new(names(2), heavy).unwrap();
        let repeated = binary(&[(0.6, 0), (0.9, 1), (0.9, 1)]);
        for metric in [expected_error, brier, log_loss] {
            assert!(near(metric(&heavy), metric(&repeated).unwrap()));
        }
        assert_eq!(brier(&Predictions::new(names(2), Vec::new()).unwrap()), None);
        assert!(log_loss(&binary(&[(1.0, 1)])).unwrap().is_finite());
    }

    proptest! {
        #[test]
        fn errors_stay_in_their_range(rows in proptest::collection::vec((0.0..1.0_f64, 0..2_usize), 1..50)) {
            let predictions = binary(&rows);
            for error in [expected_error(&predictions), adaptive_error(&predictions)] {
                prop_assert!((0.0..=1.0).contains(&error.unwrap()));
            }
            prop_assert!((0.0..=2.0).contains(&brier(&predictions).unwrap()));
            let bins = reliability(&predictions, BinKind::EqualWidth, 15).unwrap();
            prop_assert_eq!(bins.iter().map(|bin| bin.weight).sum::<f64>(), rows.len() as f64);
            prop_assert!(bins.iter().all(|bin| bin.confidence >= bin.low - 1e-12 && bin.confidence <= bin.high + 1e-12));
        }
    }
}
