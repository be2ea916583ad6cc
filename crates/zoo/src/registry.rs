use std::path::{Path, PathBuf};

use candle_core::Device;
use serde::{Deserialize, Serialize};

use crate::prepare::Preparation;
use crate::weights::{FormulaWeights, SafetensorsFile, TensorSource};
use crate::{Architecture, EncoderName, FusionName, HeadName, LabelSet, Model, Result, ZooError};

/// The models that this build knows, from `models/registry.toml`.
#[derive(Debug, Clone)]
pub struct Registry {
    models: Vec<ModelCard>,
    folder: PathBuf,
}

/// What a model's weights may be trusted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WeightStatus {
    /// Made by a formula: labels mean nothing.
    Untrained,
    /// Trained on simulated images: not for clinical use.
    Simulated,
    /// Trained on patients' images.
    Clinical,
}

impl WeightStatus {
    /// The warning to print wherever a person could mistake the labels for clinical ones.
    pub fn warning(self) -> Option<&'static str> {
        match self {
            Self::Untrained => Some("UNTRAINED WEIGHTS: the labels mean nothing, they only show how the program works"),
            Self::Simulated => Some("TRAINED ON SIMULATED IMAGES: NOT FOR CLINICAL USE"),
            Self::Clinical => None,
        }
    }
}

/// One entry of the registry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelCard {
    /// The name in pipeline files.
    pub name: String,
    /// One line on what it sees and says.
    pub summary: String,
    /// The views that it knows.
    pub label_set: String,
    /// Frame to vector.
    pub encoder: EncoderName,
    /// Clip to temporal features.
    pub head: HeadName,
    /// Spatial and temporal features to one.
    pub fusion: FusionName,
    /// What the weights may be trusted for.
    pub status: WeightStatus,
    /// The weights' licence.
    pub licence: String,
    /// Where the weights come from and how to get them.
    pub origin: String,
    /// What the model must be fed.
    pub prepare: Preparation,
    /// The weights' file in the folder of models.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The file's digest, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Weights made by a formula instead of a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub formula: Option<Formula>,
}

/// The parameters of formula weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Formula {
    /// Hashed together with each tensor's name.
    pub seed: String,
    /// Multiplies the range of kernels.
    pub gain: f64,
    /// Multiplies the range of the first kernel once more.
    pub stem_gain: f64,
    /// The first kernel's name.
    pub stem: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RegistryFile {
    model: Vec<ModelCard>,
}

const REGISTRY: &str = include_str!("../../../models/registry.toml");

impl Registry {
    /// The registry of this build, with weight files looked for in `folder`.
    pub fn open(folder: &Path) -> Result<Self> {
        let file: RegistryFile = toml::from_str(REGISTRY).map_err(|error| ZooError::Format {
            path: "models/registry.toml".into(),
            format: "registry",
            problem: error.to_string(),
        })?;
        Ok(Self { models: file.model, folder: folder.to_owned() })
    }

    /// Every entry.
    pub fn models(&self) -> &[ModelCard] {
        &self.models
    }

    /// The entry `name`.
    pub fn card(&self, name: &str) -> Result<&ModelCard> {
        self.models.iter().find(|card| card.name == name).ok_or_else(|| ZooError::UnknownName {
            kind: "model",
            name: name.to_owned(),
            known: self.models.iter().map(|card| card.name.as_str()).collect::<Vec<_>>().join(", "),
        })
    }

    /// Where the entry's weights are or should be; `None` when a formula makes them.
    pub fn weights_path(&self, card: &ModelCard) -> Option<PathBuf> {
        card.file.as_ref().map(|file| self.folder.join(file))
    }

    /// Whether the entry can be used on this machine now.
    pub fn has_weights(&self, card: &ModelCard) -> bool {
        self.weights_path(card).is_none_or(|path| path.is_file())
    }

    /// Reads the model `name` onto `device`.
    pub fn read_model(&self, name: &str, device: &Device) -> Result<Model> {
        let card = self.card(name)?;
        let classes = LabelSet::named(&card.label_set)?.views.len();
        let source = self.tensor_source(card)?;
        Model::read(card.architecture(), classes, source.as_ref(), device)
    }

    fn tensor_source(&self, card: &ModelCard) -> Result<Box<dyn TensorSource>> {
        if let Some(formula) = &card.formula {
            return Ok(Box::new(FormulaWeights {
                seed: formula.seed.clone(),
                gain: formula.gain,
                stem_gain: formula.stem_gain,
                stem: Some(formula.stem.clone()),
            }));
        }
        let path = self.weights_path(card).unwrap_or_else(|| self.folder.join(&card.name));
        if !path.is_file() {
            return Err(ZooError::WeightsAbsent { model: card.name.clone(), path });
        }
        let file = SafetensorsFile::read(&path)?;
        match &card.sha256 {
            Some(expected) if *expected != file.sha256() => {
                Err(ZooError::Digest { path, found: file.sha256(), expected: expected.clone() })
            }
            _ => Ok(Box::new(file)),
        }
    }
}

impl ModelCard {
    /// The parts that make the model.
    pub fn architecture(&self) -> Architecture {
        Architecture { encoder: self.encoder, head: self.head, fusion: self.fusion }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_entry_is_complete() {
        let registry = Registry::open(Path::new("nowhere")).unwrap();
        let names: HashSet<_> = registry.models().iter().map(|card| &card.name).collect();
        assert_eq!(names.len(), registry.models().len());
        for card in registry.models() {
            LabelSet::named(&card.label_set).unwrap();
            assert!(card.file.is_some() != card.formula.is_some(), "{}: a file or a formula", card.name);
            assert_eq!(card.formula.is_some(), card.status == WeightStatus::Untrained, "{}", card.name);
        }
    }

    #[test]
    fn a_model_without_weights_says_where_they_should_be() {
        let registry = Registry::open(Path::new("nowhere")).unwrap();
        let Err(error) = registry.read_model("EchoView47_classifier", &Device::Cpu) else { panic!("no weights") };
        let error = error.to_string();
        assert!(
            error.contains("nowhere/EchoView47_classifier.safetensors") && error.contains("models show"),
            "{error}"
        );
    }

    #[test]
    fn the_tiny_model_runs_and_is_the_same_every_time() {
        let registry = Registry::open(Path::new("nowhere")).unwrap();
        let frames = candle_core::Tensor::rand(0f32, 1.0, (3, 3, 96, 96), &Device::Cpu).unwrap();
        let logits = || {
            let model = registry.read_model("tte11-tiny", &Device::Cpu).unwrap();
            let clip = model.encode(&frames).unwrap().unsqueeze(0).unwrap();
            model.classify(&clip).unwrap().logits.to_vec2::<f32>().unwrap()
        };
        let first = logits();
        assert_eq!(first[0].len(), 11);
        assert!(first[0].iter().all(|logit| logit.is_finite()));
        assert_eq!(first, logits());
    }
}
