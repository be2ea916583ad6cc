//! The other end.

use std::time::Duration;

use domain::{AeTitle, DestinationTls};

/// A program that takes objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// The title that it is called by.
    pub called_ae_title: AeTitle,
    /// The title that we call ourselves.
    pub calling_ae_title: AeTitle,
    /// Time without an answer after which it counts as away.
    pub timeout: Duration,
    /// Encryption; none for plain DICOM.
    pub tls: Option<DestinationTls>,
}
