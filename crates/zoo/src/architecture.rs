use serde::{Deserialize, Serialize};

use crate::{AnyEncoderName, FusionName, Head, HeadName, Result, ZooError};

/// The parts that make a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Architecture {
    /// Frame to vector, or clip to vector.
    pub encoder: AnyEncoderName,
    /// The width that vectors are projected to before the head; `None` leaves them as they are. Not for heads of maps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bottleneck: Option<usize>,
    /// Clip to temporal features; none after an encoder of clips.
    pub head: HeadName,
    /// Spatial and temporal features to one; the spatial ones after an encoder of clips.
    pub fusion: FusionName,
    /// Widths of fully connected layers with ReLU between the fused features and the last layer.
    #[serde(default)]
    pub hidden: Vec<usize>,
    /// Outputs of the last layer; `None` for a model that ends with the fused features.
    pub classes: Option<usize>,
}

impl Architecture {
    /// An encoder, a head and a fusion with one layer of `classes` outputs on them.
    pub fn classifying(encoder: impl Into<AnyEncoderName>, head: HeadName, fusion: FusionName, classes: usize) -> Self {
        Self { encoder: encoder.into(), bottleneck: None, head, fusion, hidden: Vec::new(), classes: Some(classes) }
    }

    /// Refuses a head or a fusion after an encoder that has looked at the whole clip already, and a bottleneck of maps.
    pub(crate) fn check(&self) -> Result<()> {
        let alone = (self.head, self.fusion) == (HeadName::None, FusionName::Spatial);
        match self.encoder {
            AnyEncoderName::Clips(encoder) if !alone => {
                Err(ZooError::ClipEncoder { encoder, head: self.head, fusion: self.fusion })
            }
            _ if self.bottleneck.is_some() && Head::takes_maps(self.head) => {
                Err(ZooError::BottleneckOfMaps { head: self.head })
            }
            _ => Ok(()),
        }
    }
}
