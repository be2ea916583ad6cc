//! The evaluation of one run as one value.

mod build;
mod decisions;
mod folds;
mod headline;
mod parts;

use serde::Serialize;

use crate::abstention::CoveragePoint;
use crate::aggregate::Level;
use crate::calibration::{ConformalMetrics, ConformalSets, ReliabilityBin};
use crate::comparison::{BOOTSTRAP_ROUNDS, Interval, RunComparison};
use crate::error::{EvaluateError, Result};
use crate::inventory::InventoryMetrics;
use crate::metrics::{Confusion, SubsetAccuracy};
use crate::roc::RocPoint;

pub use decisions::Decisions;
pub use folds::metrics_over_folds;
pub use parts::{ClassRow, CoverageMetrics, Experts, Metric, Mistake, OodMetrics, OperatingPoint, Rows};

/// The facts that a reader needs before any metric: given by the caller, never guessed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunHeader {
    /// The report's heading.
    pub title: String,
    /// The model's name and version.
    pub model: String,
    /// SHA-256 of its weights, or another name that no other weights have.
    pub weights: String,
    /// The data's name and split.
    pub data: String,
    /// A fingerprint of the data, so that two reports can be known to speak of the same rows.
    pub data_fingerprint: String,
    /// The kind of data, shown above everything: "simulated images, not for clinical use".
    pub data_note: String,
    /// The seed of the run.
    pub seed: u64,
    /// The date, as it is to be printed.
    pub date: String,
    /// Whatever else belongs in the header, name and value.
    pub more: Vec<(String, String)>,
}

/// A coarser list that the classes fall into.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Grouping {
    /// Its name, such as `groups7`.
    pub name: String,
    /// Each class's group, from 0.
    pub group_of_class: Vec<usize>,
}

/// Some of the classes, evaluated alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClassSubset {
    /// Its name, such as `four views`.
    pub name: String,
    /// The classes, by index.
    pub classes: Vec<usize>,
}

/// Options of an evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluationOptions {
    /// The unit that one row stands for; see [`crate::aggregate`].
    pub level: Level,
    /// Coarser lists in which accuracy is given too.
    pub groupings: Vec<Grouping>,
    /// Classes that are evaluated alone, such as TMED2's four views.
    pub subset: Option<ClassSubset>,
    /// A set predictor, fitted on a validation set.
    pub conformal: Option<ConformalSets>,
    /// The labels given; the most likely class of each row where this is absent.
    pub decisions: Option<Decisions>,
    /// A point in the plane for every row (see [`crate::tsne`]).
    pub embedding: Option<Vec<[f64; 2]>>,
    /// A comparison with another run on the same rows.
    pub comparison: Option<RunComparison>,
    /// Resamples for the intervals.
    pub bootstrap_rounds: usize,
    /// The share of resamples inside an interval.
    pub interval_level: f64,
    /// The seed of the resamples.
    pub bootstrap_seed: u64,
    /// The number of most confident mistakes that are listed.
    pub worst_mistakes: usize,
}

impl EvaluationOptions {
    /// Returns the default options for rows that each stand for a `level`.
    pub fn new(level: Level) -> Self {
        Self {
            level,
            groupings: Vec::new(),
            subset: None,
            conformal: None,
            decisions: None,
            embedding: None,
            comparison: None,
            bootstrap_rounds: BOOTSTRAP_ROUNDS,
            interval_level: 0.95,
            bootstrap_seed: 42,
            worst_mistakes: 25,
        }
    }
}

/// The evaluation of one run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// The version of this structure in JSON; it grows when a field changes its meaning.
    pub format: u32,
    /// The facts that a reader needs first.
    pub header: RunHeader,
    /// The unit that one row stands for.
    pub level: Level,
    /// The share of resamples inside an interval.
    pub interval_level: f64,
    /// Counts of the rows.
    pub rows: Rows,
    /// The classes' names, by index.
    pub classes: Vec<String>,
    /// The headline metrics.
    pub metrics: Vec<Metric>,
    /// One row a class.
    pub per_class: Vec<ClassRow>,
    /// Accuracy over the rows of some of the classes.
    pub subset: Option<(ClassSubset, SubsetAccuracy)>,
    /// The confusion matrix of the labels given, abstentions included.
    pub confusion: Confusion,
    /// Confidence against accuracy, in 15 bins of equal width.
    pub reliability: Vec<ReliabilityBin>,
    /// Metrics of labelling only the most confident rows; absent where no row's truth is known.
    pub coverage: Option<CoverageMetrics>,
    /// Metrics of the labels given, where they came with the options.
    pub operating_point: Option<OperatingPoint>,
    /// The curve of accuracy over coverage.
    #[serde(skip)]
    pub coverage_curve: Vec<CoveragePoint>,
    /// The ROC of low confidence as a sign of a wrong prediction.
    #[serde(skip)]
    pub abstention_roc: Vec<RocPoint>,
    /// The separation of rows outside the classes; absent where there are none.
    pub ood: Option<OodMetrics>,
    /// The set predictor and its metrics.
    pub conformal: Option<(ConformalSets, ConformalMetrics)>,
    /// Agreement of the model and three experts; absent where a row lacks their labels.
    pub experts: Option<Experts>,
    /// Agreement of the studies' inventories; only where rows are loops.
    pub inventory: Option<InventoryMetrics>,
    /// A comparison with another run.
    pub comparison: Option<RunComparison>,
    /// The misclassified rows of highest confidence.
    pub worst_mistakes: Vec<Mistake>,
    /// A point in the plane and the class of every row.
    #[serde(skip)]
    pub embedding: Vec<([f64; 2], Option<usize>)>,
}

impl Evaluation {
    /// Returns every metric as JSON, so that runs can be compared; curves and embeddings are left out.
    ///
    /// # Errors
    /// If JSON cannot be written.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string_pretty(self).map_err(EvaluateError::Json)
    }

    /// Returns the headline metric `name`.
    pub fn metric(&self, name: &str) -> Option<&Metric> {
        self.metrics.iter().find(|metric| metric.name == name)
    }
}
