//! Storage Commitment Push Model (PS3.4 annex J): a sender asks whether objects are safe here, and is told by an event
//! report, on the same association or on a new one.

mod data_set;
mod pending;
mod reporter;

use domain::SopUid;

use crate::command::{Command, HAS_DATA_SET, element, field};
use crate::host::Host;
use crate::object_folder::ObjectFolder;

pub(crate) use data_set::{Encoding, Request};
pub(crate) use pending::{Pending, PendingRequests, forget};
pub(crate) use reporter::Reporter;

/// The SOP class.
pub(crate) const SOP_CLASS: &str = "1.2.840.10008.1.20.1";

/// The instance of it that every request is about.
pub(crate) const SOP_INSTANCE: &str = "1.2.840.10008.1.20.1.1";

/// The action of asking for commitment.
pub(crate) const REQUEST_ACTION: u16 = 1;

/// The event of a report in which all objects are safe.
const ALL_SAFE: u16 = 1;

/// The event of a report with failures.
const SOME_FAILED: u16 = 2;

/// Bytes of a request's or report's data set, at most: tens of thousands of objects.
pub(crate) const MAX_DATA_SET: usize = 8 << 20;

/// An answer to a request, as it is now.
#[derive(Debug)]
pub(crate) struct Report {
    pub event_type: u16,
    pub data_set: Vec<u8>,
}

impl Report {
    /// Returns the command set that goes before the data set.
    pub fn command(&self, message_id: u16) -> Command {
        Command::new(field::N_EVENT_REPORT_RQ, HAS_DATA_SET)
            .with_uid(element::AFFECTED_SOP_CLASS, SOP_CLASS)
            .with_uid(element::AFFECTED_SOP_INSTANCE, SOP_INSTANCE)
            .with_number(element::MESSAGE_ID, message_id)
            .with_number(element::EVENT_TYPE, self.event_type)
    }

    /// Looks for each object on the disk, below the folder of objects or where the program knows it to be.
    pub fn new(request: &Request, folder: &ObjectFolder, host: &dyn Host, encoding: Encoding) -> Self {
        let uids: Vec<Option<SopUid>> = request.instances.iter().map(|instance| instance.sop.parse().ok()).collect();
        let stored = folder.held(&uids.iter().flatten().collect::<Vec<_>>());
        let is_safe = |uid: &Option<SopUid>| uid.as_ref().is_some_and(|uid| stored.contains(uid) || host.holds(uid));
        let safe: Vec<bool> = uids.iter().map(is_safe).collect();
        let event_type = if safe.iter().all(|safe| *safe) { ALL_SAFE } else { SOME_FAILED };
        Self { event_type, data_set: request.report(&safe, encoding) }
    }
}
