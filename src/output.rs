//! Writing results to stdout, where the reader may go away at any time.

use std::io::{self, Write};

use serde::Serialize;

use crate::commands::Failure;

/// Writes one line of text.
pub fn line(text: impl std::fmt::Display) -> Result<(), Failure> {
    writeln!(io::stdout().lock(), "{text}").map_err(gone)
}

/// Writes one JSON object on one line.
pub fn json_line(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string(value).map_err(|error| Failure::Setup(error.into()))?;
    line(text)
}

/// Writes one JSON object over several lines.
pub fn json_pretty(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Failure::Setup(error.into()))?;
    line(text)
}

fn gone(error: io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::ReaderGone,
        _ => Failure::Setup(anyhow::Error::new(error).context("cannot write results")),
    }
}
