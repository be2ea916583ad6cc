//! A pipeline for every model of the registry, for when nobody has written one.

use std::path::Path;

use domain::Precision;
use preprocess::plan_settings;
use zoo::{ModelCard, Registry};

use crate::{
    AggregateSection, EncoderSection, FusionSection, HeadSection, PipelineFile, PrepareSection, SamplingSection,
    WeightsSection,
};

/// The pipeline that is named after the model `name`; `None` where neither the registry nor the folder `models` has such a
/// model.
pub(crate) fn pipeline_of_model(name: &str, models: &Path) -> zoo::Result<Option<PipelineFile>> {
    let registry = Registry::open(models)?;
    Ok(registry.card(name).ok().map(pipeline_of))
}

/// Returns the pipeline that the card describes, with the frames that the model was made for and everything else as usual.
pub(crate) fn pipeline_of(card: &ModelCard) -> PipelineFile {
    let plan = plan_settings(card);
    let usual = SamplingSection::default();
    PipelineFile {
        name: card.name.clone(),
        label_set: card.label_set.clone(),
        precision: Precision::default(),
        companions: vec![],
        sampling: SamplingSection {
            frames_per_clip: plan.frames_per_clip,
            strategy: plan.strategy,
            max_clips: plan.max_clips.unwrap_or(usual.max_clips),
            ..usual
        },
        prepare: PrepareSection { size: card.prepare.size, color: None, crop: None, resize: None, mask_static: None },
        encoder: EncoderSection { name: card.encoder },
        head: HeadSection { name: card.head },
        fusion: FusionSection { name: card.fusion },
        weights: WeightsSection { model: card.name.clone() },
        aggregate: AggregateSection::default(),
    }
}
