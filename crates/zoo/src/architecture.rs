use serde::{Deserialize, Serialize};

use crate::{EncoderName, FusionName, HeadName};

/// The parts that make a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Architecture {
    /// Frame to vector.
    pub encoder: EncoderName,
    /// Clip to temporal features.
    pub head: HeadName,
    /// Spatial and temporal features to one.
    pub fusion: FusionName,
    /// Widths of fully connected layers with ReLU between the fused features and the last layer.
    #[serde(default)]
    pub hidden: Vec<usize>,
    /// Outputs of the last layer; `None` for a model that ends with the fused features.
    pub classes: Option<usize>,
}

impl Architecture {
    /// An encoder, a head and a fusion with one layer of `classes` outputs on them.
    pub fn classifying(encoder: EncoderName, head: HeadName, fusion: FusionName, classes: usize) -> Self {
        Self { encoder, head, fusion, hidden: Vec::new(), classes: Some(classes) }
    }
}
