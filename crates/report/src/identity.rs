//! UIDs as functions of what they identify.

use domain::{SeriesUid, SopUid};
use jiff::civil::DateTime;
use sha2::{Digest, Sha256};

use crate::{DocumentUids, ReportError, Revision, StudyReport};

/// Kind of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The structured report.
    Report,
    /// The key objects.
    KeyObjects,
}

impl Kind {
    const fn label(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::KeyObjects => "key objects",
        }
    }
}

impl StudyReport {
    /// Returns the UIDs of this version's documents: functions of study, models and revision. Series do not change with
    /// the revision.
    pub fn uids(&self) -> DocumentUids {
        let sop = |kind: Kind| {
            let number = self.revision.number.to_string();
            SopUid::from_uuid(self.uuid(&[kind.label(), "object", &number]))
        };
        let series = |kind: Kind| SeriesUid::from_uuid(self.uuid(&[kind.label(), "series"]));
        DocumentUids {
            report: sop(Kind::Report),
            report_series: series(Kind::Report),
            key_objects: sop(Kind::KeyObjects),
            key_objects_series: series(Kind::KeyObjects),
        }
    }

    /// Returns the digest of what the documents say, which does not change with number, time and version of the program: a
    /// report of the same digest is not worth a revision.
    ///
    /// # Errors
    /// As for [`Self::structured_report`] and [`Self::key_objects`].
    pub fn content_digest(&self) -> Result<domain::Sha256, ReportError> {
        let revision = Revision { number: 0, time: DateTime::ZERO, predecessor: None };
        let bare = Self { revision, software_version: String::new(), ..self.clone() };
        let mut hasher = Sha256::new_with_prefix(bare.structured_report()?);
        hasher.update(bare.key_objects()?.unwrap_or_default());
        Ok(domain::Sha256::from(<[u8; 32]>::from(hasher.finalize())))
    }

    /// Returns the UID that stands for the observed loop in every revision.
    pub(crate) fn tracking_uid(&self, loop_uid: &SopUid) -> String {
        uid_text(uuid(&["tracking", self.study.as_str(), loop_uid.as_str()]))
    }

    /// Returns the UID of the device that a model is: another model is another device.
    pub(crate) fn device_uid(&self, model_digest: &str) -> String {
        uid_text(uuid(&["device", model_digest]))
    }

    /// Returns the digests of all models as one text.
    pub(crate) fn model_digests(&self) -> String {
        self.algorithms.iter().map(|algorithm| algorithm.digests.as_str()).collect::<Vec<_>>().join(" ")
    }

    fn uuid(&self, parts: &[&str]) -> u128 {
        let models = self.model_digests();
        let own = [self.study.as_str(), &models];
        uuid(&[parts, &own].concat())
    }
}

fn uid_text(uuid: u128) -> String {
    format!("2.25.{uuid}")
}

/// Returns a version 8 UUID with the first bits of the SHA-256 of the parts.
fn uuid(parts: &[&str]) -> u128 {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.as_bytes());
        // Separates the parts: no part has a line feed.
        hasher.update(b"\n");
    }
    let mut uuid = [0; 16];
    for (byte, hashed) in uuid.iter_mut().zip(hasher.finalize()) {
        *byte = hashed;
    }
    uuid[6] = (uuid[6] & 0x0F) | 0x80;
    uuid[8] = (uuid[8] & 0x3F) | 0x80;
    u128::from_be_bytes(uuid)
}
