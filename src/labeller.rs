//! The pipeline behind the daemon's traits: is a file complete, and which view does it show?

use std::path::Path;

use daemon::{Completeness, LabelFailure, Labeller, Labelling};
use domain::ModelKey;
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
    isolation: Isolation,
}

impl PipelineLabeller {
    /// Returns a labeller that asks `pipeline`.
    ///
    /// # Errors
    /// The path of this program cannot be found.
    pub fn new(pipeline: Pipeline, common: &Common) -> anyhow::Result<Self> {
        Ok(Self { pipeline, isolation: Isolation::new(common)? })
    }
}

impl Labeller for PipelineLabeller {
    fn model(&self) -> ModelKey {
        self.pipeline.key()
    }

    fn views(&self) -> Vec<String> {
        self.pipeline.label_set().map(zoo::LabelSet::view_names).unwrap_or_default()
    }

    fn label(&self, path: &Path) -> Result<Labelling, LabelFailure> {
        match self.pipeline.label(path) {
            Ok(label) => Ok(labelling(label)),
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

fn labelling(label: LoopLabel) -> Labelling {
    let facts = Box::new(facts(&label));
    match label.skipped {
        true => Labelling::Skipped { facts: Some(facts), reason: label.prediction.reason.unwrap_or_default() },
        false => Labelling::Labelled { facts, prediction: Box::new(label.prediction) },
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
