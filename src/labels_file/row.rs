//! One row of a file of labels: a line of the manifest with what came of its file.

use std::path::PathBuf;

use daemon::{LabelFailure, Labelling};
use domain::{ModelKey, Prediction, Sha256, named_enum};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use store::{DicomIdentity, FileIdentity, LoopFacts};

use crate::labeller::{ARCHIVE_KIND, NOT_DICOM_KIND};

/// Name of the layout of rows; another layout gets another name.
pub const SCHEMA: &str = "echolabel-labels-1";

/// A file of labels cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LabelsError {
    /// A row has another layout.
    #[error("row {row} has the schema {found:?}; this version reads {SCHEMA:?}")]
    UnknownSchema {
        /// Number of the row, from 1.
        row: usize,
        /// Name of the layout that it has; empty where it has none.
        found: String,
    },
    /// A row lacks something, or has something of another type.
    #[error("row {row}: {problem}")]
    Invalid {
        /// Number of the row, from 1.
        row: usize,
        /// The problem.
        problem: String,
    },
    /// The file is no Parquet file, or no whole one.
    #[error("no readable Parquet file")]
    Parquet(#[from] parquet::errors::ParquetError),
    /// The file cannot be read.
    #[error("cannot read the file")]
    Io(#[from] std::io::Error),
}

named_enum! {
    /// State of a row.
    RowState {
        /// A model was asked; it may have abstained.
        Labelled = "labelled",
        /// There is nothing to label, with a reason.
        Skipped = "skipped",
        /// The file could not be labelled, with a reason.
        Failed = "failed",
    }
}

/// The version of a file that was labelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileVersion {
    /// Length in bytes.
    pub size_bytes: u64,
    /// Time of the last write, nanoseconds since 1970 in UTC.
    pub modified_unix_ns: i64,
    /// Digest of parts of the file, as the database keeps it.
    pub sample_sha256: Sha256,
    /// Digest of the file.
    pub sha256: Sha256,
}

/// A row.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelRow {
    /// Absolute path of the file.
    pub path: String,
    /// Name that the manifest gives to the file.
    pub id: Option<String>,
    /// Version of the file, where it could be read.
    pub file: Option<FileVersion>,
    /// Model that labels the manifest.
    pub model: ModelKey,
    /// Views of its label set, in their order.
    pub views: Vec<String>,
    /// The label, or the reason why there is none.
    pub answer: Result<Labelling, LabelFailure>,
}

/// The part of a row that every one has.
#[derive(Serialize, Deserialize)]
struct Head {
    schema: String,
    path: String,
    id: Option<String>,
    #[serde(flatten)]
    file: Option<FileVersion>,
    #[serde(flatten)]
    model: ModelKey,
    views: Vec<String>,
    state: RowState,
}

/// The part of a row without a label that says why.
#[derive(Serialize, Deserialize)]
struct Failure {
    kind: String,
    message: String,
    temporary: bool,
    #[serde(flatten)]
    identity: Option<DicomIdentity>,
}

impl LabelRow {
    /// Returns the state that people and programs tell rows apart by.
    pub fn state(&self) -> RowState {
        match &self.answer {
            Ok(Labelling::Labelled { .. }) => RowState::Labelled,
            Ok(Labelling::Skipped { .. }) => RowState::Skipped,
            // Whoever lists a folder does not open its files, so what is no DICOM is no fault there.
            Err(failure) if matches!(failure.kind.as_str(), NOT_DICOM_KIND | ARCHIVE_KIND) => RowState::Skipped,
            Err(_) => RowState::Failed,
        }
    }

    /// Returns the version of the file as the store knows files, with the digest of its sample.
    ///
    /// Inode and time of change are left out: they differ between the computers of a cluster, and the store compares the
    /// sample then.
    pub fn file_identity(&self) -> Option<(FileIdentity, FileVersion)> {
        let file = self.file?;
        let identity = FileIdentity {
            path: PathBuf::from(&self.path),
            size_bytes: file.size_bytes,
            modified_unix_ns: file.modified_unix_ns,
            inode: 0,
            changed_unix_ns: 0,
        };
        Some((identity, file))
    }

    /// Returns the row as a flat object; keys without a value are left out. Times of stages are left out too: the same files
    /// give the same rows.
    ///
    /// # Errors
    /// A number is none that JSON has.
    pub fn to_object(&self) -> serde_json::Result<Map<String, Value>> {
        let head = Head {
            schema: SCHEMA.to_owned(),
            path: self.path.clone(),
            id: self.id.clone(),
            file: self.file,
            model: self.model.clone(),
            views: self.views.clone(),
            state: self.state(),
        };
        let mut object = object(&head)?;
        match &self.answer {
            Ok(Labelling::Labelled { facts, prediction }) => {
                object.extend(self::object(facts)?);
                object.extend(self::object(prediction)?);
                object.shift_remove("ms");
            }
            Ok(Labelling::Skipped { facts, reason }) => {
                object.extend(facts.as_ref().map(self::object).transpose()?.unwrap_or_default());
                object.insert("reason".to_owned(), reason.as_str().into());
            }
            Err(LabelFailure { kind, message, temporary, identity }) => object.extend(self::object(&Failure {
                kind: kind.clone(),
                message: message.clone(),
                temporary: *temporary,
                identity: identity.clone(),
            })?),
        }
        object.retain(|_, value| !value.is_null());
        Ok(object)
    }

    /// Reads what [`Self::to_object`] gave; `row` is the number that an error names.
    ///
    /// # Errors
    /// The schema is another, or a key is missing or of another type.
    pub fn from_object(mut object: Map<String, Value>, row: usize) -> Result<Self, LabelsError> {
        let schema = object.get("schema").and_then(Value::as_str).unwrap_or_default();
        if schema != SCHEMA {
            return Err(LabelsError::UnknownSchema { row, found: schema.to_owned() });
        }
        object.insert("ms".to_owned(), Value::Object(Map::new()));
        read(Value::Object(object))
            .map_err(|error: serde_json::Error| LabelsError::Invalid { row, problem: error.to_string() })
    }
}

fn object(value: &impl Serialize) -> serde_json::Result<Map<String, Value>> {
    serde_json::from_value(serde_json::to_value(value)?)
}

fn read(object: Value) -> serde_json::Result<LabelRow> {
    let Head { path, id, file, model, views, state, .. } = Head::deserialize(&object)?;
    let answer = if object.get("kind").is_some() {
        let Failure { kind, message, temporary, identity } = Failure::deserialize(&object)?;
        Err(LabelFailure { kind, message, temporary, identity })
    } else if state == RowState::Labelled {
        let facts = Box::new(LoopFacts::deserialize(&object)?);
        Ok(Labelling::Labelled { facts, prediction: Box::new(Prediction::deserialize(&object)?) })
    } else {
        let has_facts = object.get("sop_instance_uid").is_some();
        let facts = has_facts.then(|| LoopFacts::deserialize(&object).map(Box::new)).transpose()?;
        let reason = object.get("reason").and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(Labelling::Skipped { facts, reason })
    };
    Ok(LabelRow { path, id, file, model, views, answer })
}
