use std::collections::BTreeSet;

use serde::Serialize;

use crate::agreement::{ExpertAgreement, ExpertSubsets, expert_agreement, expert_subsets};
use crate::comparison::Interval;
use crate::error::Result;
use crate::metrics::Confusion;
use crate::predictions::{Prediction, Predictions, Truth};
use crate::roc::auroc;

/// Counts of the rows evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Rows {
    /// Rows that show one of the classes.
    pub labelled: usize,
    /// Rows that show none of them.
    pub outside: usize,
    /// Rows whose truth is unknown, which are in no metric.
    pub unlabelled: usize,
    /// Patients, over all rows.
    pub patients: usize,
    /// Studies, over all rows.
    pub studies: usize,
}

impl Rows {
    pub(super) fn from_predictions(predictions: &Predictions) -> Self {
        let count = |is: &dyn Fn(Truth) -> bool| predictions.rows().iter().filter(|row| is(row.truth)).count();
        let different =
            |name: &dyn Fn(&Prediction) -> String| predictions.rows().iter().map(name).collect::<BTreeSet<_>>().len();
        Self {
            labelled: count(&|truth| truth.class().is_some()),
            outside: count(&|truth| truth == Truth::Outside),
            unlabelled: count(&|truth| truth == Truth::Unlabelled),
            patients: different(&|row| row.patient.clone()),
            studies: different(&|row| row.study.clone()),
        }
    }
}

/// A headline metric.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Metric {
    /// Its name in JSON, which stays.
    pub name: String,
    /// Its value; absent where there was nothing to compute it from.
    pub value: Option<f64>,
    /// The range in which it would lie with other patients; absent for one patient.
    pub interval: Option<Interval>,
    /// True for shares, which people read as percentages.
    pub is_share: bool,
}

/// One class in the table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassRow {
    /// Its name.
    pub name: String,
    /// Weight of the rows that show it.
    pub support: f64,
    /// Of the rows predicted so that show a class, the share that shows it.
    pub precision: Option<f64>,
    /// Of the rows that show it, the share predicted so.
    pub recall: Option<f64>,
    /// The recall's interval.
    pub recall_interval: Option<Interval>,
    /// The harmonic mean of both.
    pub f1: Option<f64>,
    /// The class that its rows are most often mistaken for, and the share of its rows.
    pub most_confused_with: Option<(String, f64)>,
}

impl ClassRow {
    pub(super) fn all(predictions: &Predictions, confusion: &Confusion, recalls: Vec<Option<Interval>>) -> Vec<Self> {
        let row = |((class, name), recall_interval): ((usize, &String), Option<Interval>)| {
            let metrics = confusion.class_metrics(class);
            let others =
                (0..confusion.classes()).filter(|other| *other != class && confusion.between(class, *other) > 0.0);
            let most = others.max_by(|a, b| confusion.between(class, *a).total_cmp(&confusion.between(class, *b)));
            Self {
                name: name.clone(),
                support: metrics.support,
                precision: metrics.precision,
                recall: metrics.recall,
                recall_interval,
                f1: metrics.f1,
                most_confused_with: most
                    .map(|other| (predictions.classes()[other].clone(), confusion.share(class, other))),
            }
        };
        predictions.classes().iter().enumerate().zip(recalls).map(row).collect()
    }
}

/// Metrics of labelling only the most confident rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CoverageMetrics {
    /// The area under the risk-coverage curve; 0 is best.
    pub area_under_risk: f64,
    /// The area under the ROC of low confidence as a sign of a wrong prediction.
    pub abstention_auroc: Option<f64>,
    /// The coverage at some accuracies.
    pub at_accuracy: Vec<CoverageAt>,
}

/// The coverage at which an accuracy is reached.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CoverageAt {
    /// The accuracy asked for.
    pub accuracy: f64,
    /// The largest share of rows that can be labelled with it; absent where it cannot be reached.
    pub coverage: Option<f64>,
    /// The confidence below which one must abstain for it.
    pub abstain_below: Option<f64>,
}

/// Metrics of abstaining by a rule.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OperatingPoint {
    /// The rule, in words that follow "abstaining".
    pub rule: String,
    /// The share of rows that are labelled, of those that show a class.
    pub coverage: Option<f64>,
    /// The share of the labels that is correct; a label of a row outside the classes is not.
    pub accuracy: Option<f64>,
    /// The share of rows outside the classes that are labelled all the same.
    pub outside_labelled: Option<f64>,
    /// The macro F1 of all labels given: an abstention is a false negative of the row's class, and a label of a row outside
    /// the classes a false positive.
    pub macro_f1: Option<f64>,
}

/// The separation of rows outside the classes from the others: areas under the ROC.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct OodMetrics {
    /// By low confidence.
    pub by_confidence: Option<f64>,
    /// By the energy, where every row has one.
    pub by_energy: Option<f64>,
}

impl OodMetrics {
    pub(super) fn from_predictions(predictions: &Predictions) -> Option<Self> {
        let known: Vec<&Prediction> = predictions.rows().iter().filter(|row| row.truth != Truth::Unlabelled).collect();
        let outside: Vec<bool> = known.iter().map(|row| row.truth == Truth::Outside).collect();
        if !outside.contains(&true) {
            return None;
        }
        let doubts: Vec<f64> = known.iter().map(|row| 1.0 - row.confidence()).collect();
        let energies: Option<Vec<f64>> = known.iter().map(|row| row.energy).collect();
        Some(Self {
            by_confidence: auroc(&doubts, &outside),
            by_energy: energies.and_then(|energies| auroc(&energies, &outside)),
        })
    }
}

/// Agreement of the model and three experts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Experts {
    /// Accuracy on the subsets that their answers make.
    pub subsets: ExpertSubsets,
    /// Kappas and the modified Williams index.
    pub agreement: ExpertAgreement,
}

impl Experts {
    /// Computes the agreement where every row has three experts' labels; `None` elsewhere.
    pub(super) fn from_predictions(predictions: &Predictions) -> Result<Option<Self>> {
        if predictions.rows().iter().any(|row| row.experts.len() != 3) {
            return Ok(None);
        }
        Ok(Some(Self { subsets: expert_subsets(predictions)?, agreement: expert_agreement(predictions)? }))
    }
}

/// A misclassified row.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mistake {
    /// Study, loop, beat and clip.
    pub location: String,
    /// The true class; absent where it is outside the classes.
    pub truth: Option<String>,
    /// The predicted class.
    pub predicted: String,
    /// The probability of the predicted class.
    pub confidence: f64,
    /// The probability of the true class.
    pub truth_probability: Option<f64>,
}

impl Mistake {
    /// Returns the `count` with the highest confidence.
    pub(super) fn most_confident(predictions: &Predictions, count: usize) -> Vec<Self> {
        let mut wrong: Vec<&Prediction> =
            predictions.rows().iter().filter(|row| row.is_correct() == Some(false)).collect();
        wrong.sort_by(|one, other| other.confidence().total_cmp(&one.confidence()));
        let mistake = |row: &Prediction| Self {
            location: row.location(),
            truth: row.truth.class().map(|class| predictions.classes()[class].clone()),
            predicted: predictions.classes()[row.top_class()].clone(),
            confidence: row.confidence(),
            truth_probability: row.truth.class().map(|class| row.probabilities[class]),
        };
        wrong.into_iter().take(count).map(mistake).collect()
    }
}
