//! Labels of an archive without a database: the manifest that names its files, and the file of labels that comes of it.

mod format;
mod manifest;
mod parquet;
mod row;
mod unfinished;

pub use format::{LabelsFormat, read_labels};
pub use manifest::{ManifestEntry, read_manifest, write_manifest};
pub use row::{FileVersion, LabelRow};
pub use unfinished::{RowCounts, StartedLabels};
