//! `echolabel models import`: another framework's weight file becomes a model's own.

use std::path::Path;

use serde::Serialize;
use zoo::import::Imported;
use zoo::{Registry, ZooError};

use super::super::{Failure, Outcome};
use crate::output;

/// Arguments of an import.
pub struct Import<'a> {
    /// The model's name.
    pub name: &'a str,
    /// The weight file.
    pub file: &'a Path,
    /// The hexadecimal sha256 that it must have.
    pub sha256: Option<&'a str>,
    /// Print JSON.
    pub json: bool,
}

#[derive(Serialize)]
struct Line<'a> {
    model: &'a str,
    #[serde(flatten)]
    imported: &'a Imported,
}

/// Imports the file and says what was written; a file that is not right is a failed input.
pub fn run(registry: &Registry, import: &Import<'_>) -> Outcome {
    match registry.import(import.name, import.file, import.sha256) {
        Ok(imported) if import.json => output::json_line(&Line { model: import.name, imported: &imported }),
        Ok(imported) => say(import.name, &imported),
        Err(error @ (ZooError::UnknownName { .. } | ZooError::TakesNoFile { .. } | ZooError::Write { .. })) => {
            Err(error.into())
        }
        Err(error) => {
            output::note(format_args!("not imported, nothing was written: {:#}", anyhow::Error::new(error)));
            Err(Failure::SomeInputs)
        }
    }
}

/// For people: what came in, what was left out, where it is and how to go on.
fn say(name: &str, imported: &Imported) -> Outcome {
    output::line(format_args!(
        "{name}: {} tensors with {} numbers, from a file of {}",
        imported.tensors, imported.elements, imported.format
    ))?;
    if imported.left_out > 0 {
        output::line(format_args!("  left out    {} that are no weights (optimizer, counters)", imported.left_out))?;
    }
    output::line(format_args!("  written to  {}", imported.path.display()))?;
    output::line(format_args!("  sha256      {}", imported.sha256))?;
    output::line(format_args!("  next        echolabel models verify {name}; echolabel label --pipeline {name} FILE"))
}
