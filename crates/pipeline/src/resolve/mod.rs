//! From a pipeline file to a pipeline that can run: every mismatch is found here, before any loop is taken.

mod agreement;
mod companion;
mod parts;
#[cfg(test)]
mod tests;

use std::path::Path;

use candle_core::Device;
use domain::{ModelKey, Precision, Sha256, WeightStatus};
use ecg::PlanSettings;
use nn::DeviceChoice;
use preprocess::Preprocessor;
use zoo::{LabelSet, Model, ModelCard, ProbabilityCalibration, QuantizationRanges, Registry};

use self::agreement::check_device;
pub(crate) use self::companion::Companion;
use self::companion::{fitted_to, least_trusted, recorded_shares};
use self::parts::{Parts, Read, model_error, read_onto};
use crate::digest::digest;
use crate::engine::ReadModel;
use crate::{Engine, PipelineError, PipelineFile, PipelineSource, ViewPrior};

/// A pipeline whose parts fit each other, with its model on an engine thread.
pub struct Pipeline {
    file: PipelineFile,
    preprocessor: Preprocessor,
    card: ModelCard,
    status: WeightStatus,
    calibration: ProbabilityCalibration,
    digest: Sha256,
    engine: Engine,
    companions: Vec<Companion>,
    /// Expected share of each view; `None` where one is as likely as the other.
    view_shares: Option<Vec<f64>>,
}

/// The layer that turns vectors into one logit a view.
#[derive(Debug, Clone, PartialEq)]
pub struct LastLayer {
    /// [views, C].
    pub weight: Vec<Vec<f32>>,
    /// [views].
    pub bias: Vec<f32>,
}

impl Pipeline {
    /// Checks the pipeline against the registry and its model, without reading weights.
    ///
    /// # Errors
    /// The file is invalid, names an unknown model, or disagrees with the model's card.
    pub fn check(source: &PipelineSource, models: &Path) -> Result<(PipelineFile, ModelCard), PipelineError> {
        let parts = Parts::with_weights(source, models)?;
        if parts.file.precision == Precision::Int8 {
            parts.registry.read_quantization(&parts.card).map_err(model_error(source))?;
        }
        Ok((parts.file, parts.card))
    }

    /// Checks the pipeline, reads its weights from the folder `models` and starts its engine.
    ///
    /// # Errors
    /// As of [`Self::check`]; weights are missing or damaged, or the device cannot be opened.
    pub fn open(source: &PipelineSource, models: &Path, device: DeviceChoice) -> Result<Self, PipelineError> {
        let parts = Parts::with_weights(source, models)?;
        let status = parts.registry.weight_status(&parts.card);
        Self::open_on(source, parts, device, status, Registry::read_model)
    }

    /// Starts a model of the pipeline that somebody has read, on the CPU: in int8 by `calibration`, or in single
    /// precision, whatever precision the pipeline asks for. For comparing the two.
    ///
    /// # Errors
    /// As of [`Self::check`]; the ranges are of other weights.
    pub fn with_model(
        source: &PipelineSource,
        models: &Path,
        (model, status): (Model, WeightStatus),
        calibration: Option<&QuantizationRanges>,
    ) -> Result<Self, PipelineError> {
        let mut parts = Parts::read(source, models)?.of_first_model();
        parts.file.precision = if calibration.is_some() { Precision::Int8 } else { Precision::F32 };
        Self::start(source, parts, model, status, calibration, (None, vec![]))
    }

    /// The same with untrained weights, whether the model's own are here or not: its labels mean nothing.
    ///
    /// # Errors
    /// As of [`Self::check`]; the device cannot be opened.
    pub fn open_untrained(source: &PipelineSource, models: &Path, device: DeviceChoice) -> Result<Self, PipelineError> {
        let parts = Parts::read(source, models)?;
        Self::open_on(source, parts, device, WeightStatus::Untrained, Registry::make_untrained_model)
    }

    /// Starts the pipeline without its model's classes, and gives weight [views, C] and bias [views] of the last layer; `None`
    /// where the model has no classes. [`Self::vectors`] gives what that layer would see.
    ///
    /// # Errors
    /// As of [`Self::open`]; the classifier has several layers.
    pub fn open_for_vectors(
        source: &PipelineSource,
        models: &Path,
        device: DeviceChoice,
    ) -> Result<(Self, Option<LastLayer>), PipelineError> {
        let mut parts = Parts::with_weights(source, models)?.of_first_model();
        parts.file.precision = Precision::F32;
        let status = parts.registry.weight_status(&parts.card);
        let last_layer = || -> zoo::Result<Option<LastLayer>> {
            let Some((weight, bias)) = parts.registry.read_model(&parts.card.name, &Device::Cpu)?.last_layer()? else {
                return Ok(None);
            };
            Ok(Some(LastLayer { weight: weight.to_vec2()?, bias: bias.to_vec1()? }))
        };
        let last_layer = last_layer().map_err(model_error(source))?;
        let pipeline = Self::open_on(source, parts, device, status, |registry, name, device| {
            Ok(registry.read_model(name, device)?.without_classes())
        })?;
        Ok((pipeline, last_layer))
    }

