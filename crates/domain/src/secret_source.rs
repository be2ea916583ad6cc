//! Places of secrets.

use std::path::PathBuf;

/// The place of a secret, which is never part of the configuration itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// The first line of a file.
    File(PathBuf),
    /// An environment variable.
    Environment(String),
}
