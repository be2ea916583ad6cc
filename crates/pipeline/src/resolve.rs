//! From a pipeline file to a pipeline that can run: every mismatch is found here, before any loop is taken.

use std::path::{Path, PathBuf};

use nn::DeviceChoice;
use zoo::{LabelSet, ModelCard, Preparation, Registry, ZooError};

use crate::{Engine, PipelineError, PipelineFile};

/// The pipelines that ship with the program: name and text.
const SHIPPED: [(&str, &str); 4] = [
    ("tte11-video-dilated", include_str!("../../../pipelines/tte11-video-dilated.toml")),
    ("tte11-video-residual", include_str!("../../../pipelines/tte11-video-residual.toml")),
    ("tte47-frames", include_str!("../../../pipelines/tte47-frames.toml")),
    ("tte11-tiny", include_str!("../../../pipelines/tte11-tiny.toml")),
];

/// Where a pipeline comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PipelineSource {
    /// One that ships with the program.
    Shipped(&'static str),
    /// A file.
    File(PathBuf),
}

impl PipelineSource {
    /// The name of the pipeline used when nobody names one.
    pub const DEFAULT: &'static str = "tte11-video-dilated";

    /// A shipped pipeline of that name, else the file at that path.
    pub fn named(name: &str) -> Result<Self, PipelineError> {
        if let Some((shipped, _)) = SHIPPED.iter().find(|(shipped, _)| *shipped == name) {
            return Ok(Self::Shipped(shipped));
        }
        if name.ends_with(".toml") {
            return Ok(Self::File(name.into()));
        }
        Err(PipelineError::Unknown { name: name.to_owned(), known: Self::shipped().collect::<Vec<_>>().join(", ") })
    }

    /// The names of the pipelines that ship with the program.
    pub fn shipped() -> impl Iterator<Item = &'static str> {
        SHIPPED.iter().map(|(name, _)| *name)
    }

    /// Reads the file, refusing unknown keys.
    pub fn read(&self) -> Result<PipelineFile, PipelineError> {
        let text = match self {
            Self::Shipped(name) => {
                SHIPPED.iter().find(|(shipped, _)| shipped == name).map(|(_, text)| (*text).to_owned())
            }
            Self::File(path) => Some(
                std::fs::read_to_string(path).map_err(|source| PipelineError::Read { path: path.clone(), source })?,
            ),
        };
        toml::from_str(&text.unwrap_or_default())
            .map_err(|error| PipelineError::Invalid { origin: self.to_string(), problem: error.to_string() })
    }
}

impl std::fmt::Display for PipelineSource {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Shipped(name) => write!(formatter, "{name} (shipped)"),
            Self::File(path) => write!(formatter, "{}", path.display()),
        }
    }
}

/// A pipeline whose parts fit each other, with its model on an engine thread.
pub struct Pipeline {
    file: PipelineFile,
    label_set: Option<LabelSet>,
    card: ModelCard,
    plan: ecg::PlanSettings,
    engine: Engine,
}

impl Pipeline {
    /// Checks the pipeline against the registry and its model, without reading weights.
    pub fn check(source: &PipelineSource, models: &Path) -> Result<(PipelineFile, ModelCard), PipelineError> {
        let file = source.read()?;
        let origin = source.to_string();
        let model_error = |source: ZooError| PipelineError::Model { origin: origin.clone(), source };
        let registry = Registry::open(models).map_err(model_error)?;
        let card = registry.card(&file.weights.model).map_err(model_error)?.clone();
        compare(&origin, &file, &card)?;
        check_ranges(&origin, &file)?;
        if !registry.has_weights(&card) {
            let path = registry.weights_path(&card).unwrap_or_default();
            return Err(model_error(ZooError::WeightsAbsent { model: card.name.clone(), path }));
        }
        Ok((file, card))
    }

    /// Checks the pipeline, reads its weights from the folder `models` and starts its engine.
    pub fn open(source: &PipelineSource, models: &Path, device: DeviceChoice) -> Result<Self, PipelineError> {
        let (file, card) = Self::check(source, models)?;
        let origin = source.to_string();
        let model_error = |source: ZooError| PipelineError::Model { origin: origin.clone(), source };
        let label_set = file.label_set.as_deref().map(LabelSet::named).transpose().map_err(model_error)?;
        let registry = Registry::open(models).map_err(model_error)?;
        let model = registry.read_model(&card.name, &device.open()?).map_err(model_error)?;
        let plan = ecg::PlanSettings {
            strategy: file.sampling.strategy,
            frames_per_clip: file.sampling.frames_per_clip,
            max_clips: Some(file.sampling.max_clips),
        };
        Ok(Self { engine: Engine::start(model)?, file, label_set, card, plan })
    }

    /// The pipeline's name, under which its predictions are kept.
    pub fn name(&self) -> &str {
        &self.file.name
    }

    /// The views that it knows; `None` where its model gives only vectors.
    pub fn label_set(&self) -> Option<&LabelSet> {
        self.label_set.as_ref()
    }

