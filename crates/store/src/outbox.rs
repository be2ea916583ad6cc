//! Reports of studies, and what waits to be sent to other systems.

use std::fmt;

use domain::{SeriesUid, Sha256, SopUid, StudyUid, named_enum};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::StoreError;

/// A study whose report is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueReport {
    /// Study Instance UID.
    pub study_instance_uid: StudyUid,
    /// Time from which it is due.
    pub since: Timestamp,
}

/// A version of a study's report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredReport {
    /// Number, from 1.
    pub revision: u32,
    /// Digest of what it says.
    pub content_sha256: Sha256,
    /// Time of its newest label.
    pub content_time: Timestamp,
    /// SOP Instance UID of the structured report.
    pub report_uid: SopUid,
    /// Its series.
    pub report_series_uid: SeriesUid,
    /// SOP Instance UID of the key objects.
    pub key_objects_uid: SopUid,
    /// Its series.
    pub key_objects_series_uid: SeriesUid,
}

named_enum! {
    /// Kind of what is sent.
    OutboxKind {
        /// A structured report.
        Report = "report",
        /// Key objects.
        KeyObjects = "key_objects",
        /// A message to people.
        Message = "message",
    }
}

named_enum! {
    /// State of what is sent.
    OutboxState {
        /// It waits for its turn or its next try.
        Pending = "pending",
        /// The configuration does not let it out.
        Held = "held",
        /// The destination has it.
        Sent = "sent",
        /// The destination refused it for good.
        Failed = "failed",
    }
}

/// Something to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOutboxItem {
    /// Name of the destination in the configuration.
    pub destination: String,
    /// Kind.
    pub kind: OutboxKind,
    /// UID that the destination knows it by.
    pub object_uid: String,
    /// Bytes to send.
    pub payload: Vec<u8>,
    /// Reason why it is held; `None` to send it.
    pub held: Option<String>,
}

/// Something that is sent now.
#[derive(Clone, PartialEq, Eq)]
pub struct OutboxItem {
    /// Key.
    pub outbox_id: i64,
    /// Name of the destination in the configuration.
    pub destination: String,
    /// Kind.
    pub kind: OutboxKind,
    /// UID that the destination knows it by.
    pub object_uid: String,
    /// Bytes to send; they may name a patient.
    pub payload: Vec<u8>,
    /// Tries before this one.
    pub attempts: u32,
}

/// A row of the outbox without its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OutboxRow {
    /// Key.
    pub outbox_id: i64,
    /// Name of the destination in the configuration.
    pub destination: String,
    /// Kind.
    pub kind: OutboxKind,
    /// State.
    pub state: OutboxState,
    /// Study that it is about, if it is about one.
    pub study_instance_uid: Option<StudyUid>,
    /// UID that the destination knows it by.
    pub object_uid: String,
    /// Tries so far.
    pub attempts: u32,
    /// Earliest time of the next try.
    pub not_before: Option<Timestamp>,
    /// Words of the destination, or the reason why it is held.
    pub status: Option<String>,
    /// Time of queueing.
    pub queued_at: Timestamp,
    /// Time at which it was sent or refused.
    pub finished_at: Option<Timestamp>,
}

/// Durable reports and messages: what is queued is sent once, or its failure is seen.
pub trait Outbox: Send + Sync {
    /// Returns the studies whose report is to be made, the one that has waited longest first.
    fn due_reports(&self) -> Result<Vec<DueReport>, StoreError>;

    /// Returns the newest version of a study's report.
    fn newest_report(&self, study: &StudyUid) -> Result<Option<StoredReport>, StoreError>;

    /// Returns the version of a study's report before that of a number.
    fn report_before(&self, study: &StudyUid, revision: u32) -> Result<Option<StoredReport>, StoreError>;

    /// Records that a due report was looked at: with `report` it has a new version, and `items` are queued, in one
    /// transaction. Returns false, and changes nothing, where the study got a file or label since, which makes it due again.
    fn settle_due(
        &self,
        due: &DueReport,
        report: Option<&StoredReport>,
        items: &[NewOutboxItem],
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Queues messages; one whose destination and UID are known is left out. Returns how many are new.
    fn queue_messages(
        &self,
        study: Option<&StudyUid>,
        items: &[NewOutboxItem],
        now: Timestamp,
    ) -> Result<usize, StoreError>;

    /// Returns the time at which the newest file was taken.
    fn newest_arrival(&self) -> Result<Option<Timestamp>, StoreError>;

    /// Returns what is to be sent next to one of the destinations, oldest first. A wait beyond `now + longest` was
    /// written while the clock was wrong and counts as over.
    fn next_to_send(
        &self,
        destinations: &[String],
        longest: SignedDuration,
        now: Timestamp,
    ) -> Result<Option<OutboxItem>, StoreError>;

    /// Records that it has arrived, and forgets its bytes.
    fn sent(&self, outbox_id: i64, status: &str, now: Timestamp) -> Result<(), StoreError>;

    /// Records a try that failed; without a time of the next one it is refused for good.
    fn not_sent(
        &self,
        outbox_id: i64,
        status: &str,
        next_try: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Lets out what was held. Returns how many.
    fn release_held(&self) -> Result<usize, StoreError>;

    /// Lets what failed, and what waits for its next try, be sent at once. Returns the keys.
    fn retry_outbox(&self) -> Result<Vec<i64>, StoreError>;

    /// Returns the rows of the outbox, oldest first.
    fn outbox(&self) -> Result<Vec<OutboxRow>, StoreError>;
}

impl fmt::Debug for OutboxItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutboxItem")
            .field("outbox_id", &self.outbox_id)
            .field("destination", &self.destination)
            .field("object_uid", &self.object_uid)
            .finish_non_exhaustive()
    }
}
