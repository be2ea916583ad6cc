use serde::Serialize;

use crate::error::{EvaluateError, Result, need_size};
use crate::metrics::{mean, ratio};
use crate::predictions::{Predictions, Truth};

/// A confusion matrix, with a row for what is outside the classes and a column for abstentions.
///
/// Rows are truths, columns are predictions. Counts are sums of the rows' weights. Rows whose truth is unknown are not
/// in it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Confusion {
    /// The number of classes.
    classes: usize,
    /// `classes + 1` rows (the last: outside) of `classes + 1` columns (the last: abstained).
    counts: Vec<Vec<f64>>,
}

/// The metrics of one class.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ClassMetrics {
    /// Weight of the rows that show the class.
    pub support: f64,
    /// Of the rows predicted as this class, the share that shows it; `None` where none is called so.
    pub precision: Option<f64>,
    /// Of the rows that show it, the share predicted so (the class's accuracy); `None` where none shows it.
    pub recall: Option<f64>,
    /// Of the rows that do not show it, the share not predicted so; `None` where all show it.
    pub specificity: Option<f64>,
    /// The harmonic mean of precision and recall, 0 where one of them is missing; `None` where both are.
    pub f1: Option<f64>,
}

impl Confusion {
    /// Counts `decisions`, one class a row, `None` for an abstention.
    ///
    /// # Errors
    /// If there is not one decision a row, or one is no class.
    pub fn from_decisions(predictions: &Predictions, decisions: &[Option<usize>]) -> Result<Self> {
        need_size("decisions", predictions.rows().len(), decisions.len())?;
        let known = predictions.rows().iter().zip(decisions);
        let known = known.filter(|(row, _)| row.truth != Truth::Unlabelled);
        Self::from_counts(
            predictions.classes().len(),
            known.map(|(row, answer)| (row.truth.class(), *answer, row.weight)),
        )
    }

    /// Counts the most likely class of each row.
    ///
    /// # Errors
    /// None: every row has such a class.
    pub fn from_top_classes(predictions: &Predictions) -> Result<Self> {
        let classes: Vec<Option<usize>> = predictions.rows().iter().map(|row| Some(row.top_class())).collect();
        Self::from_decisions(predictions, &classes)
    }

    /// Counts (truth, prediction, weight), where no truth means outside the classes and no prediction an abstention.
    ///
    /// # Errors
    /// If a truth or a prediction is none of the `classes`.
    pub fn from_counts(
        classes: usize,
        rows: impl Iterator<Item = (Option<usize>, Option<usize>, f64)>,
    ) -> Result<Self> {
        let mut counts = vec![vec![0.0; classes + 1]; classes + 1];
        for (truth, answer, weight) in rows {
            if let Some(found) = [truth, answer].into_iter().flatten().find(|class| *class >= classes) {
                return Err(EvaluateError::Size { what: "class index".to_owned(), expected: classes, found });
            }
            counts[truth.unwrap_or(classes)][answer.unwrap_or(classes)] += weight;
        }
        Ok(Self { classes, counts })
    }

    /// Returns the counts with classes joined: `group_of_class` gives each class's group.
    ///
    /// # Errors
    /// A class has no group.
    pub fn grouped(&self, group_of_class: &[usize]) -> Result<Self> {
        need_size("groups of classes", self.classes, group_of_class.len())?;
        let groups = group_of_class.iter().max().map_or(0, |last| last + 1);
        let group = |class: usize| group_of_class.get(class).copied();
        let cells = (0..=self.classes).flat_map(|truth| (0..=self.classes).map(move |answer| (truth, answer)));
        Self::from_counts(
            groups,
            cells.map(|(truth, answer)| (group(truth), group(answer), self.counts[truth][answer])),
        )
    }

    /// Returns the counts without the rows outside the classes.
    ///
    /// A most likely class is never correct for such a row, whatever the model does; only an abstention is. So
    /// precision and F1 of most likely classes are taken over the rows that show a class.
    pub fn without_outside(&self) -> Self {
        let mut inside = self.clone();
        inside.counts[self.classes].fill(0.0);
        inside
    }

    /// Returns the number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Returns the weight of the rows of class `truth` that were predicted as `answer`.
    pub fn between(&self, truth: usize, answer: usize) -> f64 {
        self.counts[truth][answer]
    }

    /// Returns the weight of the abstentions, for each class and last for what is outside.
    pub fn abstained(&self) -> Vec<f64> {
        self.counts.iter().map(|row| row[self.classes]).collect()
    }

    /// Returns, for each class, the weight of the rows outside the classes that were predicted so.
    pub fn outside(&self) -> &[f64] {
        &self.counts[self.classes][..self.classes]
    }

