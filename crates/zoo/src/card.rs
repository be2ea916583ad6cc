use std::fmt;
use std::path::Path;

use domain::{SamplingStrategy, WeightStatus};
use serde::{Deserialize, Serialize};

use crate::weights::DeterministicInit;
use crate::{
    AnyEncoderName, Architecture, FusionName, HeadName, LabelSet, Preparation, ProbabilityCalibration, Result, ZooError,
};

/// One entry of the registry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelCard {
    /// The name in pipeline files.
    pub name: String,
    /// One line on what it sees and says.
    pub summary: String,
    /// The task of the model.
    #[serde(default)]
    pub task: Task,
    /// The views or other classes that it knows; `None` for a model that gives only vectors.
    pub label_set: Option<String>,
    /// The label set where it is a file in the folder of models; the registry fills it in.
    #[serde(skip)]
    pub own_views: Option<LabelSet>,
    /// Frame to vector, or clip to vector.
    pub encoder: AnyEncoderName,
    /// The width that vectors are projected to before the head.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bottleneck: Option<usize>,
    /// Clip to temporal features.
    #[serde(default)]
    pub head: HeadName,
    /// Spatial and temporal features to one.
    #[serde(default)]
    pub fusion: FusionName,
    /// Widths of fully connected layers with ReLU before the last one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hidden: Vec<usize>,
    /// The frames of a clip that it was made for.
    pub clip: ClipFrames,
    /// The status of the weights.
    pub status: WeightStatus,
    /// The weights' license.
    pub license: String,
    /// The origin of the weights, and anything else that a user of them must know.
    pub origin: String,
    /// The model whose last layer was learned anew from a lab's loops, for an adapted model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapted_from: Option<String>,
    /// The place where its authors publish the weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Published>,
    /// True if the weights come with the program.
    #[serde(default)]
    pub ships: bool,
    /// Temperature and limits that were fitted to the weights after training.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<ProbabilityCalibration>,
    /// The preparation of the model's inputs.
    pub prepare: Preparation,
    /// The weights' file in the folder of models.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// That file's digest, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The initialization of untrained weights: used where there is no `file`, else only when it is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deterministic_init: Option<DeterministicInit>,
}

/// The task of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// It says which view an image or a clip shows.
    #[default]
    Views,
    /// It says how the screen is laid out.
    Layout,
    /// It gives a vector and says nothing.
    Embedding,
}

impl fmt::Display for Task {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Views => "views",
            Self::Layout => "layout",
            Self::Embedding => "embedding",
        })
    }
}

/// The frames of a clip that a model was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClipFrames {
    /// Number of frames; a model without a head sees them one by one and its probabilities are averaged.
    pub frames: usize,
    /// Sampling of the frames.
    pub choice: SamplingStrategy,
}

/// The place where a model's authors publish its weights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Published {
    /// The repository's name: on the model hub unless there is an `address`.
    pub repository: String,
    /// The branch, tag or commit in it.
    #[serde(default = "main_branch")]
    pub revision: String,
    /// The file's address, where it is not on the model hub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The file in the repository.
    pub file: String,
    /// The end of the path of the weights in it, where it is a zip archive that holds other files too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    /// That file's digest, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

fn main_branch() -> String {
    "main".to_owned()
}

impl ModelCard {
    /// The ending of the names of files that hold a card each.
    pub const EXTENSION: &str = ".card.toml";

    /// Reads a card from a file of its own; an error names it.
    ///
    /// # Errors
    /// The file cannot be read, or has an unknown key.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|source| ZooError::Read { path: path.to_owned(), source })?;
        toml::from_str(&text).map_err(|error| ZooError::Format {
            path: path.to_owned(),
            format: "model card",
            problem: error.to_string(),
        })
    }

    /// Writes the card to a file of its own.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let text = toml::to_string_pretty(self).map_err(|error| ZooError::Format {
            path: path.to_owned(),
            format: "model card",
            problem: error.to_string(),
        })?;
        files::write(path, text.as_bytes(), files::Access::Umask)
            .map_err(|source| ZooError::Write { path: path.to_owned(), source })
    }

    /// Returns the label set; `None` for a model that gives only vectors.
    ///
    /// # Errors
    /// The label set is unknown.
    pub fn views(&self) -> Result<Option<LabelSet>> {
        let Some(name) = &self.label_set else { return Ok(None) };
        match &self.own_views {
            Some(own) if own.name == *name => Ok(Some(own.clone())),
            _ => LabelSet::named(name).map(Some),
        }
    }

    /// The parts that make the model.
    ///
    /// # Errors
    /// The label set is unknown.
    pub fn architecture(&self) -> Result<Architecture> {
        let label_set = self.views()?;
        Ok(Architecture {
            encoder: self.encoder,
            bottleneck: self.bottleneck,
            head: self.head,
            fusion: self.fusion,
            hidden: self.hidden.clone(),
            classes: label_set.map(|set| set.views.len()),
        })
    }

    /// Returns true if the model sees each frame for itself, so that a clip is only several stills.
    pub fn sees_stills(&self) -> bool {
        matches!(self.encoder, AnyEncoderName::Frames(_)) && self.head == HeadName::None
    }

    /// Returns the initialization of the entry's untrained weights.
    pub fn deterministic_init(&self) -> DeterministicInit {
        self.deterministic_init.clone().unwrap_or_default()
    }
}
