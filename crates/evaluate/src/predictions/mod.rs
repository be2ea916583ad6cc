//! Predictions of a model beside the truth.

mod table;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{EvaluateError, Result, need_size};

pub use table::{from_csv, to_csv};

/// The truth of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Truth {
    /// The class with this index.
    Class(usize),
    /// Something that is none of the classes: only an abstention is correct.
    Outside,
    /// The truth is unknown.
    Unlabelled,
}

impl Truth {
    /// The class, where there is one.
    pub fn class(self) -> Option<usize> {
        match self {
            Self::Class(class) => Some(class),
            Self::Outside | Self::Unlabelled => None,
        }
    }
}

/// One row: the prediction of one clip, or of the beat or loop that clips were joined into.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// The patient: the unit that splits and resampling keep together.
    pub patient: String,
    /// The study, by whatever name it has in the data.
    pub study: String,
    /// The loop within the study.
    pub loop_name: String,
    /// The beat within the loop, from 0; absent where beats are unknown or already joined.
    pub beat: Option<usize>,
    /// The clip within the beat, from 0; absent where clips are already joined.
    pub clip: Option<usize>,
    /// The truth.
    pub truth: Truth,
    /// One probability a class; they sum to 1.
    pub probabilities: Vec<f64>,
    /// The energy score of its logits (see [`crate::ood::energy`]), where logits were known.
    pub energy: Option<f64>,
    /// The encoder's vector, where it was kept.
    pub features: Option<Vec<f32>>,
    /// Each expert's label, `None` for "not sure"; empty where no expert was asked.
    pub experts: Vec<Option<usize>>,
    /// The row's weight in confusion matrices and calibration errors, usually 1.
    pub weight: f64,
}

impl Prediction {
    /// Returns the most likely class, the first of equals.
    pub fn top_class(&self) -> usize {
        largest(&self.probabilities)
    }

    /// Returns the probability of the most likely class.
    pub fn confidence(&self) -> f64 {
        self.probabilities.get(self.top_class()).copied().unwrap_or(0.0)
    }

    /// Returns true where the most likely class is the true one; `None` where the truth is unknown.
    ///
    /// It is never correct for a row that shows none of the classes.
    pub fn is_correct(&self) -> Option<bool> {
        match self.truth {
            Truth::Class(class) => Some(class == self.top_class()),
            Truth::Outside => Some(false),
            Truth::Unlabelled => None,
        }
    }

    /// Returns a name for people: study, loop, beat and clip.
    pub fn location(&self) -> String {
        let mut place = format!("study {}, loop {}", self.study, self.loop_name);
        if let Some(beat) = self.beat {
            place.push_str(&format!(", beat {beat}"));
        }
        if let Some(clip) = self.clip {
            place.push_str(&format!(", clip {clip}"));
        }
        place
    }
}

/// Rows whose shapes agree, with the names of their classes.
#[derive(Debug, Clone, PartialEq)]
pub struct Predictions {
    classes: Vec<String>,
    rows: Vec<Prediction>,
}

impl Predictions {
    /// Checks that every row has one probability a class, that they are probabilities, that classes exist, and that
    /// features and experts are as many in every row that has them.
    ///
    /// # Errors
    /// One of these does not hold; the error names the row.
    pub fn new(classes: Vec<String>, rows: Vec<Prediction>) -> Result<Self> {
        let count = classes.len();
        let class_exists = |class: usize, what: &str, row: &Prediction| {
            if class < count {
                Ok(())
            } else {
                Err(EvaluateError::Size {
                    what: format!("{}: index of the {what} among classes", row.location()),
                    expected: count,
                    found: class,
                })
            }
        };
        let width = rows.iter().find_map(|row| row.features.as_ref()).map(Vec::len);
        for row in &rows {
            need_size(format!("{}: probabilities", row.location()), count, row.probabilities.len())?;
            check_probabilities(row)?;
            if let Truth::Class(class) = row.truth {
                class_exists(class, "truth", row)?;
            }
            for class in row.experts.iter().flatten() {
                class_exists(*class, "expert's label", row)?;
            }
            if let (Some(features), Some(width)) = (&row.features, width) {
                need_size(format!("{}: features", row.location()), width, features.len())?;
            }
            need_size(format!("{}: experts", row.location()), rows[0].experts.len(), row.experts.len())?;
            if !(row.weight.is_finite() && row.weight >= 0.0) {
                return Err(EvaluateError::Range { name: "a weight", value: row.weight, allowed: "0 or more" });
            }
        }
        Ok(Self { classes, rows })
    }

