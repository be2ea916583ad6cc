use std::collections::BTreeMap;

use super::Evaluation;
use crate::error::Result;
use crate::metrics::{FoldMetrics, mean_over_folds};

/// Returns mean and spread of every headline metric that all folds have, and of those of the classes that are judged alone.
///
/// # Errors
/// None, as long as there is a fold.
pub fn metrics_over_folds(folds: &[Evaluation]) -> Result<BTreeMap<String, FoldMetrics>> {
    let mut values: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for fold in folds {
        let headline = fold.metrics.iter().map(|metric| (metric.name.clone(), metric.value));
        let subset = fold.subset.iter().flat_map(|(subset, metrics)| {
            [
                (format!("accuracy of {}", subset.name), metrics.pooled),
                (format!("balanced accuracy of {}", subset.name), metrics.mean_recall),
            ]
        });
        for (name, value) in headline.chain(subset) {
            values.entry(name).or_default().extend(value);
        }
    }
    values.retain(|_, of_folds| of_folds.len() == folds.len());
    values.into_iter().map(|(name, of_folds)| Ok((name, mean_over_folds(&of_folds)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::Level;
    use crate::evaluation::build::tests::header;
    use crate::evaluation::{ClassSubset, EvaluationOptions};
    use crate::predictions::tests::{names, row};
    use crate::predictions::{Predictions, Truth};

    #[test]
    fn only_metrics_that_all_folds_have_are_averaged() {
        let fold = |second: Truth| {
            let rows = vec![row("a", "1", Truth::Class(0), &[0.9, 0.1]), row("b", "1", second, &[0.9, 0.1])];
            let subset = Some(ClassSubset { name: "second".to_owned(), classes: vec![1] });
            let options = EvaluationOptions { subset, bootstrap_rounds: 5, ..EvaluationOptions::new(Level::Loop) };
            Evaluation::new(&Predictions::new(names(2), rows).unwrap(), header(), options).unwrap()
        };
        // The second fold has no row of class 1.
        let metrics = metrics_over_folds(&[fold(Truth::Class(1)), fold(Truth::Class(0))]).unwrap();
        assert_eq!((metrics["accuracy"].mean, &metrics["accuracy"].folds), (0.75, &vec![0.5, 1.0]));
        assert!(!metrics.contains_key("accuracy of second") && metrics.contains_key("brier"));
    }
}
