//! Everything that is said of one run, as one value.

mod build;
mod decisions;
mod folds;
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

/// What a reader must know before any metric: given by the caller, never guessed.
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
    /// What the data were, shown above everything: "simulated images, not for clinical use".
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

/// Some of the classes, judged alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClassSubset {
    /// Its name, such as `four views`.
    pub name: String,
    /// The classes, by index.
    pub classes: Vec<usize>,
}

/// What is computed beside the usual, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluationOptions {
    /// What one row stands for; see [`crate::aggregate`].
    pub level: Level,
    /// Coarser lists in which accuracy is given too.
    pub groupings: Vec<Grouping>,
    /// Classes that are judged alone, such as TMED2's four views.
    pub subset: Option<ClassSubset>,
    /// A set predictor, fitted on a validation set.
    pub conformal: Option<ConformalSets>,
    /// What is said of each row, to be judged beside the others; the likeliest class of each where this is absent.
    pub decisions: Option<Decisions>,
    /// A place on a plane for every row (see [`crate::tsne`]).
    pub embedding: Option<Vec<[f64; 2]>>,
    /// A comparison with another run on the same rows.
    pub comparison: Option<RunComparison>,
    /// Resamples for the intervals.
    pub bootstrap_rounds: usize,
    /// The share of resamples inside an interval.
    pub interval_level: f64,
    /// The seed of the resamples.
    pub bootstrap_seed: u64,
    /// How many of the surest mistakes are listed.
    pub worst_mistakes: usize,
}

impl EvaluationOptions {
    /// The usual, for rows that each stand for a `level`.
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

/// Everything that is said of one run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// The version of this structure in JSON; it grows when a field changes its meaning.
    pub format: u32,
    /// What a reader must know first.
    pub header: RunHeader,
    /// What one row stands for.
    pub level: Level,
    /// The share of resamples inside an interval.
    pub interval_level: f64,
    /// How much there was.
    pub rows: Rows,
    /// The classes' names, by index.
    pub classes: Vec<String>,
    /// The headline metrics.
    pub metrics: Vec<Metric>,
    /// One row a class.
    pub per_class: Vec<ClassRow>,
    /// Accuracy over the rows of some classes.
    pub subset: Option<(ClassSubset, SubsetAccuracy)>,
    /// How often each class was said to be each class, abstentions as the options have them.
    pub confusion: Confusion,
    /// Confidence against accuracy, in 15 bins of equal width.
    pub reliability: Vec<ReliabilityBin>,
    /// What answering only the surest rows wins; absent where no row's truth is known.
    pub coverage: Option<CoverageMetrics>,
    /// What the pipeline's own threshold gives.
    pub operating_point: Option<OperatingPoint>,
    /// The curve of accuracy over coverage.
    #[serde(skip)]
    pub coverage_curve: Vec<CoveragePoint>,
    /// How well low confidence finds the wrong answers.
    #[serde(skip)]
    pub abstention_roc: Vec<RocPoint>,
    /// How well rows outside the classes are told; absent where there are none.
    pub ood: Option<OodMetrics>,
    /// The set predictor and how it did.
    pub conformal: Option<(ConformalSets, ConformalMetrics)>,
    /// How far the model and three experts agree; absent where they were not asked.
    pub experts: Option<Experts>,
    /// How well studies' inventories are found by what the pipeline says; only where rows are loops.
    pub inventory: Option<InventoryMetrics>,
    /// A comparison with another run.
    pub comparison: Option<RunComparison>,
    /// The surest wrong answers.
    pub worst_mistakes: Vec<Mistake>,
    /// A place on a plane and the class of every row.
    #[serde(skip)]
    pub embedding: Vec<([f64; 2], Option<usize>)>,
}

impl Evaluation {
    /// Every metric as JSON, so that runs can be compared; curves and places are left out.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string_pretty(self).map_err(EvaluateError::Json)
    }

    /// The headline metric `name`.
    pub fn metric(&self, name: &str) -> Option<&Metric> {
        self.metrics.iter().find(|metric| metric.name == name)
    }
}
