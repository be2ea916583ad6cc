use std::collections::HashMap;
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use domain::WeightStatus;
use files::{Access, AtomicFile};
use serde::Deserialize;

use crate::folder::files_ending_in;
use crate::weights::{SafetensorsFile, TensorSource};
use crate::{LabelSet, Model, ModelCard, Result, ZooError, shipped};

/// The models that this build knows, from `models/registry/`.
#[derive(Debug, Clone)]
pub struct Registry {
    models: Vec<ModelCard>,
    own_sets: Vec<LabelSet>,
    folder: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RegistryFile {
    model: Vec<ModelCard>,
}

const FILES: [(&str, &str); 6] = [
    ("models/registry/echolabel.toml", include_str!("../../../models/registry/echolabel.toml")),
    ("models/registry/echo_prime.toml", include_str!("../../../models/registry/echo_prime.toml")),
    ("models/registry/echoview47.toml", include_str!("../../../models/registry/echoview47.toml")),
    ("models/registry/echoview47_baselines.toml", include_str!("../../../models/registry/echoview47_baselines.toml")),
    ("models/registry/eleven_views.toml", include_str!("../../../models/registry/eleven_views.toml")),
    ("models/registry/imagenet.toml", include_str!("../../../models/registry/imagenet.toml")),
];

impl Registry {
    /// The registry of this build and the cards and label sets in `folder`, where weight files are looked for.
    ///
    /// A card is a file `NAME.card.toml`, as `echolabel train` writes it beside the weights; an error names one that
    /// cannot be read, or whose model's name is taken.
    ///
    /// # Errors
    /// A card or a label set cannot be read, or its name is taken.
    pub fn open(folder: &Path) -> Result<Self> {
        let mut models = Vec::new();
        for (path, text) in FILES {
            let file: RegistryFile = toml::from_str(text).map_err(|error| ZooError::Format {
                path: path.into(),
                format: "registry",
                problem: error.to_string(),
            })?;
            models.extend(file.model);
        }
        for path in files_ending_in(folder, ModelCard::EXTENSION)? {
            let card = ModelCard::read(&path)?;
            if models.iter().any(|known: &ModelCard| known.name == card.name) {
                let problem = format!("there is another model {}: give this one a name of its own", card.name);
                return Err(ZooError::Format { path, format: "model card", problem });
            }
            models.push(card);
        }
        let own_sets = LabelSet::in_folder(folder)?;
        for card in &mut models {
            card.own_views = own_sets.iter().find(|set| Some(&set.name) == card.label_set.as_ref()).cloned();
        }
        Ok(Self { models, own_sets, folder: folder.to_owned() })
    }

    /// The folder of weight files.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Every entry.
    pub fn models(&self) -> &[ModelCard] {
        &self.models
    }

    /// The entry `name`.
    ///
    /// # Errors
    /// There is no such entry; the error lists those that exist.
    pub fn card(&self, name: &str) -> Result<&ModelCard> {
        self.models.iter().find(|card| card.name == name).ok_or_else(|| ZooError::UnknownName {
            kind: "model",
            name: name.to_owned(),
            known: self.models.iter().map(|card| card.name.as_str()).collect::<Vec<_>>().join(", "),
        })
    }

    /// Returns the label set `name`: a file in the folder, or one of this build.
    ///
    /// # Errors
    /// There is no such label set.
    pub fn label_set(&self, name: &str) -> Result<LabelSet> {
        match self.own_sets.iter().find(|set| set.name == name) {
            Some(own) => Ok(own.clone()),
            None => LabelSet::named(name),
        }
    }

    /// Returns the path at which the entry's weights are or should be; `None` for a model that is never trained.
    pub fn weights_path(&self, card: &ModelCard) -> Option<PathBuf> {
        card.file.as_ref().map(|file| self.folder.join(file))
    }

    /// Returns true if the entry can be used on this machine now.
    pub fn has_weights(&self, card: &ModelCard) -> bool {
        self.weights_path(card).is_none_or(|path| path.is_file()) || shipped_weights(card).is_some()
    }

