//! C-STORE: one object an association.

use std::time::Duration;

use dicom_net::{Destination, SendOutcome, SentObject};

use super::delivery::Delivery;

/// Time without an answer after which a destination counts as away.
pub const TIMEOUT: Duration = Duration::from_secs(30);

/// Sends an object.
pub fn send(destination: &Destination, object: &[u8]) -> Delivery {
    let mut outcomes = dicom_net::send(destination, &[SentObject::Bytes(object.to_vec())]);
    match outcomes.pop() {
        Some(SendOutcome::Stored { status }) => Delivery::Sent(format!("status {status:04X}")),
        Some(SendOutcome::TryLater { reason, .. }) => Delivery::Later(reason),
        Some(SendOutcome::Refused { reason, .. }) => Delivery::Refused(reason),
        None => Delivery::Later("it was not sent".to_owned()),
    }
}
