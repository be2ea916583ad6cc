//! Prediction of a model for one loop, from the pipeline to the database row.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{EcgSource, Finding, Precision, Sha256, WeightStatus};

/// Everything that decides a prediction besides the loop itself: the same key on the same loop gives the same answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ModelKey {
    /// The pipeline's name.
    pub pipeline: String,
    /// The digest of the resolved pipeline: thresholds, sampling, preparation, calibration. `None` in rows that an older
    /// program wrote, which did not keep it.
    pub pipeline_sha256: Option<Sha256>,
    /// The digest of the weights.
    pub weights_sha256: Sha256,
    /// The numbers that the encoder computed with. `None` in rows that an older program wrote.
    pub precision: Option<Precision>,
}

/// Milliseconds spent in each stage.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct StageTimings {
    /// Reading headers.
    pub open: f64,
    /// Finding the beat, decoding frames for it included.
    pub ecg: f64,
    /// Decoding the frames of the plan.
    pub decode: f64,
    /// Cropping, resizing, masking.
    pub prepare: f64,
    /// The encoder.
    pub encode: f64,
    /// Head, fusion and classifier.
    pub head: f64,
    /// All of it, waiting for the engine included.
    pub total: f64,
}

/// Prediction of a model for one loop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// Who says it.
    #[serde(flatten)]
    pub model: ModelKey,
    /// Warning about the weights, e.g. "untrained weights"; `None` for weights validated on patients.
    pub weights_note: Option<String>,
    /// The trust that the weights deserve. `None` in rows that an older program wrote.
    pub weights_status: Option<WeightStatus>,
    /// The view; `None` where the model abstains.
    pub view: Option<String>,
    /// The calibrated probability of the likeliest view, 0 to 1.
    pub confidence: f64,
    /// True if the model declines to name a view.
    pub abstained: bool,
    /// Reason why it abstains.
    pub reason: Option<String>,
    /// The probability of every view, by name.
    pub probabilities: BTreeMap<String, f64>,
    /// The views that the loop may show, likeliest first: a conformal set at the coverage that the model's card states.
    /// Empty in rows that an older program wrote.
    pub prediction_set: Vec<String>,
    /// The out-of-distribution score: mean energy of the clips, minus the log-sum-exp of their logits (Liu et al. 2020,
    /// "Energy-based Out-of-distribution Detection"). `None` in rows that an older program wrote.
    pub energy: Option<f64>,
    /// Number of clips that the model saw.
    pub clips: u32,
    /// Number of distinct frames that the model saw.
    pub frames_used: u32,
    /// Indexes of those frames, from 0. Empty in rows that an older program wrote.
    pub frame_indexes: Vec<u32>,
    /// Source of the beat.
    pub ecg_source: EcgSource,
    /// Time of each stage.
    #[serde(rename = "ms")]
    pub timings: StageTimings,
    /// Oddities of the loop. Empty in rows that an older program wrote.
    pub findings: Vec<Finding>,
}
