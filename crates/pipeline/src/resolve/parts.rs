//! A pipeline file and what it names, before anything is started.

use std::path::Path;

use candle_core::Device;
use domain::Precision;
use nn::DeviceChoice;
use zoo::{Model, ModelCard, QuantizationRanges, Registry, ZooError};

use super::agreement::{check_clip_rule, check_ranges, compare};
use super::companion;
use crate::engine::ReadModel;
use crate::{PipelineError, PipelineFile, PipelineSource, ViewPrior};

/// A pipeline file that fits its model.
pub(super) struct Parts {
    pub(super) registry: Registry,
    pub(super) file: PipelineFile,
    pub(super) card: ModelCard,
    pub(super) companions: Vec<ModelCard>,
}

impl Parts {
    pub(super) fn read(source: &PipelineSource, models: &Path) -> Result<Self, PipelineError> {
        let file = source.read(models)?;
        let registry = Registry::open(models).map_err(model_error(source))?;
        let card = registry.card(&file.weights.model).map_err(model_error(source))?.clone();
        let origin = source.to_string();
        compare(&origin, &file, &card)?;
        check_clip_rule(&origin, &file, &card)?;
        check_ranges(&origin, &file)?;
        let companions = companion::cards(&origin, &file, &card, &registry)?;
        if file.aggregate.prior == ViewPrior::Recorded {
            companion::recorded_shares(&origin, card.views().map_err(model_error(source))?.as_ref())?;
        }
        Ok(Self { registry, file, card, companions })
    }

    /// Returns the pipeline without its further models, for what is about the first alone.
    pub(super) fn of_first_model(mut self) -> Self {
        self.file.companions.clear();
        self.companions.clear();
        self
    }

    /// The calibration that the pipeline's precision needs.
    pub(super) fn calibration(&self, source: &PipelineSource) -> Result<Option<QuantizationRanges>, PipelineError> {
        match self.file.precision {
            Precision::F32 | Precision::Bf16 | Precision::F16 => Ok(None),
            Precision::Int8 => self.registry.read_quantization(&self.card).map(Some).map_err(model_error(source)),
        }
    }

    pub(super) fn with_weights(source: &PipelineSource, models: &Path) -> Result<Self, PipelineError> {
        let parts = Self::read(source, models)?;
        let absent =
            std::iter::once(&parts.card).chain(&parts.companions).find(|card| !parts.registry.has_weights(card));
        let Some(card) = absent else { return Ok(parts) };
        let path = parts.registry.weights_path(card).unwrap_or_default();
        Err(model_error(source)(ZooError::WeightsAbsent { model: card.name.clone(), path }))
    }
}

/// A function that reads a model of the registry onto a device.
pub(super) type Read = fn(&Registry, &str, &Device) -> zoo::Result<Model>;

/// Reads a model onto the device; where that has no memory for it, `auto` takes the CPU. With the way to read it again onto
/// the CPU, where it is elsewhere.
pub(super) fn read_onto(
    source: &PipelineSource,
    registry: &Registry,
    card: &ModelCard,
    choice: DeviceChoice,
    read: Read,
) -> Result<(Model, Option<ReadModel>), PipelineError> {
    let mut model = read(registry, &card.name, &choice.open()?);
    if let (Err(error), DeviceChoice::Auto) = (&model, choice)
        && nn::ran_out_of_memory(error)
    {
        tracing::warn!("the gpu has no memory for the model, running on the cpu");
        model = read(registry, &card.name, &Device::Cpu);
    }
    let model = model.map_err(model_error(source))?;
    let on_cpu: Option<ReadModel> = (!model.device().is_cpu()).then(|| {
        let (registry, card) = (registry.clone(), card.clone());
        Box::new(move || {
            let mut model = read(&registry, &card.name, &Device::Cpu)?;
            model.pack_for_good(card.prepare.size)?;
            Ok(model)
        }) as ReadModel
    });
    Ok((model, on_cpu))
}

pub(super) fn model_error(source: &PipelineSource) -> impl Fn(ZooError) -> PipelineError {
    let origin = source.to_string();
    move |source| PipelineError::Model { origin: origin.clone(), key: "weights.model", source: Box::new(source) }
}
