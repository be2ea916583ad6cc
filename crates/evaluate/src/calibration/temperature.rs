use serde::{Deserialize, Serialize};

use crate::error::{EvaluateError, Result, need_at_least};
use crate::predictions::Predictions;
use crate::probability::{log_probability, softmax};

/// The range of temperatures that [`fit_temperature`] searches.
const COLDEST: f64 = 0.05;
const HOTTEST: f64 = 20.0;

/// The temperature that makes probabilities fit the truth best.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TemperatureFit {
    /// Logits are divided by it: above 1 where the model was overconfident.
    pub temperature: f64,
    /// Mean negative log likelihood in nats with temperature 1.
    pub log_loss_before: f64,
    /// The same with the fitted temperature, never larger.
    pub log_loss_after: f64,
    /// True where the best temperature lies beyond 0.05 or 20, so the bound was taken. Below: every row is right, and
    /// there is nothing to learn from. Above: the probabilities are worse than equal ones.
    pub at_bound: bool,
}

/// Returns probabilities at another temperature: `softmax(ln(p) / temperature)`, the same as dividing the logits.
pub fn with_temperature(probabilities: &[f64], temperature: f64) -> Vec<f64> {
    softmax(&probabilities.iter().map(|p| log_probability(*p) / temperature).collect::<Vec<_>>())
}

impl Predictions {
    /// Returns the rows with their probabilities at another temperature.
    ///
    /// # Errors
    /// If the temperature is not above 0 and finite.
    pub fn at_temperature(&self, temperature: f64) -> Result<Self> {
        if !(temperature > 0.0 && temperature.is_finite()) {
            return Err(EvaluateError::Range { name: "the temperature", value: temperature, allowed: "above 0" });
        }
        let mut rows = self.rows().to_vec();
        rows.iter_mut().for_each(|row| row.probabilities = with_temperature(&row.probabilities, temperature));
        Self::new(self.classes().to_vec(), rows)
    }
}

/// The label smoothing that Platt proposed ("Probabilities for Support Vector Machines", 1999): one label in all of the
/// `rows` and two more is taken as wrong.
///
/// Without it a validation set without an error makes every probability certain.
pub fn platt_smoothing(rows: usize) -> f64 {
    1.0 / (rows as f64 + 2.0)
}

/// Fits the temperature with the smallest negative log likelihood over the rows whose class is known (Guo et al., ICML 2017).
///
/// The rows should be a validation set and of the level at which the temperature is used. `label_smoothing` is the chance
/// that a row's class is another one than it says, all others alike: 0 for the maximum likelihood, or [`platt_smoothing`].
/// The loss is convex in 1 / temperature, so bisection of its derivative finds the minimum whatever the start.
///
/// # Errors
/// Without rows of known class, if their weights sum to 0, and for a smoothing that is not 0 or more and below 1.
pub fn fit_temperature(predictions: &Predictions, label_smoothing: f64) -> Result<TemperatureFit> {
    if !(0.0..1.0).contains(&label_smoothing) {
        let (name, value) = ("the label smoothing", label_smoothing);
        return Err(EvaluateError::Range { name, value, allowed: "0 or more and below 1" });
    }
    let rows: Vec<Row> = predictions
        .labelled()
        .map(|(row, class)| {
            let logits: Vec<f64> = row.probabilities.iter().copied().map(log_probability).collect();
            Row { target_logit: target_logit(&logits, class, label_smoothing), logits, class, weight: row.weight }
        })
        .collect();
    need_at_least("rows with a known class", 1, rows.len())?;
    let total: f64 = rows.iter().map(|row| row.weight).sum();
    if total <= 0.0 {
        return Err(EvaluateError::Range { name: "the sum of weights", value: total, allowed: "above 0" });
    }
    let log_loss = |coldness: f64| rows.iter().map(|row| row.log_loss(coldness)).sum::<f64>() / total;
    let slope = |coldness: f64| rows.iter().map(|row| row.slope(coldness)).sum::<f64>();
    let (mut low, mut high) = (1.0 / HOTTEST, 1.0 / COLDEST);
    let (coldness, at_bound) = if slope(low) >= 0.0 {
        (low, true)
    } else if slope(high) <= 0.0 {
        (high, true)
    } else {
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if slope(middle) < 0.0 { low = middle } else { high = middle }
        }
        (0.5 * (low + high), false)
    };
    Ok(TemperatureFit {
        temperature: 1.0 / coldness,
        log_loss_before: log_loss(1.0),
        log_loss_after: log_loss(coldness),
        at_bound,
    })
}

/// One row that the temperature is fitted to.
struct Row {
    logits: Vec<f64>,
    class: usize,
    /// The mean logit by the smoothed label.
    target_logit: f64,
    weight: f64,
}

impl Row {
    fn probabilities(&self, coldness: f64) -> Vec<f64> {
        softmax(&self.logits.iter().map(|logit| logit * coldness).collect::<Vec<_>>())
    }

    /// The derivative of the loss by 1 / temperature: the expected logit minus the label's.
    fn slope(&self, coldness: f64) -> f64 {
        let expected: f64 = self.probabilities(coldness).iter().zip(&self.logits).map(|(p, logit)| p * logit).sum();
        self.weight * (expected - self.target_logit)
    }

