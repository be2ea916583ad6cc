//! `echolabel models import`: another framework's weight file becomes a model's own.

use std::path::Path;

use serde::Serialize;
use zoo::Registry;
use zoo::import::Imported;

use super::super::Outcome;
use crate::output;

#[derive(Serialize)]
struct Line<'a> {
    model: &'a str,
    #[serde(flatten)]
    imported: &'a Imported,
}

/// Imports `file` as the weights of `name` and says what was written.
pub fn run(registry: &Registry, name: &str, file: &Path, json: bool) -> Outcome {
    let imported = registry.import(name, file)?;
    if json {
        return output::json_line(&Line { model: name, imported: &imported });
    }
    say(name, &imported)
}

/// For people: what came in, what was left out, where it is and how to go on.
pub fn say(name: &str, imported: &Imported) -> Outcome {
    output::line(format_args!(
        "{name}: {} tensors with {} numbers, from a file of {}",
        imported.tensors, imported.elements, imported.format
    ))?;
    if imported.left_out > 0 {
        output::line(format_args!("  left out    {} that inference does not need (optimizer, counters)", imported.left_out))?;
    }
    output::line(format_args!("  written to  {}", imported.path.display()))?;
    output::line(format_args!("  sha256      {}", imported.sha256))?;
    output::line(format_args!("  next        echolabel models verify {name}; echolabel label --pipeline {name} FILE"))
}
