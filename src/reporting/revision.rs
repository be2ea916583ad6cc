//! The version of a report that a study has now.

use domain::{Sha256, StudyUid};
use report::{DocumentUids, Revision};
use store::{Outbox as _, StoredReport};

use super::prepare::{PreparedReport, ReportFailure, ReportSource};

/// A study's report with its number: that of the stored version which says the same, else the next.
pub struct ReportRevision {
    /// The report.
    pub prepared: PreparedReport,
    /// Digest of what it says.
    pub content_sha256: Sha256,
    /// True if the database has this version.
    pub is_known: bool,
}

/// The two documents as DICOM files.
pub struct Documents {
    /// Structured report.
    pub report: Vec<u8>,
    /// Key objects; `None` where no view was found.
    pub key_objects: Option<Vec<u8>>,
}

impl ReportSource<'_> {
    /// Returns the report of a study as it stands, with its number and predecessor.
    ///
    /// # Errors
    /// [`ReportFailure`].
    pub fn next_revision(&self, study: &StudyUid) -> Result<ReportRevision, ReportFailure> {
        let mut prepared = self.prepare(study)?;
        let content_sha256 = prepared.report.content_digest()?;
        let newest = self.store.newest_report(study)?;
        let is_known = newest.as_ref().is_some_and(|newest| newest.content_sha256 == content_sha256);
        let number = newest.as_ref().map_or(1, |newest| newest.revision + u32::from(!is_known));
        let predecessor = match is_known {
            // The stored version follows the one before it.
            true => self.store.report_before(study, number)?,
            false => newest,
        };
        prepared.report.revision =
            Revision { number, predecessor: predecessor.map(document_uids), ..prepared.report.revision };
        Ok(ReportRevision { prepared, content_sha256, is_known })
    }
}

impl ReportRevision {
    /// Returns the documents.
    ///
    /// # Errors
    /// They cannot be encoded.
    pub fn documents(&self) -> Result<Documents, ReportFailure> {
        let report = &self.prepared.report;
        Ok(Documents { report: report.structured_report()?, key_objects: report.key_objects()? })
    }

    /// Returns the row of this version in the database.
    pub fn row(&self) -> StoredReport {
        let uids = self.prepared.report.uids();
        StoredReport {
            revision: self.prepared.report.revision.number,
            content_sha256: self.content_sha256,
            content_time: self.prepared.content_time,
            report_uid: uids.report,
            report_series_uid: uids.report_series,
            key_objects_uid: uids.key_objects,
            key_objects_series_uid: uids.key_objects_series,
        }
    }
}

fn document_uids(stored: StoredReport) -> DocumentUids {
    DocumentUids {
        report: stored.report_uid,
        report_series: stored.report_series_uid,
        key_objects: stored.key_objects_uid,
        key_objects_series: stored.key_objects_series_uid,
    }
}