    fn log_loss(&self, coldness: f64) -> f64 {
        -self.weight * log_probability(self.probabilities(coldness)[self.class])
    }
}

fn target_logit(logits: &[f64], class: usize, label_smoothing: f64) -> f64 {
    let others = (logits.len() - 1).max(1) as f64;
    let share = |index: usize| if index == class { 1.0 - label_smoothing } else { label_smoothing / others };
    // A share of 0 leaves the sum as it is, bit for bit.
    logits.iter().enumerate().map(|(index, logit)| share(index) * logit).sum()
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

    #[test]
    fn the_closed_form_of_two_classes_is_found() {
        // All rows say 0.9 and three of four are right, so 0.75 is best: logit 9 over T is logit 3, T = ln 9 / ln 3 = 2.
        let fit = fit_temperature(&binary(&[(0.9, 0), (0.9, 0), (0.9, 0), (0.9, 1)]), 0.0).unwrap();
        assert!((fit.temperature - 2.0).abs() < 1e-9 && !fit.at_bound, "{fit:?}");
        let best = -(3.0 * 0.75_f64.ln() + 0.25_f64.ln()) / 4.0;
        assert!((fit.log_loss_after - best).abs() < 1e-12 && fit.log_loss_before > best);
        let cooled = with_temperature(&[0.9, 0.1], fit.temperature);
        assert!((cooled[0] - 0.75).abs() < 1e-9);
        let rows = binary(&[(0.9, 0), (0.9, 0), (0.9, 0), (0.9, 1)]).at_temperature(fit.temperature).unwrap();
        assert!((fit_temperature(&rows, 0.0).unwrap().temperature - 1.0).abs() < 1e-9, "nothing is left to fit");
        assert!(rows.at_temperature(0.0).is_err() && rows.at_temperature(f64::NAN).is_err());
    }

    #[test]
    fn a_golden_section_search_of_scipy_finds_the_same() {
        // scipy 1.17.1: minimize_scalar(lambda t: log_loss(y, softmax(z / t)), bounds=(0.05, 20), method="bounded").
        let logits = [[2.0, 0.5, -1.0], [0.1, 1.5, 0.3], [3.0, 2.5, 0.0], [0.0, 0.2, 4.0], [1.0, 1.2, 0.8]];
        let rows = logits.iter().zip([0, 1, 1, 2, 0]);
        let rows = rows.map(|(logits, truth)| row("a", "1", Truth::Class(truth), &softmax(logits))).collect();
        let fit = fit_temperature(&Predictions::new(names(3), rows).unwrap(), 0.0).unwrap();
        assert!((fit.temperature - 0.596_211_173_355_708).abs() < 1e-5, "{fit:?}");
        assert!((fit.log_loss_after - 0.526_242_129_548_033_2).abs() < 1e-9, "{fit:?}");
    }

    #[test]
    fn where_there_is_no_minimum_a_bound_is_taken() {
        let all_right = fit_temperature(&binary(&[(0.9, 0), (0.2, 1)]), 0.0).unwrap();
        assert!(all_right.at_bound && (all_right.temperature - COLDEST).abs() < 1e-12);
        let all_wrong = fit_temperature(&binary(&[(0.9, 1), (0.2, 0)]), 0.0).unwrap();
        assert!(all_wrong.at_bound && (all_wrong.temperature - HOTTEST).abs() < 1e-12);
        assert!(fit_temperature(&binary(&[]), 0.0).is_err());
    }

    #[test]
    fn a_set_without_an_error_is_not_made_certain() {
        let all_right = binary(&[(0.999, 0); 200]);
        let fit = fit_temperature(&all_right, platt_smoothing(200)).unwrap();
        assert!(!fit.at_bound);
        let softened = with_temperature(&[0.999, 0.001], fit.temperature);
        assert!((softened[0] - 201.0 / 202.0).abs() < 1e-9, "{softened:?}");
        assert!(fit_temperature(&all_right, 0.0).unwrap().at_bound);
        assert!(fit_temperature(&all_right, 1.0).is_err() && fit_temperature(&all_right, f64::NAN).is_err());
    }

    #[test]
    fn certainty_stays_finite() {
        let fit = fit_temperature(&binary(&[(1.0, 0), (1.0, 1), (1.0, 0)]), 0.0).unwrap();
        assert!(fit.log_loss_after.is_finite() && fit.temperature.is_finite());
        assert!(with_temperature(&[1.0, 0.0], 2.0).iter().all(|p| p.is_finite()));
    }

    proptest! {
        #[test]
        fn the_loss_never_grows_and_the_order_stays(rows in proptest::collection::vec((0.01..0.99_f64, 0..2_usize), 2..40)) {
            let fit = fit_temperature(&binary(&rows), 0.0).unwrap();
            prop_assert!(fit.log_loss_after <= fit.log_loss_before + 1e-12);
            let p = with_temperature(&[rows[0].0, 1.0 - rows[0].0], fit.temperature);
            prop_assert_eq!(p[0] > p[1], rows[0].0 > 0.5);
            prop_assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        }
    }
}
