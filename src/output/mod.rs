//! Writing results to stdout and messages to stderr. Every text that is printed passes [`printable`].

pub mod frame_array;
mod printable;

use std::fmt::Display;
use std::io::{self, Write};

use serde::Serialize;

use crate::commands::Failure;

pub use printable::{error_text, path, printable};

/// Writes a result to stdout, where the reader may go away at any time.
pub fn line(text: impl Display) -> Result<(), Failure> {
    let text = printable(&text.to_string());
    writeln!(io::stdout().lock(), "{text}").map_err(gone)
}

/// Writes a message for people to stderr.
pub fn note(text: impl Display) {
    let text = printable(&text.to_string());
    // Nobody can be told that stderr is closed.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Writes one JSON object on one line.
pub fn json_line(value: &impl Serialize) -> Result<(), Failure> {
    json(serde_json::to_string(value))
}

/// Writes one JSON object over several lines.
pub fn json_pretty(value: &impl Serialize) -> Result<(), Failure> {
    json(serde_json::to_string_pretty(value))
}

fn json(text: serde_json::Result<String>) -> Result<(), Failure> {
    let text = text.map_err(|error| Failure::Error(error.into()))?;
    writeln!(io::stdout().lock(), "{}", printable::json(&text)).map_err(gone)
}

fn gone(error: io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::ReaderGone,
        _ => Failure::Error(anyhow::Error::new(error).context("cannot write results")),
    }
}
