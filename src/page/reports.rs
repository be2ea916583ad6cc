//! Reports of studies for the page.

use daemon::Settings;
use domain::StudyUid;
use jiff::tz::TimeZone;
use web::Reports;

use crate::database::Database;
use crate::reporting::ReportSource;

/// Writes reports as `export --format dicom` does.
pub struct StudyReports {
    database: Database,
    time_zone: TimeZone,
}

impl StudyReports {
    /// Returns reports from a database, with the time zone of the settings.
    pub fn new(database: Database, settings: &Settings) -> Self {
        Self { database, time_zone: settings.labelling.time_zone.clone() }
    }
}

impl Reports for StudyReports {
    fn structured_report(&self, study: &StudyUid) -> Result<Vec<u8>, String> {
        let words = |error: &dyn std::fmt::Display| error.to_string();
        let store = self.database.open_read_only().map_err(|error| words(&error))?;
        let source = ReportSource { store: &store, time_zone: &self.time_zone };
        let documents = source.next_revision(study).and_then(|revision| revision.documents());
        documents.map(|documents| documents.report).map_err(|error| words(&error))
    }
}