    fn open_on(
        source: &PipelineSource,
        parts: Parts,
        choice: DeviceChoice,
        status: WeightStatus,
        read: Read,
    ) -> Result<Self, PipelineError> {
        let (model, on_cpu) = read_onto(source, &parts.registry, &parts.card, choice, read)?;
        let companions = parts.companions.iter().map(|card| {
            let (model, on_cpu) = read_onto(source, &parts.registry, card, choice, read)?;
            let status = match status {
                WeightStatus::Untrained => status,
                _ => parts.registry.weight_status(card),
            };
            Ok((Companion::start(card, model, on_cpu, status)?, status))
        });
        let companions: Vec<(Companion, WeightStatus)> = companions.collect::<Result<_, PipelineError>>()?;
        let calibration = parts.calibration(source)?;
        Self::start(source, parts, model, status, calibration.as_ref(), (on_cpu, companions))
    }

    fn start(
        source: &PipelineSource,
        parts: Parts,
        mut model: Model,
        status: WeightStatus,
        calibration: Option<&QuantizationRanges>,
        (on_cpu, companions): (Option<ReadModel>, Vec<(Companion, WeightStatus)>),
    ) -> Result<Self, PipelineError> {
        check_device(&source.to_string(), parts.file.precision, model.device().is_cpu())?;
        model = match (parts.file.precision, calibration) {
            (Precision::Int8, Some(calibration)) => model.quantized(calibration).map_err(model_error(source))?,
            (half @ (Precision::Bf16 | Precision::F16), _) => model.in_half(half).map_err(model_error(source))?,
            _ => model,
        };
        let Parts { file, card, .. } = parts;
        // The engine meets frames of this size only.
        model.pack_for_good(card.prepare.size).map_err(model_error(source))?;
        // The pipeline names the label set of its card, which was checked.
        let label_set = card.views().map_err(model_error(source))?;
        let plan = PlanSettings {
            strategy: file.sampling.strategy,
            frames_per_clip: file.sampling.frames_per_clip,
            max_clips: Some(file.sampling.max_clips),
        };
        let view_shares = match file.aggregate.prior {
            ViewPrior::Equal => None,
            ViewPrior::Recorded => Some(recorded_shares(&source.to_string(), label_set.as_ref())?),
        };
        let preprocessor = Preprocessor::new(label_set, file.sampling.ecg, plan, card.prepare);
        let probabilities = fitted_to(&card, status);
        let (companions, statuses): (Vec<Companion>, Vec<WeightStatus>) = companions.into_iter().unzip();
        let resolved: Vec<_> = companions.iter().map(Companion::resolved).collect();
        let digest = digest(&file, card.prepare, probabilities, calibration, &resolved);
        let status = least_trusted(statuses.into_iter().chain([status])).unwrap_or(status);
        let engine = Engine::start(model, on_cpu)?;
        Ok(Self {
            file,
            preprocessor,
            card,
            status,
            calibration: probabilities,
            digest,
            engine,
            companions,
            view_shares,
        })
    }

    /// The pipeline's name, under which its predictions are kept.
    pub fn name(&self) -> &str {
        &self.file.name
    }

    /// The views that it knows; `None` where its model gives only vectors.
    pub fn label_set(&self) -> Option<&LabelSet> {
        self.preprocessor.label_set()
    }

    /// The model's card.
    pub fn card(&self) -> &ModelCard {
        &self.card
    }

    /// Returns the status of the weights in use: untrained where that was asked for.
    pub fn status(&self) -> WeightStatus {
        self.status
    }

    /// Returns the precision of its encoder.
    pub fn precision(&self) -> Precision {
        self.file.precision
    }

    /// Returns everything that decides a prediction besides the loop.
    pub fn key(&self) -> ModelKey {
        ModelKey {
            pipeline: self.name().to_owned(),
            pipeline_sha256: Some(self.digest),
            weights_sha256: self.engine.weights_sha256(),
            precision: Some(self.file.precision),
        }
    }

    /// Returns the digest of everything that decides a label besides the loop, the weights and the precision: sampling,
    /// preparation, calibration, thresholds, label set. Keys with defaults stand for their values.
    pub fn digest(&self) -> Sha256 {
        self.digest
    }

    pub(crate) fn file(&self) -> &PipelineFile {
        &self.file
    }

    /// Returns what was fitted to the weights in use; nothing where they are untrained.
    pub(crate) fn calibration(&self) -> ProbabilityCalibration {
        self.calibration
    }

    pub(crate) fn preprocessor(&self) -> &Preprocessor {
        &self.preprocessor
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Returns the further models, in the order of the file.
    pub(crate) fn companions(&self) -> &[Companion] {
        &self.companions
    }

    /// Returns the expected share of each view; `None` where one is as likely as the other.
    pub(crate) fn view_shares(&self) -> Option<&[f64]> {
        self.view_shares.as_deref()
    }
}
