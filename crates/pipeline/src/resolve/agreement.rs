//! Checks that a pipeline file agrees with its model's card, the device, sensible ranges.

use domain::{Precision, SamplingStrategy};
use zoo::ModelCard;

use crate::{ClipRule, PipelineError, PipelineFile};

/// Refuses a pipeline that says anything else than its model's card.
pub(super) fn compare(origin: &str, file: &PipelineFile, card: &ModelCard) -> Result<(), PipelineError> {
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
        ("prepare.color", text(prepare.color.unwrap_or(made_for.color)), text(made_for.color)),
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

/// Refuses a choice of frames for a model that sees whole clips.
pub(super) fn check_clip_rule(origin: &str, file: &PipelineFile, card: &ModelCard) -> Result<(), PipelineError> {
    if file.aggregate.clips == ClipRule::FirstFrame && !card.sees_stills() {
        return Err(PipelineError::OutOfRange {
            origin: origin.to_owned(),
            key: "aggregate.clips",
            found: "first_frame".to_owned(),
            expected: "mean_probability with a model that sees clips",
        });
    }
    Ok(())
}

/// Refuses a precision that the device does not have, rather than to compute in another one.
pub(super) fn check_device(origin: &str, precision: Precision, is_cpu: bool) -> Result<(), PipelineError> {
    let (runs_on, device) = match (precision, is_cpu) {
        (Precision::Int8, false) => ("the CPU", "cpu"),
        (Precision::Bf16 | Precision::F16, true) => ("a GPU", "cuda"),
        _ => return Ok(()),
    };
    Err(PipelineError::PrecisionDevice { origin: origin.to_owned(), precision, runs_on, device })
}

/// Refuses numbers outside what a key may be.
pub(super) fn check_ranges(origin: &str, file: &PipelineFile) -> Result<(), PipelineError> {
    let fault = |key: &'static str, found: String, expected: &'static str| {
        Err(PipelineError::OutOfRange { origin: origin.to_owned(), key, found, expected })
    };
    let sampling = &file.sampling;
    if !(1..=ecg::plan::MAX_FRAMES_PER_CLIP).contains(&sampling.frames_per_clip) {
        return fault("sampling.frames_per_clip", sampling.frames_per_clip.to_string(), "1 to 64");
    }
    if sampling.strategy == SamplingStrategy::Windowed && sampling.frames_per_clip != 6 {
        return fault("sampling.frames_per_clip", sampling.frames_per_clip.to_string(), "6 with windows");
    }
    if sampling.max_clips == 0 {
        return fault("sampling.max_clips", "0".to_owned(), "1 or more");
    }
    let shares = [
        ("aggregate.abstain_below", Some(file.aggregate.abstain_below)),
        ("aggregate.first_clip_suffices", file.aggregate.first_clip_suffices),
    ];
    for (key, share) in shares {
        if let Some(share) = share.filter(|share| !(0.0..=1.0).contains(share)) {
            return fault(key, share.to_string(), "0 to 1");
        }
    }
    Ok(())
}