    /// The model's card.
    pub fn card(&self) -> &ModelCard {
        &self.card
    }

    /// The digest of the weights.
    pub fn weights_sha256(&self) -> &str {
        self.engine.weights_sha256()
    }

    pub(crate) fn file(&self) -> &PipelineFile {
        &self.file
    }

    pub(crate) fn plan_settings(&self) -> &ecg::PlanSettings {
        &self.plan
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn preparation(&self) -> Preparation {
        self.card.prepare
    }
}

/// Refuses a pipeline that says anything else than its model's card.
fn compare(origin: &str, file: &PipelineFile, card: &ModelCard) -> Result<(), PipelineError> {
    fn text(value: impl serde::Serialize) -> String {
        serde_json::to_string(&value).unwrap_or_default()
    }
    let made_for = card.prepare;
    let prepare = file.prepare;
    let pairs = [
        ("label_set", text(&file.label_set), text(&card.label_set)),
        ("encoder.name", text(file.encoder.name), text(card.encoder)),
        ("head.name", text(file.head.name), text(card.head)),
        ("fusion.name", text(file.fusion.name), text(card.fusion)),
        ("prepare.size", text(prepare.size), text(made_for.size)),
        ("prepare.colour", text(prepare.colour.unwrap_or(made_for.colour)), text(made_for.colour)),
        ("prepare.crop", text(prepare.crop.unwrap_or(made_for.crop)), text(made_for.crop)),
        ("prepare.resize", text(prepare.resize.unwrap_or(made_for.resize)), text(made_for.resize)),
        ("prepare.mask_static", text(prepare.mask_static.unwrap_or(made_for.mask_static)), text(made_for.mask_static)),
    ];
    match pairs.into_iter().find(|(_, found, expected)| found != expected) {
        Some((key, found, expected)) => Err(PipelineError::ModelMismatch {
            origin: origin.to_owned(),
            key,
            found,
            model: card.name.clone(),
            expected,
        }),
        None => Ok(()),
    }
}

fn check_ranges(origin: &str, file: &PipelineFile) -> Result<(), PipelineError> {
    let fault = |key: &'static str, found: String, expected: &'static str| {
        Err(PipelineError::OutOfRange { origin: origin.to_owned(), key, found, expected })
    };
    let sampling = &file.sampling;
    if !(1..=ecg::plan::MOST_FRAMES_PER_CLIP).contains(&sampling.frames_per_clip) {
        return fault("sampling.frames_per_clip", sampling.frames_per_clip.to_string(), "1 to 64");
    }
    if sampling.strategy == ecg::Strategy::Windowed && sampling.frames_per_clip != 6 {
        return fault("sampling.frames_per_clip", sampling.frames_per_clip.to_string(), "6 with windows");
    }
    if sampling.max_clips == 0 {
        return fault("sampling.max_clips", "0".to_owned(), "1 or more");
    }
    if !(0.0..=1.0).contains(&file.aggregate.abstain_below) {
        return fault("aggregate.abstain_below", file.aggregate.abstain_below.to_string(), "0 to 1");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str) -> Result<(), String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.toml");
        std::fs::write(&path, text).unwrap();
        Pipeline::check(&PipelineSource::File(path), folder.path()).map(drop).map_err(|error| error.to_string())
    }

    #[test]
    fn every_shipped_pipeline_reads_under_its_own_name_and_fits_its_model() {
        for name in PipelineSource::shipped() {
            let source = PipelineSource::named(name).unwrap();
            assert_eq!(source.read().unwrap().name, name);
            match Pipeline::check(&source, Path::new("nowhere")) {
                Ok(_) => {}
                Err(PipelineError::Model { source: ZooError::WeightsAbsent { .. }, .. }) => {}
                Err(error) => panic!("{name}: {error}"),
            }
        }
    }

    #[test]
    fn mistakes_are_named_with_file_and_key() {
        let (_, good) = SHIPPED[3];
        assert_eq!(checked(good), Ok(()));
        for (from, to, expected) in [
            ("size = 96", "size = 288", "prepare.size = 288, but model tte11-tiny was made for 96"),
            ("label_set = \"tte11\"", "label_set = \"tte47\"", "label_set = \"tte47\""),
            ("max_clips", "max_clip", "unknown field `max_clip`"),
            ("abstain_below = 0.5", "abstain_below = 5", "aggregate.abstain_below"),
            ("model = \"tte11-tiny\"", "model = \"tte11-huge\"", "weights.model"),
            ("name = \"gate\"", "name = \"gates\"", "unknown fusion"),
            ("frames_per_clip = 6", "frames_per_clip = 65", "sampling.frames_per_clip = 65"),
        ] {
            assert!(good.contains(from), "{from}");
            let error = checked(&good.replace(from, to)).unwrap_err();
            assert!(error.contains(expected) && error.contains("mine.toml"), "{to}: {error}");
        }
    }
}