    /// Returns the classes' names, by index.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Returns the rows.
    pub fn rows(&self) -> &[Prediction] {
        &self.rows
    }

    /// Returns the number of each row's patient, counted from 0 in the order of their names.
    pub fn patients(&self) -> Vec<usize> {
        let mut numbers: BTreeMap<&str, usize> = self.rows.iter().map(|row| (row.patient.as_str(), 0)).collect();
        numbers.values_mut().enumerate().for_each(|(number, value)| *value = number);
        self.rows.iter().map(|row| numbers[row.patient.as_str()]).collect()
    }

    /// Returns the rows whose class is known, with it.
    pub fn labelled(&self) -> impl Iterator<Item = (&Prediction, usize)> {
        self.rows.iter().filter_map(|row| row.truth.class().map(|class| (row, class)))
    }
}

fn check_probabilities(row: &Prediction) -> Result<()> {
    let sum: f64 = row.probabilities.iter().sum();
    let smallest = row.probabilities.iter().copied().fold(f64::INFINITY, f64::min);
    let largest = row.probabilities.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // Probabilities printed with four digits are still probabilities; a comparison with NaN is false, as it should be.
    let sums_to_one = (sum - 1.0).abs() <= 1e-3;
    if sums_to_one && smallest >= 0.0 && largest <= 1.0 + 1e-6 {
        Ok(())
    } else {
        Err(EvaluateError::Probabilities { row: row.location(), smallest, largest, sum })
    }
}

/// The index of the largest value, the first of equals; 0 where there is none.
pub(crate) fn largest(values: &[f64]) -> usize {
    let mut best = 0;
    for (index, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = index;
        }
    }
    best
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A row of patient and study `patient` with the given probabilities.
    pub(crate) fn row(patient: &str, loop_name: &str, truth: Truth, probabilities: &[f64]) -> Prediction {
        Prediction {
            patient: patient.to_owned(),
            study: patient.to_owned(),
            loop_name: loop_name.to_owned(),
            beat: None,
            clip: None,
            truth,
            probabilities: probabilities.to_vec(),
            energy: None,
            features: None,
            experts: Vec::new(),
            weight: 1.0,
        }
    }

    pub(crate) fn names(count: usize) -> Vec<String> {
        (0..count).map(|index| format!("view{index}")).collect()
    }

    #[test]
    fn rows_that_do_not_fit_are_refused() {
        let good = row("a", "1", Truth::Class(1), &[0.25, 0.75]);
        assert!(Predictions::new(names(2), vec![good.clone()]).is_ok());
        let refused = |change: &dyn Fn(&mut Prediction)| {
            let mut bad = good.clone();
            change(&mut bad);
            Predictions::new(names(2), vec![good.clone(), bad]).unwrap_err().to_string()
        };
        assert!(refused(&|row| row.probabilities = vec![1.0]).contains("study a, loop 1: probabilities: 1 where 2"));
        assert!(refused(&|row| row.probabilities = vec![0.5, 0.6]).contains("sum to 1.1"));
        assert!(refused(&|row| row.probabilities = vec![f64::NAN, 1.0]).contains("NaN"));
        assert!(refused(&|row| row.probabilities = vec![-0.5, 1.5]).contains("-0.5 to 1.5"));
        assert!(refused(&|row| row.truth = Truth::Class(2)).contains("truth"));
        assert!(refused(&|row| row.experts = vec![None]).contains("experts"));
        assert!(refused(&|row| row.weight = -1.0).contains("weight"));
    }

    #[test]
    fn the_first_of_equals_is_best_and_outside_is_never_right() {
        let tie = row("a", "1", Truth::Class(0), &[0.5, 0.5]);
        assert_eq!((tie.top_class(), tie.confidence(), tie.is_correct()), (0, 0.5, Some(true)));
        assert_eq!(row("a", "1", Truth::Outside, &[0.5, 0.5]).is_correct(), Some(false));
        assert_eq!(row("a", "1", Truth::Unlabelled, &[0.5, 0.5]).is_correct(), None);
    }

    #[test]
    fn patients_are_numbered() {
        let rows = ["b", "a", "b"].map(|patient| row(patient, "1", Truth::Unlabelled, &[1.0]));
        assert_eq!(Predictions::new(names(1), rows.to_vec()).unwrap().patients(), [1, 0, 1]);
    }
}
