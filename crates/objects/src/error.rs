//! Errors of object stores.

use std::io;

use object_store::Error;

/// An object cannot be used. No message holds a key or a credential.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// The address is none of an object.
    #[error("{problem}: an address is s3://bucket/key or file:///folder/key")]
    InvalidUrl {
        /// The problem.
        problem: &'static str,
    },
    /// The settings of the environment do not make a client.
    #[error("the store cannot be used: {problem}")]
    Configuration {
        /// The problem.
        problem: String,
    },
    /// There is no such object or bucket.
    #[error("there is no such object")]
    Missing,
    /// The credentials do not allow it.
    #[error("the store refuses: {problem}")]
    Denied {
        /// The answer of the store.
        problem: String,
    },
    /// Another object has the name since it was opened.
    #[error("another object has this name now")]
    Replaced,
    /// The store cannot be reached, or answers with an error.
    #[error("the store does not answer as it should: {problem}")]
    Unavailable {
        /// The cause.
        problem: String,
    },
}

impl ObjectError {
    /// Returns true where the same call may succeed later.
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Replaced)
    }
}

impl From<Error> for ObjectError {
    fn from(error: Error) -> Self {
        match &error {
            Error::NotFound { .. } => Self::Missing,
            Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => Self::Denied { problem: cause(&error) },
            Error::Precondition { .. } => Self::Replaced,
            Error::InvalidPath { .. } => Self::InvalidUrl { problem: "the key is none" },
            Error::UnknownConfigurationKey { .. } => Self::Configuration { problem: cause(&error) },
            // A list that is refused comes without a kind of its own.
            _ => match cause(&error) {
                problem if problem.contains("403 ") || problem.contains("401 ") => Self::Denied { problem },
                problem if problem.contains("404 ") => Self::Missing,
                problem => Self::Unavailable { problem },
            },
        }
    }
}

impl From<ObjectError> for io::Error {
    fn from(error: ObjectError) -> Self {
        let kind = match &error {
            ObjectError::InvalidUrl { .. } | ObjectError::Configuration { .. } => io::ErrorKind::InvalidInput,
            ObjectError::Missing => io::ErrorKind::NotFound,
            ObjectError::Denied { .. } => io::ErrorKind::PermissionDenied,
            ObjectError::Replaced => io::ErrorKind::StaleNetworkFileHandle,
            ObjectError::Unavailable { .. } => io::ErrorKind::HostUnreachable,
        };
        Self::new(kind, error)
    }
}

/// Returns the innermost cause without what follows a mark: outer ones name the address, and bodies the key.
pub(crate) fn cause(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let text = innermost.to_string();
    let start = text.split(['<', '(']).next().unwrap_or_default();
    start.trim().trim_end_matches(':').chars().take(120).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_list_stays_and_a_busy_store_passes_and_no_body_is_told() {
        let of = |status: &str| {
            let text = format!("Server returned non-2xx status code: {status}: <Key>MEIER^HANS</Key>");
            ObjectError::from(Error::Generic { store: "S3", source: text.into() })
        };
        assert!(!of("403 Forbidden").is_temporary() && !of("404 Not Found").is_temporary());
        assert!(of("503 Service Unavailable").is_temporary());
        assert_eq!(
            of("403 Forbidden").to_string(),
            "the store refuses: Server returned non-2xx status code: 403 Forbidden"
        );
        assert_eq!(io::Error::from(of("503 Slow Down")).kind(), io::ErrorKind::HostUnreachable);
    }
}
