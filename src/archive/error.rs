//! Errors of asking an archive.

/// Errors of asking an archive.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The archive cannot be reached, or the connection broke.
    #[error("{address}: {source}")]
    Connection {
        /// The address.
        address: String,
        /// The cause.
        source: Box<ureq::Error>,
    },
    /// The archive refused.
    #[error("{address} answers with HTTP {status}")]
    Status {
        /// The address.
        address: String,
        /// Status of HTTP.
        status: u16,
    },
    /// The answer is no DICOMweb.
    #[error("{address} answers with something else than DICOMweb: {problem}")]
    Answer {
        /// The address.
        address: String,
        /// Content that was expected or found.
        problem: String,
    },
    /// The object came only in part, or could not be written.
    #[error("{address}: {source}")]
    Transfer {
        /// The address.
        address: String,
        /// The cause.
        source: std::io::Error,
    },
}
