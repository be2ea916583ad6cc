//! UIDs of the documents.

use domain::{SeriesUid, SopUid};

/// UIDs of one version of a study's two documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentUids {
    /// Structured report.
    pub report: SopUid,
    /// Its series.
    pub report_series: SeriesUid,
    /// Key objects.
    pub key_objects: SopUid,
    /// Its series.
    pub key_objects_series: SeriesUid,
}
