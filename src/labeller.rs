//! The pipeline behind the daemon's traits: is a file complete, and which view does it show?

use std::io;
use std::path::Path;

use cine::{CineError, Loop};
use daemon::{Completeness, LabelFailure, Labeller, Labelling};
use domain::{ModelKey, Sha256};
use pipeline::{LabelError, LoopLabel, Pipeline};
use store::{DicomIdentity, FileIdentity, LoopFacts};

use crate::cli::Common;
use crate::isolation::Isolation;
use crate::place::{Place, objects};

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
        match label_at(&self.pipeline, path) {
            Ok(label) => Ok(labelling(label, pixel_sha256(path).ok())),
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

    fn file_identity(&self, path: &Path) -> io::Result<Option<FileIdentity>> {
        match Place::new(path) {
            Place::File(path) => Ok(daemon::stat(path)?.map(|found| found.identity)),
            Place::Object(url) => match objects::info(url) {
                Ok(found) => Ok(Some(found.identity())),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error),
            },
        }
    }

    fn content_sha256(&self, path: &Path) -> io::Result<Sha256> {
        match Place::new(path) {
            Place::File(path) => files::sha256(path),
            Place::Object(url) => objects::sha256(url),
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

/// Labels a file, or an object by its address.
pub fn label_at(pipeline: &Pipeline, path: &Path) -> Result<LoopLabel, LabelError> {
    match Place::new(path) {
        Place::File(path) => pipeline.label(path),
        Place::Object(url) => pipeline.label_opened_by(|| {
            let open = |source| CineError::Io { doing: "opening the object", source };
            Loop::from_bytes(objects::open(url).map_err(open)?)
        }),
    }
}

fn pixel_sha256(path: &Path) -> Result<Sha256, CineError> {
    match Place::new(path) {
        Place::File(path) => cine::pixel_sha256(path),
        Place::Object(url) => objects::pixel_sha256(url),
    }
}

/// Checks if a file is complete, and reads which object it holds.
///
/// A store shows an object when it is whole, and whoever labels it names what the object itself lacks: it is not read for that.
pub fn check_file(path: &Path) -> Completeness {
    let Place::File(path) = Place::new(path) else { return Completeness::Complete { identity: None } };
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
