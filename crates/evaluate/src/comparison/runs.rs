use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    BOOTSTRAP_ROUNDS, Interval, McNemar, PermutationTest, bootstrap_by_patient, holm, mcnemar, permutation_tests,
};
use crate::error::{EvaluateError, Result, need_at_least, need_size};
use crate::metrics::Confusion;
use crate::predictions::{Prediction, Predictions, Truth};

/// Two runs on the same rows: the first minus the second.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunComparison {
    /// The first run's name.
    pub first: String,
    /// The second run's name.
    pub second: String,
    /// Rows that were compared: those that both runs have and whose truth is known.
    pub rows: usize,
    /// The exact test on rows, which takes them as independent.
    pub mcnemar: McNemar,
    /// One line a metric.
    pub differences: Vec<MetricDifference>,
}

/// The difference of one metric.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MetricDifference {
    /// The metric.
    pub name: String,
    /// The first run's value minus the second's, with a 95 % interval over patients; absent for one patient.
    pub interval: Option<Interval>,
    /// The paired permutation test over patients; absent where the metric has no value.
    pub test: Option<PermutationTest>,
    /// Its p-value after Holm's adjustment over the metrics compared.
    pub adjusted_p_value: Option<f64>,
}

/// Truth, answer and weight of a row.
type Cell = (Option<usize>, Option<usize>, f64);

fn cell(row: &Prediction) -> Cell {
    (row.truth.class(), Some(row.top_class()), row.weight)
}

const METRICS: [&str; 3] = ["accuracy", "macro_f1", "balanced_accuracy"];