    /// Returns the status of the weights that are here: the card's, but [`WeightStatus::Unvalidated`] where a card of
    /// clinical weights has others than those that its authors published.
    ///
    /// Published weights are known by their sha256, in the card or in the record of their import.
    pub fn weight_status(&self, card: &ModelCard) -> WeightStatus {
        if card.status != WeightStatus::Validated || card.sha256.is_some() || !self.has_weights(card) {
            return card.status;
        }
        let published = card.published.as_ref().and_then(|published| published.sha256.as_deref());
        let imported = self.import_origin(card).map(|origin| origin.sha256);
        match (published, imported) {
            (Some(published), Some(imported)) if published.eq_ignore_ascii_case(&imported) => card.status,
            _ => WeightStatus::Unvalidated,
        }
    }

    /// Reads the model `name` onto `device`: from its file or, where the entry has none, initialized.
    ///
    /// # Errors
    /// The entry or its file is missing, or the file does not fit the card.
    pub fn read_model(&self, name: &str, device: &Device) -> Result<Model> {
        let card = self.card(name)?;
        Model::read(&card.architecture()?, self.tensor_source(card)?.as_ref(), device)
    }

    /// Initializes the model `name` without its weights, whether they are here or not: its labels mean nothing.
    ///
    /// # Errors
    /// There is no such entry, or it describes no model that can be built.
    pub fn make_untrained_model(&self, name: &str, device: &Device) -> Result<Model> {
        let card = self.card(name)?;
        Model::read(&card.architecture()?, &card.deterministic_init(), device)
    }

    /// Writes untrained weights as the file of the model `name`; `None` for one that takes no file.
    ///
    /// For measurements and tests: what such a model says means nothing.
    ///
    /// # Errors
    /// There is no such entry, or the folder cannot be written.
    pub fn write_untrained(&self, name: &str) -> Result<Option<PathBuf>> {
        let card = self.card(name)?;
        let Some(path) = self.weights_path(card) else { return Ok(None) };
        let source = card.deterministic_init();
        let tensors: HashMap<String, Tensor> = Model::tensors(card)?
            .into_iter()
            .map(|tensor| Ok((tensor.name.clone(), source.tensor(&tensor.name, &tensor.shape)?)))
            .collect::<Result<_>>()?;
        let write_error = |source| ZooError::Write { path: path.clone(), source };
        let file = AtomicFile::new(&path, Access::Umask).map_err(write_error)?;
        candle_core::safetensors::save(&tensors, file.path())?;
        file.commit().map_err(write_error)?;
        Ok(Some(path))
    }

    /// A file of the weights of the model `name`: its own in the folder of models or, where they are part of the
    /// program, `copy`, which is written then.
    ///
    /// # Errors
    /// There is no such entry, its file is missing, or `copy` cannot be written.
    pub fn weights_file(&self, name: &str, copy: &Path) -> Result<PathBuf> {
        let card = self.card(name)?;
        // Read once, so that a file of another digest is refused here too.
        self.tensor_source(card)?;
        let absent = |path| ZooError::WeightsAbsent { model: card.name.clone(), path };
        let path = self.weights_path(card).ok_or_else(|| absent(PathBuf::new()))?;
        match shipped_weights(card) {
            _ if path.is_file() => Ok(path),
            None => Err(absent(path)),
            Some(bytes) => {
                files::write(copy, bytes, Access::Umask)
                    .map_err(|source| ZooError::Write { path: copy.to_owned(), source })?;
                Ok(copy.to_owned())
            }
        }
    }

    fn tensor_source(&self, card: &ModelCard) -> Result<Box<dyn TensorSource>> {
        let Some(path) = self.weights_path(card) else { return Ok(Box::new(card.deterministic_init())) };
        let file = match shipped_weights(card) {
            _ if path.is_file() => SafetensorsFile::read(&path)?,
            Some(bytes) => SafetensorsFile::from_bytes(&path, bytes)?,
            None => return Err(ZooError::WeightsAbsent { model: card.name.clone(), path }),
        };
        match &card.sha256 {
            Some(expected) if *expected != file.sha256() => {
                Err(ZooError::Digest { path, found: file.sha256(), expected: expected.clone() })
            }
            _ => Ok(Box::new(file)),
        }
    }
}

/// The weights of an entry that are part of the program.
fn shipped_weights(card: &ModelCard) -> Option<&'static [u8]> {
    card.file.as_deref().filter(|_| card.ships).and_then(shipped::weights)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::Task;

