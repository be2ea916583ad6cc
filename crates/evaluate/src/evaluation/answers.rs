use crate::error::{Result, need_size};
use crate::metrics::{Confusion, ratio};
use crate::predictions::{Prediction, Predictions, Truth};

use super::OperatingPoint;

/// What is said of every row, and by what rule: the likeliest class is not always given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answers {
    /// Each row's answer, by the class's index; `None` where the program abstains.
    pub of_rows: Vec<Option<usize>>,
    /// When it abstains, in words that follow "abstaining": "below 0.500".
    pub rule: String,
}

impl Answers {
    /// The likeliest class of rows that are at least this sure and, where a limit of their energy is known, not above it.
    pub fn of(predictions: &Predictions, abstain_below: f64, energy_threshold: Option<f64>) -> Self {
        let strange = |row: &Prediction| energy_threshold.zip(row.energy).is_some_and(|(most, energy)| energy > most);
        let answer = |row: &Prediction| (row.confidence() >= abstain_below && !strange(row)).then(|| row.best());
        let rule = match energy_threshold {
            None => format!("below {abstain_below:.3}"),
            Some(most) => format!("below {abstain_below:.3} or above an energy of {most:.2}"),
        };
        Self { of_rows: predictions.rows().iter().map(answer).collect(), rule }
    }

    /// Fails where `predictions` have another number of rows.
    pub(super) fn judge(self, predictions: &Predictions) -> Result<OperatingPoint> {
        let rows = predictions.rows();
        need_size("answers", rows.len(), self.of_rows.len())?;
        let with_answers = || rows.iter().zip(&self.of_rows);
        let of = |outside: bool| {
            let counts = move |truth: Truth| if outside { truth == Truth::Outside } else { truth.class().is_some() };
            with_answers().filter(move |(row, _)| counts(row.truth))
        };
        let answered = |outside| of(outside).filter(|(_, answer)| answer.is_some()).count();
        let right = of(false).filter(|(row, answer)| answer.is_some() && **answer == row.truth.class()).count();
        let share = |part: usize, whole: usize| ratio(part as f64, whole as f64);
        Ok(OperatingPoint {
            answered: share(answered(false), of(false).count()),
            accuracy: share(right, answered(false) + answered(true)),
            outside_answered: share(answered(true), of(true).count()),
            macro_f1: Confusion::of(predictions, &self.of_rows)?.macro_f1(),
            rule: self.rule,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predictions::tests::row;

    #[test]
    fn what_is_unsure_or_strange_gets_no_answer_and_the_figures_follow_the_answers() {
        let with = |energy, truth, p: [f64; 2]| Prediction { energy: Some(energy), ..row("a", "1", truth, &p) };
        let rows = vec![
            with(-9.0, Truth::Class(0), [0.9, 0.1]),
            with(-9.0, Truth::Class(1), [0.6, 0.4]),
            with(-1.0, Truth::Class(1), [0.1, 0.9]),
            with(-1.0, Truth::Outside, [0.8, 0.2]),
            with(-9.0, Truth::Outside, [0.1, 0.9]),
        ];
        let predictions = Predictions::new(vec!["first".to_owned(), "second".to_owned()], rows).unwrap();
        let answers = |energy_threshold| Answers::of(&predictions, 0.7, energy_threshold);
        assert_eq!(answers(None).of_rows, [Some(0), None, Some(1), Some(0), Some(1)]);
        assert_eq!(answers(None).rule, "below 0.700");
        assert_eq!(answers(Some(-2.0)).of_rows, [Some(0), None, None, None, Some(1)]);
        assert!(answers(Some(-2.0)).rule.ends_with("above an energy of -2.00"));
        let point = answers(Some(-2.0)).judge(&predictions).unwrap();
        assert_eq!((point.answered, point.accuracy, point.outside_answered), (Some(1.0 / 3.0), Some(0.5), Some(0.5)));
    }
}
