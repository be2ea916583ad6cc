//! The daemon's two questions, answered by the pipeline: is this file complete, and which view does it show?

use std::path::Path;

use daemon::{Completeness, LabelFailure, LabelledLoop, Labeller, Outcome};
use pipeline::{LabelError, LoopLabel, Pipeline};
use store::{DicomIdentity, LoopFacts, ModelKey, Prediction};

/// Labels files with a pipeline.
pub struct PipelineLabeller {
    pipeline: Pipeline,
}

impl PipelineLabeller {
    /// Labels with `pipeline`.
    pub fn new(pipeline: Pipeline) -> Self {
        Self { pipeline }
    }
}

impl Labeller for PipelineLabeller {
    fn model(&self) -> ModelKey {
        ModelKey {
            pipeline: self.pipeline.name().to_owned(),
            weights_sha256: self.pipeline.weights_sha256().to_owned(),
        }
    }

    fn label(&self, path: &Path) -> Result<Outcome, LabelFailure> {
        match self.pipeline.label(path) {
            Ok(label) if label.skipped => {
                Ok(Outcome::Skipped { facts: Some(Box::new(facts(&label))), reason: label.reason.unwrap_or_default() })
            }
            Ok(label) => {
                Ok(Outcome::Labelled(Box::new(LabelledLoop { facts: facts(&label), prediction: prediction(label) })))
            }
            Err(LabelError::Loop(cine::CineError::NoPixelData { .. })) => {
                Ok(Outcome::Skipped { facts: None, reason: "the object holds no image".to_owned() })
            }
            Err(error) => Err(LabelFailure {
                kind: error.kind().to_owned(),
                message: error.message(),
                temporary: error.is_temporary(),
                identity: identity(path),
            }),
        }
    }
}

/// Whether a file is complete, and whose it is.
pub fn check_file(path: &Path) -> Completeness {
    match cine::completeness(path) {
        cine::Completeness::Complete => Completeness::Complete { identity: identity(path) },
        cine::Completeness::Incomplete { reason } => Completeness::Incomplete { reason },
        cine::Completeness::NotDicom { reason } => Completeness::NotDicom { reason },
    }
}

fn identity(path: &Path) -> Option<DicomIdentity> {
    let source = cine::Loop::open(path).ok()?;
    let header = source.header();
    Some(DicomIdentity {
        study_instance_uid: header.study_instance_uid.clone(),
        sop_instance_uid: header.sop_instance_uid.clone(),
    })
}

fn facts(label: &LoopLabel) -> LoopFacts {
    let header = &label.header;
    LoopFacts {
        study_instance_uid: label.study_instance_uid.clone(),
        series_instance_uid: label.series_instance_uid.clone(),
        sop_instance_uid: label.sop_instance_uid.clone(),
        transfer_syntax: Some(header.transfer_syntax.clone()),
        manufacturer: header.manufacturer.clone(),
        mode: label.mode.as_str().to_owned(),
        rows: Some(header.rows),
        columns: Some(header.columns),
        frames: Some(header.frames),
        frame_time_ms: (!header.timing.guessed).then(|| header.timing.frame_time_ms()),
        acquired: header.acquisition_datetime.clone(),
    }
}

fn prediction(label: LoopLabel) -> Prediction {
    let ms = label.ms;
    Prediction {
        model: ModelKey { pipeline: label.pipeline, weights_sha256: label.weights_sha256 },
        weights_note: label.weights_note.map(ToOwned::to_owned),
        view: label.view,
        confidence: label.confidence,
        abstained: label.abstained,
        reason: label.reason,
        probabilities: label.probabilities,
        clips: label.clips as u32,
        frames_used: label.frames_used as u32,
        ecg_source: label.ecg_source.as_str().to_owned(),
        timings_ms: [
            ("open", ms.open),
            ("ecg", ms.ecg),
            ("decode", ms.decode),
            ("prepare", ms.prepare),
            ("encode", ms.encode),
            ("head", ms.head),
            ("total", ms.total),
        ]
        .map(|(stage, milliseconds)| (stage.to_owned(), milliseconds))
        .into(),
    }
}