    #[test]
    fn weights_that_nobody_published_are_not_clinical() {
        let folder = tempfile::tempdir().unwrap();
        let registry = Registry::open(folder.path()).unwrap();
        let card = registry.card("EchoView47_TMED2").unwrap();
        assert_eq!(registry.weight_status(card), WeightStatus::Validated, "the card's, where no weights are here");
        let path = registry.weights_path(card).unwrap();
        std::fs::write(&path, b"anything").unwrap();
        assert_eq!(registry.weight_status(card), WeightStatus::Unvalidated);

        let imported_sha256 = files::sha256(&path).unwrap().to_string();
        let write_origin = |sha256: &str| {
            let origin = crate::import::ImportOrigin {
                file: "weights.h5".to_owned(),
                sha256: sha256.to_owned(),
                imported_sha256: imported_sha256.clone(),
            };
            std::fs::write(path.with_extension("origin.json"), serde_json::to_vec(&origin).unwrap()).unwrap();
        };
        let mut published = card.clone();
        let digest = "ab".repeat(32);
        published.published.as_mut().unwrap().sha256 = Some(digest.clone());
        write_origin(&"cd".repeat(32));
        assert_eq!(registry.weight_status(&published), WeightStatus::Unvalidated, "another file was imported");
        write_origin(&digest);
        assert_eq!(registry.weight_status(&published), WeightStatus::Validated, "the published file was imported");
        assert_eq!(registry.weight_status(card), WeightStatus::Unvalidated, "a card without digest proves nothing");
    }

    #[test]
    fn every_entry_is_complete() {
        let registry = Registry::open(Path::new("nowhere")).unwrap();
        let names: HashSet<_> = registry.models().iter().map(|card| &card.name).collect();
        assert_eq!(names.len(), registry.models().len());
        for card in registry.models() {
            let name = &card.name;
            card.architecture().unwrap();
            assert_eq!(card.label_set.is_none(), card.task == Task::Embedding, "{name}");
            assert!(card.label_set.is_some() || card.hidden.is_empty(), "{name}: layers before no last one");
            assert_eq!(card.file.is_none(), card.status == WeightStatus::Untrained, "{name}");
            assert!(card.file.is_some() || card.deterministic_init.is_some(), "{name}: a file or an initialization");
            assert!(card.file.as_ref().is_none_or(|file| *file == format!("{name}.safetensors")), "{name}");
            assert!(!card.summary.is_empty() && !card.license.is_empty() && !card.origin.is_empty(), "{name}");
        }
    }

    #[test]
    fn every_model_of_the_reference_systems_has_an_entry() {
        let registry = Registry::open(Path::new("nowhere")).unwrap();
        let baselines = [
            "Xception",
            "SwinTransformerV2",
            "EfficientNetV2",
            "ViT",
            "ConvNeXt",
            "DenseNet121",
            "ResNet50",
            "ResNet101",
        ]
        .map(|network| format!("{network}_TTE47_baseline"));
        let others = ["EchoView47_contrastive_encoder", "EchoView47_classifier", "EchoView47_TMED2", "EchoSDNet"];
        for name in baselines.iter().map(String::as_str).chain(others) {
            let card = registry.card(name).unwrap();
            assert_eq!(card.published.is_some(), others.contains(&name), "{name}");
        }
        let eleven = registry.models().iter().filter(|card| card.label_set.as_deref() == Some("tte11"));
        assert!(eleven.count() >= 10);
    }

    #[test]
    fn untrained_weights_are_made_only_when_asked_for() {
        let registry = Registry::open(Path::new("nowhere")).unwrap();
        assert!(matches!(registry.read_model("tte11-image", &Device::Cpu), Err(ZooError::WeightsAbsent { .. })));
        assert!(registry.make_untrained_model("tte11-image", &Device::Cpu).is_ok());
        let tiny = |model: Result<Model>| model.unwrap().weights_sha256().to_owned();
        assert_eq!(
            tiny(registry.read_model("tte11-tiny", &Device::Cpu)),
            tiny(registry.make_untrained_model("tte11-tiny", &Device::Cpu)),
        );
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
        let frames = crate::weights::noise("registry", (3, 3, 96, 96)).unwrap();
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
