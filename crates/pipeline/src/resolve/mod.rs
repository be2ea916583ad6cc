//! From a pipeline file to a pipeline that can run: every mismatch is found here, before any loop is taken.

mod agreement;
#[cfg(test)]
mod tests;

use std::path::Path;

use candle_core::Device;
use domain::{ModelKey, Precision, Sha256, WeightStatus};
use ecg::PlanSettings;
use nn::DeviceChoice;
use preprocess::Preprocessor;
use zoo::{LabelSet, Model, ModelCard, ProbabilityCalibration, QuantizationRanges, Registry, ZooError};

use self::agreement::{check_clip_rule, check_device, check_ranges, compare};
use crate::digest::digest;
use crate::engine::ReadModel;
use crate::{Engine, PipelineError, PipelineFile, PipelineSource};

/// A pipeline whose parts fit each other, with its model on an engine thread.
pub struct Pipeline {
    file: PipelineFile,
    preprocessor: Preprocessor,
    card: ModelCard,
    status: WeightStatus,
    calibration: ProbabilityCalibration,
    digest: Sha256,
    engine: Engine,
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
        let mut parts = Parts::read(source, models)?;
        parts.file.precision = if calibration.is_some() { Precision::Int8 } else { Precision::F32 };
        Self::start(source, parts, model, status, calibration, None)
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
        let mut parts = Parts::with_weights(source, models)?;
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

    /// Reads the model onto the device; where that has no memory for it, `auto` takes the CPU.
    fn open_on(
        source: &PipelineSource,
        parts: Parts,
        choice: DeviceChoice,
        status: WeightStatus,
        read: fn(&Registry, &str, &Device) -> zoo::Result<Model>,
    ) -> Result<Self, PipelineError> {
        let mut model = read(&parts.registry, &parts.card.name, &choice.open()?);
        if let (Err(error), DeviceChoice::Auto) = (&model, choice)
            && nn::ran_out_of_memory(error)
        {
            tracing::warn!("the gpu has no memory for the model, running on the cpu");
            model = read(&parts.registry, &parts.card.name, &Device::Cpu);
        }
        let model = model.map_err(model_error(source))?;
        let calibration = parts.calibration(source)?;
        let on_cpu: Option<ReadModel> = (!model.device().is_cpu()).then(|| {
            let (registry, card) = (parts.registry.clone(), parts.card.clone());
            Box::new(move || {
                let mut model = read(&registry, &card.name, &Device::Cpu)?;
                model.pack_for_good(card.prepare.size)?;
                Ok(model)
            }) as ReadModel
        });
        Self::start(source, parts, model, status, calibration.as_ref(), on_cpu)
    }

    fn start(
        source: &PipelineSource,
        parts: Parts,
        mut model: Model,
        status: WeightStatus,
        calibration: Option<&QuantizationRanges>,
        on_cpu: Option<ReadModel>,
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
        let preprocessor = Preprocessor::new(label_set, file.sampling.ecg, plan, card.prepare);
        // What was fitted to the model's own weights says nothing about untrained weights.
        let fitted = card.calibration.filter(|_| status != WeightStatus::Untrained);
        let probabilities = fitted.unwrap_or(ProbabilityCalibration::UNFITTED);
        let digest = digest(&file, card.prepare, probabilities, calibration);
        let engine = Engine::start(model, on_cpu)?;
        Ok(Self { file, preprocessor, card, status, calibration: probabilities, digest, engine })
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
}

/// A pipeline file that fits its model.
struct Parts {
    registry: Registry,
    file: PipelineFile,
    card: ModelCard,
}

impl Parts {
    fn read(source: &PipelineSource, models: &Path) -> Result<Self, PipelineError> {
        let file = source.read(models)?;
        let registry = Registry::open(models).map_err(model_error(source))?;
        let card = registry.card(&file.weights.model).map_err(model_error(source))?.clone();
        let origin = source.to_string();
        compare(&origin, &file, &card)?;
        check_clip_rule(&origin, &file, &card)?;
        check_ranges(&origin, &file)?;
        Ok(Self { registry, file, card })
    }

    /// The calibration that the pipeline's precision needs.
    fn calibration(&self, source: &PipelineSource) -> Result<Option<QuantizationRanges>, PipelineError> {
        match self.file.precision {
            Precision::F32 | Precision::Bf16 | Precision::F16 => Ok(None),
            Precision::Int8 => self.registry.read_quantization(&self.card).map(Some).map_err(model_error(source)),
        }
    }

    fn with_weights(source: &PipelineSource, models: &Path) -> Result<Self, PipelineError> {
        let parts = Self::read(source, models)?;
        if parts.registry.has_weights(&parts.card) {
            return Ok(parts);
        }
        let path = parts.registry.weights_path(&parts.card).unwrap_or_default();
        Err(model_error(source)(ZooError::WeightsAbsent { model: parts.card.name, path }))
    }
}

fn model_error(source: &PipelineSource) -> impl Fn(ZooError) -> PipelineError {
    let origin = source.to_string();
    move |source| PipelineError::Model { origin: origin.clone(), source }
}
