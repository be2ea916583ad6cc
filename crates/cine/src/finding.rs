//! What was odd about a loop and did not stop it from being read.

use serde::Serialize;

/// Something worth a person's attention that did not prevent the reading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Stable name, lower case with underscores, e.g. `timing_disagrees_with_r_waves`.
    pub code: &'static str,
    /// One sentence for people, without patient data and without paths.
    pub message: String,
}

impl Finding {
    /// A finding named `code` that says `message`.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}
