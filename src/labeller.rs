//! The pipeline behind the daemon's traits: is a file complete, and which view does it show?

use std::path::Path;

use anyhow::Context as _;
use daemon::{Completeness, LabelFailure, Labeller, Labelling};
use domain::{ModelKey, Prediction};
use pipeline::{LoopLabel, Pipeline};
use store::{DicomIdentity, LoopFacts};

use crate::cli::Common;
use crate::isolation::Isolation;

/// The kind of the error of an object without pixels, which is no failure.
pub const NO_IMAGE_KIND: &str = "no_pixel_data";
/// The words for it.
pub const NO_IMAGE_REASON: &str = "the object holds no image";

/// Labels files with a pipeline.
pub struct PipelineLabeller {
    pipeline: Pipeline,
    model: ModelKey,
    isolation: Isolation,
}

impl PipelineLabeller {
    /// Returns a labeller that asks `pipeline`.
    ///
    /// # Errors
    /// The digest of the weights is none.
    pub fn new(pipeline: Pipeline, common: &Common) -> anyhow::Result<Self> {
        let model = ModelKey {
            pipeline: pipeline.name().to_owned(),
            pipeline_sha256: Some(pipeline.digest()),
            weights_sha256: pipeline.weights_sha256().parse().context("the weights' digest")?,
            precision: Some(pipeline.precision()),
        };
        Ok(Self { pipeline, model, isolation: Isolation::new(common)? })
    }
}

impl Labeller for PipelineLabeller {
    fn model(&self) -> ModelKey {
        self.model.clone()
    }

    fn views(&self) -> Vec<String> {
        self.pipeline.label_set().map(zoo::LabelSet::view_names).unwrap_or_default()
    }

    fn label(&self, path: &Path) -> Result<Labelling, LabelFailure> {
        match self.pipeline.label(path) {
            Ok(label) => Ok(self.labelling(label)),
            Err(error) if error.kind() == NO_IMAGE_KIND => {
                Ok(Labelling::Skipped { facts: None, reason: NO_IMAGE_REASON.to_owned() })
            }
            Err(error) => Err(LabelFailure {
                kind: error.kind().to_owned(),
                message: error.message(),
                temporary: error.is_temporary(),
                identity: identity(path),
            }),
        }
    }

    fn label_isolated(&self, path: &Path) -> Result<Labelling, LabelFailure> {
        self.isolation.label(path)
    }
}

impl PipelineLabeller {
    fn labelling(&self, label: LoopLabel) -> Labelling {
        let facts = Box::new(facts(&label));
        match label.skipped {
            true => Labelling::Skipped { facts: Some(facts), reason: label.reason.unwrap_or_default() },
            false => Labelling::Labelled { facts, prediction: Box::new(self.prediction(label)) },
        }
    }

    fn prediction(&self, label: LoopLabel) -> Prediction {
        Prediction {
            // An engine without memory on its GPU goes on in another precision than the pipeline's.
            model: ModelKey { precision: Some(label.precision), ..self.model.clone() },
            weights_note: label.weights_note.map(ToOwned::to_owned),
            view: label.view,
            confidence: label.confidence,
            abstained: label.abstained,
            reason: label.reason,
            probabilities: label.probabilities,
            prediction_set: label.prediction_set,
            energy: label.energy,
            clips: label.clips as u32,
            frames_used: label.frames_used as u32,
            ecg_source: label.ecg_source,
            timings: label.ms,
            findings: label.findings,
        }
    }
}

/// Checks if a file is complete, and reads which object it holds.
pub fn check_file(path: &Path) -> Completeness {
    match cine::completeness(path) {
        cine::Completeness::Complete { uids } => Completeness::Complete {
            identity: uids.map(|uids| DicomIdentity { study_instance_uid: uids.study, sop_instance_uid: uids.sop }),
        },
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
        mode: label.mode,
        rows: Some(header.rows),
        columns: Some(header.columns),
        frames: Some(header.frames),
        frame_time_ms: (!header.timing.guessed).then(|| header.timing.frame_time_ms()),
        acquired: header.acquisition_datetime.clone(),
    }
}
