use candle_core::Tensor;

use super::cross_entropy::ClassLoss;
use super::labels::{fault, indicator, labelled_rows};
use super::log_sum_exp::log_sum_exp;
use crate::Result;

/// Cross-entropy where a label may leave open which of several classes is meant: -log of their merged probability.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartialLabelLoss {
    /// For each label the classes that it may mean.
    meanings: Vec<Vec<usize>>,
}

const NAME: &str = "partial-label loss";

impl PartialLabelLoss {
    /// For each label the classes that it may mean; an error if one means nothing.
    ///
    /// # Errors
    /// A label means no class.
    pub fn new(meanings: Vec<Vec<usize>>) -> Result<Self> {
        match meanings.iter().position(Vec::is_empty) {
            Some(label) => fault(NAME, format!("label {label} means no class")),
            None => Ok(Self { meanings }),
        }
    }

    /// TMED2's: PLAX 0, PSAX 1, A4C 2, A2C 3, and 4 for an image that is neither PLAX nor PSAX, so 2, 3 or 4.
    pub fn tmed2() -> Self {
        Self { meanings: vec![vec![0], vec![1], vec![2], vec![3], vec![2, 3, 4]] }
    }

    /// Of logits [N, K] with a label for each row; the mean is over all rows.
    ///
    /// # Errors
    /// Labels or the classes that they mean out of range, labels not as many as rows.
    pub fn of(&self, logits: &Tensor, labels: &[usize]) -> Result<ClassLoss> {
        let (count, classes) = labelled_rows(NAME, logits, labels)?;
        let mut meanings = Vec::with_capacity(count);
        for &label in labels {
            match self.meanings.get(label) {
                Some(meaning) if meaning.iter().all(|&class| class < classes) => meanings.push(meaning),
                _ => return fault(NAME, format!("label {label} with {classes} classes")),
            }
        }
        let all = indicator((count, classes), logits, |_, _| true)?;
        let meant = indicator((count, classes), logits, |row, class| meanings[row].contains(&class))?;
        let per_sample = (log_sum_exp(logits, &all)? - log_sum_exp(logits, &meant)?)?.squeeze(1)?;
        Ok(ClassLoss { mean: per_sample.mean_all()?, per_sample })
    }
}
