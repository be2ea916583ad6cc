//! The pipeline behind the daemon's traits: is a file complete, and which view does it show?

use std::path::Path;

use daemon::{Completeness, LabelFailure, Labeller, Labelling};
use domain::{ModelKey, Sha256};
use pipeline::{LoopLabel, Pipeline};
use store::{DicomIdentity, LoopFacts};

use crate::cli::Common;
use crate::isolation::Isolation;

/// The kind of the error of an object without pixels, which is no failure.
pub const NO_IMAGE_KIND: &str = "no_pixel_data";
/// The kind of the error of a file that is something else.
pub const NOT_DICOM_KIND: &str = "not_dicom";
/// The kind of the error of an archive.
pub const ARCHIVE_KIND: &str = "archive";
/// The words for the first.
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
            Ok(label) => Ok(labelling(label, cine::pixel_sha256(path).ok())),
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

fn labelling(label: LoopLabel, pixel_sha256: Option<Sha256>) -> Labelling {
    let facts = Box::new(LoopFacts { pixel_sha256, ..facts(&label) });
    match label.skipped {
        true => Labelling::Skipped { facts: Some(facts), reason: label.prediction.reason.unwrap_or_default() },
        false => Labelling::Labelled { facts, prediction: Box::new(label.prediction) },
    }
}

/// Checks if a file is complete, and reads which object it holds.
pub fn check_file(path: &Path) -> Completeness {
    match cine::completeness(path) {
        cine::Completeness::Complete { uids } => Completeness::Complete { identity: uids.map(dicom_identity) },
        cine::Completeness::Incomplete { reason, uids } => {
            Completeness::Incomplete { reason, identity: uids.map(dicom_identity) }
        }
        cine::Completeness::Archive { reason } => Completeness::Archive { reason },
        cine::Completeness::NotDicom { reason } => Completeness::NotDicom { reason },
    }
}

fn dicom_identity(uids: cine::InstanceUids) -> DicomIdentity {
    DicomIdentity { study_instance_uid: uids.study, sop_instance_uid: uids.sop }
}

/// Reads study and loop from as much of the header as can be read.
fn identity(path: &Path) -> Option<DicomIdentity> {
    match check_file(path) {
        Completeness::Complete { identity } | Completeness::Incomplete { identity, .. } => identity,
        Completeness::Archive { .. } | Completeness::NotDicom { .. } => None,
    }
}

fn facts(label: &LoopLabel) -> LoopFacts {
    let header = &label.header;
    LoopFacts {
        study_instance_uid: label.study_instance_uid.clone(),
        series_instance_uid: label.series_instance_uid.clone(),
        sop_instance_uid: label.sop_instance_uid.clone(),
        transfer_syntax: Some(header.transfer_syntax.clone()),
        manufacturer: header.manufacturer.clone(),
        scanner_model: header.model.clone(),
        mode: label.mode,
        rows: Some(header.rows),
        columns: Some(header.columns),
        frames: Some(header.frames),
        frame_time_ms: (!header.timing.guessed).then(|| header.timing.frame_time_ms()),
        acquired: header.acquisition_datetime.clone(),
        pixel_sha256: None,
        not_tte: label.not_tte.clone(),
    }
}
