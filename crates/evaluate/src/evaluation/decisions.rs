use crate::error::{Result, need_size};
use crate::metrics::{Confusion, ratio};
use crate::predictions::{Prediction, Predictions, Truth};

use super::OperatingPoint;

/// The label given to each row, or none, and the rule by which the program abstains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decisions {
    /// One class index a row; `None` where the program abstains.
    pub classes: Vec<Option<usize>>,
    /// The condition of abstaining, in words that follow "abstaining": "below 0.500".
    pub rule: String,
}

impl Decisions {
    /// Gives the most likely class to rows with at least this confidence and, where a threshold is known, no energy above it.
    pub fn from_thresholds(predictions: &Predictions, abstain_below: f64, energy_threshold: Option<f64>) -> Self {
        let is_ood =
            |row: &Prediction| energy_threshold.zip(row.energy).is_some_and(|(threshold, energy)| energy > threshold);
        let decide = |row: &Prediction| (row.confidence() >= abstain_below && !is_ood(row)).then(|| row.top_class());
        let rule = match energy_threshold {
            None => format!("below {abstain_below:.3}"),
            Some(threshold) => format!("below {abstain_below:.3} or above an energy of {threshold:.2}"),
        };
        Self { classes: predictions.rows().iter().map(decide).collect(), rule }
    }

    /// Computes what the rule gives on `predictions`.
    ///
    /// # Errors
    /// If `predictions` have another number of rows.
    pub(super) fn operating_point(self, predictions: &Predictions) -> Result<OperatingPoint> {
        let rows = predictions.rows();
        need_size("decisions", rows.len(), self.classes.len())?;
        let with_decisions = || rows.iter().zip(&self.classes);
        let rows_of = |outside: bool| {
            let counts = move |truth: Truth| if outside { truth == Truth::Outside } else { truth.class().is_some() };
            with_decisions().filter(move |(row, _)| counts(row.truth))
        };
        let labelled = |outside| rows_of(outside).filter(|(_, class)| class.is_some()).count();
        let correct = rows_of(false).filter(|(row, class)| class.is_some() && **class == row.truth.class()).count();
        let share = |part: usize, whole: usize| ratio(part as f64, whole as f64);
        Ok(OperatingPoint {
            coverage: share(labelled(false), rows_of(false).count()),
            accuracy: share(correct, labelled(false) + labelled(true)),
            outside_labelled: share(labelled(true), rows_of(true).count()),
            macro_f1: Confusion::from_decisions(predictions, &self.classes)?.macro_f1(),
            rule: self.rule,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predictions::tests::row;

    #[test]
    fn uncertain_and_out_of_distribution_rows_get_no_label_and_the_metrics_follow() {
        let with = |energy, truth, p: [f64; 2]| Prediction { energy: Some(energy), ..row("a", "1", truth, &p) };
        let rows = vec![
            with(-9.0, Truth::Class(0), [0.9, 0.1]),
            with(-9.0, Truth::Class(1), [0.6, 0.4]),
            with(-1.0, Truth::Class(1), [0.1, 0.9]),
            with(-1.0, Truth::Outside, [0.8, 0.2]),
            with(-9.0, Truth::Outside, [0.1, 0.9]),
        ];
        let predictions = Predictions::new(vec!["first".to_owned(), "second".to_owned()], rows).unwrap();
        let decisions = |energy_threshold| Decisions::from_thresholds(&predictions, 0.7, energy_threshold);
        assert_eq!(decisions(None).classes, [Some(0), None, Some(1), Some(0), Some(1)]);
        assert_eq!(decisions(None).rule, "below 0.700");
        assert_eq!(decisions(Some(-2.0)).classes, [Some(0), None, None, None, Some(1)]);
        assert!(decisions(Some(-2.0)).rule.ends_with("above an energy of -2.00"));
        let point = decisions(Some(-2.0)).operating_point(&predictions).unwrap();
        assert_eq!((point.coverage, point.accuracy, point.outside_labelled), (Some(1.0 / 3.0), Some(0.5), Some(0.5)));
    }
}