impl RunComparison {
    /// Compares two runs, given with their names; both must label the same loops with the same truths and classes.
    ///
    /// # Errors
    /// If their classes or truths differ, or they have no row in common.
    pub fn new(first: (&str, &Predictions), second: (&str, &Predictions), rounds: usize, seed: u64) -> Result<Self> {
        let ((first_name, first), (second_name, second)) = (first, second);
        need_size("classes of the second run", first.classes().len(), second.classes().len())?;
        let disagree = |place: String, what| EvaluateError::Disagreement { place, what };
        if first.classes() != second.classes() {
            return Err(disagree("two runs".to_owned(), "the names of classes"));
        }
        let place = |row: &Prediction| (row.study.clone(), row.loop_name.clone(), row.beat, row.clip);
        let of_second: BTreeMap<_, &Prediction> = second.rows().iter().map(|row| (place(row), row)).collect();
        let mut pairs = Vec::new();
        for row in first.rows().iter().filter(|row| row.truth != Truth::Unlabelled) {
            if let Some(other) = of_second.get(&place(row)) {
                if row.truth != other.truth {
                    return Err(disagree(row.location(), "truth between two runs"));
                }
                pairs.push((row, *other));
            }
        }
        need_at_least("rows that both runs have", 1, pairs.len())?;
        let numbers: BTreeMap<&str, usize> =
            first.rows().iter().map(|row| row.patient.as_str()).zip(first.patients()).collect();
        let patients: Vec<usize> = pairs.iter().map(|(row, _)| numbers[row.patient.as_str()]).collect();
        let classes = first.classes().len();
        let cells: Vec<[Cell; 2]> = pairs.iter().map(|(one, other)| [cell(one), cell(other)]).collect();
        let metrics = |cells: &mut dyn Iterator<Item = Cell>| -> [Option<f64>; 3] {
            // As in a report: macro F1 is that of the rows that show a class.
            match Confusion::from_counts(classes, cells.filter(|(truth, ..)| truth.is_some())) {
                Ok(matrix) => [matrix.accuracy(), matrix.macro_f1(), matrix.balanced_accuracy()],
                Err(_) => [None; 3],
            }
        };
        let minus = |one: [Option<f64>; 3], other: [Option<f64>; 3]| -> Vec<Option<f64>> {
            let pairs = one.into_iter().zip(other);
            pairs.map(|(one, other)| one.zip(other).map(|(one, other)| one - other)).collect()
        };
        let intervals = bootstrap_by_patient(&patients, rounds.min(BOOTSTRAP_ROUNDS), 0.95, seed, |drawn| {
            let of_run = |run: usize| metrics(&mut drawn.iter().map(|row| cells[*row][run]));
            minus(of_run(0), of_run(1))
        })?;
        let tests = permutation_tests(&patients, rounds, seed, |exchanged| {
            let of_run = |run: usize| {
                let picked = cells.iter().zip(exchanged);
                metrics(&mut picked.map(|(pair, exchanged)| pair[if *exchanged { 1 - run } else { run }]))
            };
            minus(of_run(0), of_run(1))
        })?;
        let tested: Vec<f64> = tests.iter().flatten().map(|test| test.p_value).collect();
        let mut adjusted = holm(&tested)?.into_iter();
        let differences = METRICS.into_iter().zip(intervals).zip(tests).map(|((name, interval), test)| {
            let adjusted_p_value = test.and_then(|_| adjusted.next());
            MetricDifference { name: name.to_owned(), interval, test, adjusted_p_value }
        });
        let differences = differences.collect();
        let correct = |row: &Prediction| row.is_correct() == Some(true);
        let first_correct: Vec<bool> = pairs.iter().map(|(row, _)| correct(row)).collect();
        let second_correct: Vec<bool> = pairs.iter().map(|(_, row)| correct(row)).collect();
        Ok(Self {
            first: first_name.to_owned(),
            second: second_name.to_owned(),
            rows: pairs.len(),
            mcnemar: mcnemar(&first_correct, &second_correct)?,
            differences,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predictions::tests::{names, row};

    fn run(patients: usize, correct: impl Fn(usize) -> bool) -> Predictions {
        let rows = (0..patients).map(|index| {
            let truth = index % 2;
            let predicted = if correct(index) { truth } else { 1 - truth };
            row(&format!("p{index}"), "1", Truth::Class(truth), &[[1.0, 0.0], [0.0, 1.0]][predicted])
        });
        Predictions::new(names(2), rows.collect()).unwrap()
    }

    #[test]
    fn a_better_run_is_found_better() {
        let (good, bad) = (run(60, |index| index % 10 > 0), run(60, |index| index % 3 > 0));
        let compared = RunComparison::new(("good", &good), ("bad", &bad), 500, 7).unwrap();
        assert_eq!(compared.rows, 60);
        // Wrong in good: 0, 10, .., 50; in bad: every third; in both: 0 and 30.
        assert_eq!((compared.mcnemar.only_first, compared.mcnemar.only_second), (18, 4));
        let accuracy = &compared.differences[0];
        assert!((accuracy.test.unwrap().difference - 14.0 / 60.0).abs() < 1e-12);
        let interval = accuracy.interval.unwrap();
        assert!(interval.low > 0.0 && interval.value < interval.high);
        assert!(accuracy.test.unwrap().p_value < 0.02 && accuracy.adjusted_p_value.unwrap() < 0.05);
        let back = RunComparison::new(("bad", &bad), ("good", &good), 500, 7).unwrap();
        assert!((back.differences[0].test.unwrap().difference + 14.0 / 60.0).abs() < 1e-12);
    }

    #[test]
    fn runs_that_cannot_be_compared_are_refused() {
        let good = run(4, |_| true);
        let mut rows = good.rows().to_vec();
        rows[0].truth = Truth::Outside;
        let other = Predictions::new(names(2), rows).unwrap();
        assert!(RunComparison::new(("a", &good), ("b", &other), 10, 0).unwrap_err().to_string().contains("truth"));
        let none = Predictions::new(names(2), Vec::new()).unwrap();
        assert!(RunComparison::new(("a", &good), ("b", &none), 10, 0).is_err());
        let names_differ = Predictions::new(vec!["x".into(), "y".into()], Vec::new()).unwrap();
        assert!(RunComparison::new(("a", &good), ("b", &names_differ), 10, 0).is_err());
    }
}
