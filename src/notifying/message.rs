//! A message to people. It carries no patient data.

use daemon::NotifyEvent;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Identifies what it tells: the same is told once.
    #[serde(skip)]
    pub key: String,
    /// The event.
    pub event: NotifyEvent,
    /// One sentence for people.
    pub text: String,
    /// Time of the event.
    pub at: Timestamp,
    /// Number of the study in the database.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub study_number: Option<i64>,
    /// Study Instance UID, where the configuration wants it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub study_instance_uid: Option<String>,
    /// Accession number, where the configuration wants it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accession_number: Option<String>,
}

impl Message {
    /// Returns a message that is about no study.
    pub fn new(event: NotifyEvent, key: String, text: String, at: Timestamp) -> Self {
        Self { key, event, text, at, study_number: None, study_instance_uid: None, accession_number: None }
    }

    /// Returns the message as it is stored and sent.
    pub fn json(&self) -> String {
        serde_json::json!(self).to_string()
    }
}
