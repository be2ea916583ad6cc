//! Agreement of a model with three experts, by the subsets and kappas of EchoView47's test set.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::error::{EvaluateError, Result};
use crate::metrics::{Confusion, mean, ratio};
use crate::predictions::{Prediction, Predictions};

/// The size of a subset and the model's accuracy on it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SubsetMetrics {
    /// Rows.
    pub rows: usize,
    /// The share that is correct; `None` without rows.
    pub accuracy: Option<f64>,
}

/// Accuracy on the subsets that the experts' labels make; "not sure" agrees with nothing, not with itself either.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ExpertSubsets {
    /// Every row that expert 1 labelled; expert 1 is correct.
    pub full: SubsetMetrics,
    /// Rows with three equal labels, which are correct.
    pub all_agree: SubsetMetrics,
    /// Rows with at least two equal labels, which are correct.
    pub majority: SubsetMetrics,
    /// The other rows that expert 1 labelled; expert 1 is correct.
    pub no_majority: SubsetMetrics,
    /// Rows that all three labelled; expert 1 is correct.
    pub intersection: SubsetMetrics,
    /// Rows that any expert labelled; any of the labels is correct. Only its accuracy has a meaning.
    pub any_expert: SubsetMetrics,
}

/// Cohen's kappas on the rows that all three experts labelled, and what they come to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExpertAgreement {
    /// Rows that all three labelled.
    pub rows: usize,
    /// Kappa of the model and experts 1, 2, 3; `None` where chance alone would agree always.
    pub model_expert: [Option<f64>; 3],
    /// Kappa of experts 1 and 2, 1 and 3, 2 and 3.
    pub expert_expert: [Option<f64>; 3],
    /// The modified Williams index: the mean of the first three over the mean of the last three. Above 1 the model
    /// agrees with the experts more than they do with one another.
    pub williams_index: Option<f64>,
}

type ExpertLabels = [Option<usize>; 3];

/// Computes the accuracy of the most likely classes on each subset.
///
/// # Errors
/// If a row has not three experts' labels.
pub fn expert_subsets(predictions: &Predictions) -> Result<ExpertSubsets> {
    let rows = rows_with_experts(predictions)?;
    let metrics = |correct_label: &dyn Fn(&ExpertLabels) -> Option<usize>| {
        let correct =
            rows.iter().filter_map(|(row, labels)| correct_label(labels).map(|label| label == row.top_class()));
        let correct: Vec<bool> = correct.collect();
        subset(&correct)
    };
    let any: Vec<bool> = rows
        .iter()
        .filter(|(_, said)| said.iter().any(Option::is_some))
        .map(|(row, said)| said.contains(&Some(row.top_class())))
        .collect();
    Ok(ExpertSubsets {
        full: metrics(&|said| said[0]),
        all_agree: metrics(&|said| said[0].filter(|_| said[0] == said[1] && said[1] == said[2])),
        majority: metrics(&majority),
        no_majority: metrics(&|said| said[0].filter(|_| majority(said).is_none())),
        intersection: metrics(&|said| said[0].filter(|_| all_labelled(said))),
        any_expert: subset(&any),
    })
}

/// Computes the kappas and the modified Williams index.
///
/// # Errors
/// If a row has not three experts' labels.
pub fn expert_agreement(predictions: &Predictions) -> Result<ExpertAgreement> {
    let rows = rows_with_experts(predictions)?;
    let labelled: Vec<_> = rows.iter().filter(|(_, said)| all_labelled(said)).collect();
    let kappa = |one: &dyn Fn(&(&Prediction, ExpertLabels)) -> Option<usize>, other: usize| -> Result<Option<f64>> {
        let pairs = labelled.iter().map(|row| (one(row), row.1[other], 1.0));
        Ok(Confusion::from_counts(predictions.classes().len(), pairs)?.kappa())
    };
    let model = |row: &(&Prediction, ExpertLabels)| Some(row.0.top_class());
    let model_expert = [kappa(&model, 0)?, kappa(&model, 1)?, kappa(&model, 2)?];
    let expert_expert = [kappa(&|row| row.1[0], 1)?, kappa(&|row| row.1[0], 2)?, kappa(&|row| row.1[1], 2)?];
    let mean_of_all = |kappas: &[Option<f64>; 3]| {
        let known: Option<Vec<f64>> = kappas.iter().copied().collect();
        known.and_then(|known| mean(known.into_iter()))
    };
    let williams_index = match (mean_of_all(&model_expert), mean_of_all(&expert_expert)) {
        (Some(model), Some(experts)) => ratio(model, experts),
        _ => None,
    };
    Ok(ExpertAgreement { rows: labelled.len(), model_expert, expert_expert, williams_index })
}

/// Returns Cohen's kappa of two readers, each pair what both said of one thing; `None` where chance alone would agree
/// always.
pub fn reader_kappa<T: Ord>(pairs: &[[T; 2]]) -> Option<f64> {
    let said: Vec<&T> = pairs.iter().flatten().collect::<BTreeSet<_>>().into_iter().collect();
    let class = |answer: &T| said.binary_search(&answer).ok();
    let rows = pairs.iter().map(|[first, second]| (class(first), class(second), 1.0));
    Confusion::from_counts(said.len(), rows).ok()?.kappa()
}

fn rows_with_experts(predictions: &Predictions) -> Result<Vec<(&Prediction, ExpertLabels)>> {
    let mut rows = Vec::new();
    for row in predictions.rows() {
        let said = ExpertLabels::try_from(row.experts.as_slice()).map_err(|_| EvaluateError::Size {
            what: format!("{}: experts", row.location()),
            expected: 3,
            found: row.experts.len(),
        })?;
        rows.push((row, said));
    }
    Ok(rows)
}

