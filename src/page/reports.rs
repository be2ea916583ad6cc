//! Reports of studies for the page.

use daemon::Settings;
use domain::StudyUid;
use store::SqliteStore;
use web::Reports;

use crate::reporting::ReportSource;

/// Writes reports as `export --format dicom` does.
pub struct StudyReports {
    settings: Settings,
}

impl StudyReports {
    /// Returns reports from the database of the settings.
    pub fn new(settings: &Settings) -> Self {
        Self { settings: settings.clone() }
    }
}

impl Reports for StudyReports {
    fn structured_report(&self, study: &StudyUid) -> Result<Vec<u8>, String> {
        let words = |error: &dyn std::fmt::Display| error.to_string();
        let store = SqliteStore::open_read_only(&self.settings.database).map_err(|error| words(&error))?;
        let source = ReportSource { store: &store, time_zone: &self.settings.labelling.time_zone };
        let documents = source.next_revision(study).and_then(|revision| revision.documents());
        documents.map(|documents| documents.report).map_err(|error| words(&error))
    }
}
