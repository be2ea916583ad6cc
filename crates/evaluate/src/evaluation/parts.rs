use serde::Serialize;

use super::{ExpertAgreement, ExpertSubsets, Interval};

/// How much was judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Rows {
    /// Rows that show one of the classes.
    pub labelled: usize,
    /// Rows that show none of them.
    pub outside: usize,
    /// Rows whose truth is unknown; they are in no figure.
    pub unlabelled: usize,
    /// Patients, over all rows.
    pub patients: usize,
    /// Studies, over all rows.
    pub studies: usize,
}

/// A headline figure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
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
    /// Of the rows called so, the share that shows it.
    pub precision: Option<f64>,
    /// Of the rows that show it, the share called so.
    pub recall: Option<f64>,
    /// The recall's interval.
    pub recall_interval: Option<Interval>,
    /// The harmonic mean of both.
    pub f1: Option<f64>,
    /// What its rows are most often called instead, and how often, as a share of its rows.
    pub most_called: Option<(String, f64)>,
}

/// What answering only the surest rows wins.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CoverageFigures {
    /// The area under the risk-coverage curve; 0 is best.
    pub area_under_risk: f64,
    /// How well low confidence tells wrong answers from right ones: the area under the ROC.
    pub abstention_auroc: Option<f64>,
    /// For some accuracies: the accuracy asked for, and what it costs.
    pub at_accuracy: Vec<CoverageAt>,
}

/// The coverage at which an accuracy is reached.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CoverageAt {
    /// The accuracy asked for.
    pub accuracy: f64,
    /// The largest share of rows that can be answered with it; absent where it cannot be reached.
    pub coverage: Option<f64>,
    /// The confidence below which one must abstain for it.
    pub abstain_below: Option<f64>,
}

/// What abstaining below one confidence gives.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct OperatingPoint {
    /// The confidence.
    pub abstain_below: f64,
    /// The share of rows that are answered, of those that show a class.
    pub answered: Option<f64>,
    /// The share of the answers that is right; an answer to a row outside the classes is not.
    pub accuracy: Option<f64>,
    /// The share of rows outside the classes that are answered all the same.
    pub outside_answered: Option<f64>,
}

/// How well rows outside the classes are told from the others: areas under the ROC.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct OutlierFigures {
    /// By low confidence.
    pub by_confidence: Option<f64>,
    /// By the strangeness that the caller gave, or else by the energy.
    pub by_strangeness: Option<f64>,
}

/// How far the model and three experts agree.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Experts {
    /// Accuracy on the subsets that their answers make.
    pub subsets: ExpertSubsets,
    /// Kappas and the modified Williams index.
    pub agreement: ExpertAgreement,
}

/// A wrong answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mistake {
    /// Study, loop, beat and clip.
    pub place: String,
    /// What it shows; absent where it is outside the classes.
    pub truth: Option<String>,
    /// What it was called.
    pub called: String,
    /// The probability of what it was called.
    pub confidence: f64,
    /// The probability of what it shows.
    pub of_truth: Option<f64>,
}