fn subset(correct: &[bool]) -> SubsetMetrics {
    let hits = correct.iter().filter(|correct| **correct).count();
    SubsetMetrics { rows: correct.len(), accuracy: ratio(hits as f64, correct.len() as f64) }
}

fn all_labelled(said: &ExpertLabels) -> bool {
    said.iter().all(Option::is_some)
}

/// Returns the label that at least two experts gave.
fn majority(said: &ExpertLabels) -> Option<usize> {
    let twice = |label: &Option<usize>| label.is_some() && said.iter().filter(|other| *other == label).count() > 1;
    said.iter().copied().find(twice).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::predictions::Truth;
    use crate::predictions::tests::{names, row};

    #[test]
    fn two_readers_agree_beyond_chance() {
        // Observed 3 of 4, by chance 1/2.
        let pairs = [["a", "a"], ["a", "a"], ["b", "b"], ["b", "a"]];
        let by_chance = (0.5 * 0.75) + (0.5 * 0.25);
        assert!((reader_kappa(&pairs).unwrap() - (0.75 - by_chance) / (1.0 - by_chance)).abs() < 1e-12);
        assert_eq!(reader_kappa(&[[Some("a"), None], [None, Some("a")]]), Some(-1.0));
        assert_eq!(reader_kappa(&[["a", "a"]]), None);
        assert_eq!(reader_kappa::<u8>(&[]), None);
    }

    const MODEL: [f64; 3] = [0.210_526_315_789_473_78, 0.411_764_705_882_353, 1.0];
    const EXPERTS: [f64; 3] = [0.375, 0.210_526_315_789_473_67, 0.411_764_705_882_352_9];
    const NOT_SURE: Option<usize> = None;

    fn predictions(rows: &[(usize, ExpertLabels)]) -> Predictions {
        let rows = rows.iter().map(|(best, said)| {
            let mut probabilities = [0.0; 3];
            probabilities[*best] = 1.0;
            Prediction { experts: said.to_vec(), ..row("a", "1", Truth::Unlabelled, &probabilities) }
        });
        Predictions::new(names(3), rows.collect()).unwrap()
    }

    fn seven() -> Predictions {
        predictions(&[
            (0, [Some(0), Some(0), Some(0)]),
            (1, [Some(0), Some(0), Some(1)]),
            (1, [Some(0), Some(1), Some(1)]),
            (2, [Some(0), Some(1), Some(2)]),
            (0, [Some(0), NOT_SURE, NOT_SURE]),
            (1, [Some(1), NOT_SURE, Some(1)]),
            (2, [Some(2), Some(2), Some(2)]),
        ])
    }

    #[test]
    fn subsets_are_counted_by_hand() {
        let subsets = expert_subsets(&seven()).unwrap();
        let counted = |metrics: SubsetMetrics| (metrics.rows, metrics.accuracy.unwrap());
        assert_eq!(counted(subsets.full), (7, 4.0 / 7.0));
        assert_eq!(counted(subsets.all_agree), (2, 1.0));
        // Majorities 0, 0, 1, -, -, 1, 2 against 0, 1, 1, 2, 0, 1, 2.
        assert_eq!(counted(subsets.majority), (5, 0.8));
        assert_eq!(counted(subsets.no_majority), (2, 0.5));
        assert_eq!(counted(subsets.intersection), (5, 0.4));
        assert_eq!(counted(subsets.any_expert), (7, 1.0));
    }

    #[test]
    fn kappas_are_those_of_scikit_learn() {
        // scikit-learn 1.9.1: cohen_kappa_score on the five rows that all labelled.
        let agreement = expert_agreement(&seven()).unwrap();
        assert_eq!(agreement.rows, 5);
        let near = |found: Option<f64>, expected: f64| (found.unwrap() - expected).abs() < 1e-12;
        for (found, expected) in agreement.model_expert.into_iter().zip(MODEL) {
            assert!(near(found, expected), "{found:?} {expected}");
        }
        for (found, expected) in agreement.expert_expert.into_iter().zip(EXPERTS) {
            assert!(near(found, expected), "{found:?} {expected}");
        }
        let index = MODEL.iter().sum::<f64>() / EXPERTS.iter().sum::<f64>();
        assert!(near(agreement.williams_index, index));
    }

    #[test]
    fn three_experts_are_needed_and_one_answer_has_no_kappa() {
        let two = row("a", "1", Truth::Unlabelled, &[1.0]);
        let two = Prediction { experts: vec![Some(0), None], ..two };
        let predictions_of_two = Predictions::new(names(1), vec![two]).unwrap();
        assert!(expert_subsets(&predictions_of_two).unwrap_err().to_string().contains("experts: 2 where 3"));
        let same = expert_agreement(&predictions(&[(1, [Some(1); 3]), (1, [Some(1); 3])])).unwrap();
        assert_eq!((same.model_expert, same.williams_index), ([None; 3], None));
    }

    proptest! {
        #[test]
        fn subsets_add_up(rows in proptest::collection::vec((0..3_usize, proptest::array::uniform3(proptest::option::of(0..3_usize))), 1..40)) {
            let subsets = expert_subsets(&predictions(&rows)).unwrap();
            let first_sure = rows.iter().filter(|(_, said)| said[0].is_some()).count();
            let first_unsure_majority = rows.iter().filter(|(_, said)| said[0].is_none() && majority(said).is_some()).count();
            prop_assert_eq!(subsets.full.rows, first_sure);
            prop_assert_eq!(subsets.majority.rows + subsets.no_majority.rows, first_sure + first_unsure_majority);
            prop_assert!(subsets.all_agree.rows <= subsets.intersection.rows);
            prop_assert!(subsets.any_expert.rows >= subsets.full.rows);
        }
    }
}
