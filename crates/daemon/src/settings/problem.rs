//! A problem of settings that parse.

use std::fmt;

/// Something a person should change before the daemon is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The key, e.g. `inbox.folders`.
    pub key: &'static str,
    /// Problem of its value.
    pub message: String,
    /// The daemon would not start, or would lose its purpose.
    pub fatal: bool,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.message)
    }
}
