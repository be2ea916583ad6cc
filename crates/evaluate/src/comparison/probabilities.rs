use crate::error::{Result, need_at_least, need_size};
use crate::predictions::Predictions;

/// The distance of two models' probabilities on the same rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ProbabilityDifference {
    /// The share of rows with the same most likely class, 0 to 1.
    pub same_class: f64,
    /// The largest difference of any class's probability.
    pub largest: f64,
    /// The mean absolute difference over all classes and rows.
    pub mean: f64,
}

impl ProbabilityDifference {
    /// Compares `first` with `second`, whose rows stand for the same loops in the same order.
    ///
    /// # Errors
    /// If they differ in the number of classes or rows, and without rows.
    pub fn between(first: &Predictions, second: &Predictions) -> Result<Self> {
        need_size("classes of the second model", first.classes().len(), second.classes().len())?;
        need_size("rows of the second model", first.rows().len(), second.rows().len())?;
        need_at_least("rows", 1, first.rows().len())?;
        let rows = || first.rows().iter().zip(second.rows());
        let differences = || {
            rows().flat_map(|(one, other)| {
                one.probabilities.iter().zip(&other.probabilities).map(|(one, other)| (one - other).abs())
            })
        };
        let same = rows().filter(|(one, other)| one.top_class() == other.top_class()).count();
        Ok(Self {
            same_class: same as f64 / first.rows().len() as f64,
            largest: differences().fold(0.0, f64::max),
            mean: differences().sum::<f64>() / (first.rows().len() * first.classes().len()) as f64,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predictions::Truth;
    use crate::predictions::tests::{names, row};

    #[test]
    fn agreement_and_differences_are_over_rows_and_classes() {
        let predictions = |firsts: &[f64]| {
            let rows = firsts.iter().map(|first| row("a", "1", Truth::Unlabelled, &[*first, 1.0 - first]));
            Predictions::new(names(2), rows.collect()).unwrap()
        };
        let found = ProbabilityDifference::between(&predictions(&[0.9, 0.6]), &predictions(&[0.8, 0.4])).unwrap();
        assert_eq!(found.same_class, 0.5);
        assert!((found.largest - 0.2).abs() < 1e-12 && (found.mean - 0.15).abs() < 1e-12, "{found:?}");
        assert!(ProbabilityDifference::between(&predictions(&[0.9]), &predictions(&[0.8, 0.4])).is_err());
        assert!(ProbabilityDifference::between(&predictions(&[]), &predictions(&[])).is_err());
    }
}
