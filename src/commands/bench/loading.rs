//! `echolabel bench --loading`: the time and memory that opening each model takes.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};
use bench::Opening;
use zoo::Registry;

use super::super::Outcome;
use crate::cli::{BenchOptions, Common};
use crate::{output, progress};

/// Opens the model `name` in this process and prints the cost.
pub fn one(common: &Common, name: &str) -> Outcome {
    output::json_line(&Opening::measure(&super::super::open_registry(common)?, name)?)
}

/// Opens every model of the registry in processes of their own, from files of untrained weights.
pub fn all(common: &Common, options: &BenchOptions) -> Outcome {
    let registry = super::super::open_registry(common)?;
    let folder = std::env::temp_dir().join(format!("echolabel-loading-{}", std::process::id()));
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let names: Vec<String> = registry.models().iter().map(|card| card.name.clone()).collect();
    let bar = progress::bar(names.len() as u64, "opening");
    let openings: anyhow::Result<Vec<Opening>> = names
        .iter()
        .map(|name| {
            let opening = in_processes(name, &folder, options.rounds);
            bar.inc(1);
            opening
        })
        .collect();
    bar.finish_and_clear();
    std::fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    let openings = openings?;
    match &options.json {
        Some(to) => super::write_json(to, &openings),
        None => openings.iter().try_for_each(print),
    }
}

fn in_processes(name: &str, folder: &Path, rounds: u32) -> anyhow::Result<Opening> {
    let registry = Registry::open(folder)?;
    let file = registry.write_untrained(name)?;
    let openings: anyhow::Result<Vec<Opening>> = (0..rounds)
        .map(|_| {
            let mut child = Command::new(std::env::current_exe()?);
            let output = child.args(["bench", "--open", name, "--models"]).arg(folder).output()?;
            if !output.status.success() {
                bail!("opening {name} failed: {}", String::from_utf8_lossy(&output.stderr));
            }
            Ok(serde_json::from_slice(&output.stdout)?)
        })
        .collect();
    if let Some(file) = file {
        std::fs::remove_file(&file).with_context(|| format!("cannot remove {}", file.display()))?;
    }
    Opening::joined(&openings?).context("no round was run")
}

fn print(opening: &Opening) -> Outcome {
    let peak = opening.peak_megabytes.unwrap_or(f64::NAN);
    let verdict = if opening.is_within_allowed() { "ok" } else { "TOO MUCH" };
    output::line(format_args!(
        "{:<32} weights {:>6.1} MB  open {:>7.1} ms  peak {peak:>6.1} MB of {:>6.1} allowed  {verdict}",
        opening.model,
        opening.weights_megabytes,
        opening.open_ms,
        opening.allowed_megabytes(),
    ))
}