    /// Returns true where rows outside the classes or abstentions were counted.
    pub fn has_outside_or_abstained(&self) -> bool {
        self.outside().iter().chain(&self.abstained()).any(|weight| *weight > 0.0)
    }

    /// Returns the weight of the rows of class `truth`, abstentions included.
    pub fn support(&self, truth: usize) -> f64 {
        self.counts[truth].iter().sum()
    }

    /// Returns the weight of the rows that were predicted as `answer`, those outside the classes included.
    pub fn called(&self, answer: usize) -> f64 {
        self.counts.iter().map(|row| row[answer]).sum()
    }

    /// Returns the share of rows of class `truth` that were predicted as `answer`; 0 where the class has no rows.
    pub fn share(&self, truth: usize, answer: usize) -> f64 {
        ratio(self.counts[truth][answer], self.support(truth)).unwrap_or(0.0)
    }

    fn correct(&self) -> f64 {
        (0..self.classes).map(|class| self.counts[class][class]).sum()
    }

    fn total(&self) -> f64 {
        self.counts.iter().flatten().sum()
    }

    /// Returns the share of the classes' rows that were classified correctly; abstentions were not. `None` without
    /// rows.
    pub fn accuracy(&self) -> Option<f64> {
        ratio(self.correct(), (0..self.classes).map(|class| self.support(class)).sum())
    }

    /// Returns precision, recall, specificity and F1 of `class`.
    pub fn class_metrics(&self, class: usize) -> ClassMetrics {
        let (correct, support, called) = (self.counts[class][class], self.support(class), self.called(class));
        let others = self.total() - support;
        ClassMetrics {
            support,
            precision: ratio(correct, called),
            recall: ratio(correct, support),
            specificity: ratio(others - (called - correct), others),
            f1: ratio(2.0 * correct, support + called),
        }
    }

    /// Returns the mean F1 of the classes that occur in the truth or among the predictions (scikit-learn's `macro`).
    pub fn macro_f1(&self) -> Option<f64> {
        mean((0..self.classes).filter_map(|class| self.class_metrics(class).f1))
    }

    /// Returns the F1 of all predictions together. It is the accuracy unless something was abstained from or lies
    /// outside the classes.
    pub fn micro_f1(&self) -> Option<f64> {
        let sum = |of: &dyn Fn(usize) -> f64| (0..self.classes).map(of).sum::<f64>();
        ratio(2.0 * self.correct(), sum(&|class| self.support(class)) + sum(&|class| self.called(class)))
    }

    /// Returns the mean precision of the classes that are predicted at all.
    pub fn macro_precision(&self) -> Option<f64> {
        mean((0..self.classes).filter_map(|class| self.class_metrics(class).precision))
    }

    /// Returns the mean recall of the classes that have rows: balanced accuracy.
    pub fn balanced_accuracy(&self) -> Option<f64> {
        mean((0..self.classes).filter_map(|class| self.class_metrics(class).recall))
    }

    /// Returns the mean specificity of all classes. With many classes it is close to 1 whatever the model does.
    pub fn macro_specificity(&self) -> Option<f64> {
        mean((0..self.classes).filter_map(|class| self.class_metrics(class).specificity))
    }

