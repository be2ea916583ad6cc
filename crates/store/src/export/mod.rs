//! Exports for machines: one file of this folder per format.

pub mod columns;
mod csv;
mod json;
mod parquet;

pub use csv::table as csv_table;

use std::path::{Path, PathBuf};

use domain::StudyUid;
use files::Access;
use jiff::Timestamp;

use crate::{LabelStore, StoreError, Study, present_file};

/// A format for machines.
#[derive(Debug, Clone, Copy)]
pub struct ExportFormat {
    /// Name on the command line.
    pub name: &'static str,
    /// Files that it writes, for people.
    pub about: &'static str,
    write: WriteStudies,
}

/// Writes studies into a folder and returns the files.
type WriteStudies = fn(&dyn LabelStore, &[Study], &Path, &ExportOptions) -> Result<Vec<PathBuf>, StoreError>;

/// Every format.
pub const FORMATS: &[ExportFormat] = &[csv::FORMAT, json::FORMAT, parquet::FORMAT];

impl ExportFormat {
    /// Returns the format of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        FORMATS.iter().copied().find(|format| format.name == name)
    }
}

/// Extent of an export. The default is everything that names no patient.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExportOptions {
    /// Only this study; else all.
    pub study_instance_uid: Option<StudyUid>,
    /// Only studies that got a file or label at this time or later.
    pub since: Option<Timestamp>,
    /// Add the path each loop was read from. A path may hold a patient's name.
    pub include_paths: bool,
}

/// Writes the studies into `folder` (made if need be) and returns the files. Each is written whole or not at all.
///
/// # Errors
/// [`StoreError::Export`] with the file that could not be written; [`StoreError::UnknownStudy`].
pub fn export(
    labels: &dyn LabelStore,
    format: ExportFormat,
    folder: &Path,
    options: &ExportOptions,
) -> Result<Vec<PathBuf>, StoreError> {
    std::fs::create_dir_all(folder).map_err(|source| StoreError::Export { path: folder.to_owned(), source })?;
    let mut studies = labels.studies()?;
    if let Some(wanted) = &options.study_instance_uid {
        studies.retain(|study| study.study_instance_uid == *wanted);
        if studies.is_empty() {
            return Err(StoreError::UnknownStudy(wanted.clone()));
        }
    }
    studies.retain(|study| options.since.is_none_or(|since| study.last_activity >= since));
    (format.write)(labels, &studies, folder, options)
}

/// Exports may name patients by the paths in them.
fn write_file(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    files::write(path, bytes, Access::Group).map_err(|source| StoreError::Export { path: path.to_owned(), source })
}

/// Returns the path where a loop is now, as text.
fn current_path(files: Option<&Vec<PathBuf>>) -> Option<String> {
    files.and_then(|files| present_file(files)).map(|path| path.display().to_string())
}
