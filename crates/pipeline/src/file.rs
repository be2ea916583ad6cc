//! The content of a pipeline file; an unknown key is an error.

use domain::{Precision, SamplingStrategy};
use preprocess::EcgRule;
use serde::{Deserialize, Serialize};
use zoo::{AnyEncoderName, Color, Crop, FusionName, HeadName, Resize};

/// A pipeline file, as written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PipelineFile {
    /// The name under which predictions are kept.
    pub name: String,
    /// The list of views: `tte11`, `tte47`; left out for a model that gives only vectors.
    pub label_set: Option<String>,
    /// The numbers that the encoder computes with: `f32`; `bf16` or `f16` on a GPU; or `int8` on a CPU, for a model
    /// that `echolabel models quantize` has calibrated.
    #[serde(default)]
    pub precision: Precision,
    /// Further models of the registry that see the same frames: the loop's probabilities are the mean of all models'. In single
    /// precision.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub companions: Vec<String>,
    /// The frames that are sampled.
    #[serde(default)]
    pub sampling: SamplingSection,
    /// The preparation of frames; must be what the weights were trained with.
    pub prepare: PrepareSection,
    /// Frame to vector, or clip to vector.
    pub encoder: EncoderSection,
    /// Clip to temporal features; none where it is left out.
    #[serde(default)]
    pub head: HeadSection,
    /// Spatial and temporal features to one; the spatial ones where it is left out.
    #[serde(default)]
    pub fusion: FusionSection,
    /// The weights.
    pub weights: WeightsSection,
    /// The rule by which clips become a label.
    #[serde(default)]
    pub aggregate: AggregateSection,
}

/// `[sampling]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SamplingSection {
    /// The meaning of a loop without an ECG.
    pub ecg: EcgRule,
    /// Frames that the model sees at once, 1 to 64.
    pub frames_per_clip: usize,
    /// The choice of frames in a beat.
    pub strategy: SamplingStrategy,
    /// At most this many clips a loop, evenly chosen.
    pub max_clips: usize,
}

impl Default for SamplingSection {
    fn default() -> Self {
        Self { ecg: EcgRule::Preferred, frames_per_clip: 6, strategy: SamplingStrategy::Landmarks, max_clips: 3 }
    }
}

/// `[prepare]`
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrepareSection {
    /// Side of the square image that the encoder sees, in pixels.
    pub size: usize,
    /// Gray or color; the model's own where it is not given.
    pub color: Option<Color>,
    /// The part of the screen that is kept; by default the model's own.
    pub crop: Option<Crop>,
    /// The way of resizing; the model's own where it is not given.
    pub resize: Option<Resize>,
    /// True if static pixels are masked; the model's own where it is not given.
    pub mask_static: Option<bool>,
}

/// `[encoder]`
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncoderSection {
    /// The encoder.
    pub name: AnyEncoderName,
}

/// `[head]`
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeadSection {
    /// The head.
    pub name: HeadName,
}

/// `[fusion]`
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FusionSection {
    /// The fusion.
    pub name: FusionName,
}

/// `[weights]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeightsSection {
    /// A name in the registry.
    pub model: String,
}

/// `[aggregate]`
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AggregateSection {
    /// The rule by which clips become one distribution.
    pub clips: ClipRule,
    /// Below this probability the loop gets no view, 0 to 1.
    pub abstain_below: f64,
    /// A loop that may show more views than this gets none; needs a model whose card has fitted sets.
    pub max_set_size: Option<usize>,
    /// The confidence in the view of the first clip from which no other clip is looked at, 0 to 1; all clips are where it is
    /// left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_clip_suffices: Option<f64>,
    /// Expected share of each view, before the loop is looked at.
    #[serde(skip_serializing_if = "ViewPrior::is_equal")]
    pub prior: ViewPrior,
}

impl Default for AggregateSection {
    fn default() -> Self {
        Self {
            clips: ClipRule::MeanProbability,
            abstain_below: 0.5,
            max_set_size: None,
            first_clip_suffices: None,
            prior: ViewPrior::Equal,
        }
    }
}

/// Expected shares of the views.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ViewPrior {
    /// One as often as the other, as models are trained.
    #[default]
    Equal,
    /// As often as labs record it, by the label set's `recorded`.
    Recorded,
}

impl ViewPrior {
    fn is_equal(&self) -> bool {
        *self == Self::Equal
    }
}

/// The rule by which clips become one distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClipRule {
    /// The mean over the clips of a beat, or its frames where the model sees stills, then the mean over beats, so that
    /// every beat counts alike.
    MeanProbability,
    /// The first frame alone, for a model that sees stills.
    FirstFrame,
}