    /// Returns Cohen's kappa: agreement beyond what the margins alone would give. `None` where chance agreement is
    /// certain.
    ///
    /// Rows outside the classes and abstentions are left out. Cohen, Educational and Psychological Measurement 1960.
    pub fn kappa(&self) -> Option<f64> {
        let inside = |truth: usize| self.counts[truth][..self.classes].iter().sum::<f64>();
        let answers = |answer: usize| self.counts[..self.classes].iter().map(|row| row[answer]).sum::<f64>();
        let total: f64 = (0..self.classes).map(inside).sum();
        let observed = ratio(self.correct(), total)?;
        let expected = (0..self.classes).map(|class| inside(class) * answers(class)).sum::<f64>() / (total * total);
        ratio(observed - expected, 1.0 - expected)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn confusion(truths: &[usize], answers: &[usize], classes: usize) -> Confusion {
        let rows = truths.iter().zip(answers).map(|(truth, answer)| (Some(*truth), Some(*answer), 1.0));
        Confusion::from_counts(classes, rows).unwrap()
    }

    const TRUTHS: [usize; 12] = [0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 2];
    const ANSWERS: [usize; 12] = [0, 0, 1, 2, 1, 1, 0, 2, 2, 2, 1, 3];

    #[track_caller]
    fn near(found: Option<f64>, expected: f64) {
        assert!((found.unwrap() - expected).abs() < 1e-12, "{found:?} is not {expected}");
    }

    #[test]
    fn figures_are_those_of_scikit_learn() {
        // scikit-learn 1.9.1: accuracy_score, f1_score(average="macro"), balanced_accuracy_score, cohen_kappa_score,
        // precision_recall_fscore_support (zero_division=0); class 3 is answered once and never true.
        let matrix = confusion(&TRUTHS, &ANSWERS, 4);
        near(matrix.accuracy(), 7.0 / 12.0);
        near(matrix.micro_f1(), 7.0 / 12.0);
        near(matrix.macro_f1(), 0.452_380_952_380_952_33);
        near(matrix.balanced_accuracy(), 0.588_888_888_888_888_9);
        near(matrix.kappa(), 0.4);
        near(matrix.macro_precision(), (2.0 / 3.0 + 0.5 + 0.75 + 0.0) / 4.0);
        near(matrix.class_metrics(0).recall, 0.5);
        // Seven of eight, seven of nine, six of seven, eleven of twelve.
        near(matrix.class_metrics(0).specificity, 7.0 / 8.0);
        near(matrix.macro_specificity(), (7.0 / 8.0 + 7.0 / 9.0 + 6.0 / 7.0 + 11.0 / 12.0) / 4.0);
        near(matrix.class_metrics(2).f1, 2.0 * 0.75 * 0.6 / 1.35);
        let never_true = matrix.class_metrics(3);
        assert_eq!((never_true.recall, never_true.precision, never_true.f1), (None, Some(0.0), Some(0.0)));
    }

    #[test]
    fn weights_count_as_repetitions() {
        let weighted =
            Confusion::from_counts(2, [(Some(0), Some(0), 3.0), (Some(1), Some(0), 1.0)].into_iter()).unwrap();
        assert_eq!(weighted, confusion(&[0, 0, 0, 1], &[0, 0, 0, 0], 2));
    }

    #[test]
    fn abstentions_and_out_of_distribution_rows_part_micro_f1_from_accuracy() {
        let rows = [(Some(0), Some(0)), (Some(0), None), (Some(1), Some(1)), (None, Some(1)), (None, None)];
        let matrix = Confusion::from_counts(2, rows.into_iter().map(|(truth, answer)| (truth, answer, 1.0))).unwrap();
        near(matrix.accuracy(), 2.0 / 3.0);
        // Two of three answers are correct, two of three rows are found.
        near(matrix.micro_f1(), 2.0 / 3.0);
        near(matrix.class_metrics(1).precision, 0.5);
        assert_eq!((matrix.abstained(), matrix.outside()), (vec![1.0, 0.0, 1.0], &[0.0, 1.0][..]));
        assert!(matrix.has_outside_or_abstained());
        near(matrix.kappa(), 1.0);
    }

    #[test]
    fn nothing_counted_gives_no_figures() {
        let empty = confusion(&[], &[], 3);
        assert_eq!((empty.accuracy(), empty.macro_f1(), empty.kappa()), (None, None, None));
        assert_eq!(confusion(&[1, 1], &[1, 1], 3).kappa(), None);
        assert!(Confusion::from_counts(2, std::iter::once((Some(2), None, 1.0))).is_err());
    }

    #[test]
    fn classes_of_one_group_are_not_told_apart() {
        let matrix = confusion(&TRUTHS, &ANSWERS, 4).grouped(&[0, 0, 1, 1]).unwrap();
        // Wrong are only 0 -> 2 and 2 -> 1.
        near(matrix.accuracy(), 10.0 / 12.0);
        assert_eq!(matrix.classes(), 2);
        assert!(confusion(&TRUTHS, &ANSWERS, 4).grouped(&[0]).is_err());
    }

    proptest! {
        #[test]
        fn figures_stay_in_their_range(pairs in proptest::collection::vec((0..5_usize, 0..5_usize), 1..60)) {
            let (truths, answers): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
            let matrix = confusion(&truths, &answers, 5);
            for metric in [matrix.accuracy(), matrix.macro_f1(), matrix.micro_f1(), matrix.balanced_accuracy()] {
                prop_assert!((0.0..=1.0).contains(&metric.unwrap()));
            }
            prop_assert!((matrix.micro_f1().unwrap() - matrix.accuracy().unwrap()).abs() < 1e-12);
            prop_assert!(matrix.kappa().is_none_or(|kappa| (-1.0..=1.0).contains(&kappa)));
            // Agreement is mutual.
            let swapped = confusion(&answers, &truths, 5).kappa();
            prop_assert!(matrix.kappa().zip(swapped).is_none_or(|(a, b)| (a - b).abs() < 1e-12));
            // Joining everything makes everything correct.
            prop_assert_eq!(matrix.grouped(&[0; 5]).unwrap().accuracy(), Some(1.0));
        }
    }
}
