//! What opening a model costs: time, and memory at most.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, bail};
use nn::DeviceChoice;
use serde::{Deserialize, Serialize};
use zoo::Registry;

use super::super::Outcome;
use crate::cli::{BenchOptions, Common};
use crate::{memory, output, progress};

/// Memory that a process may need beside its weights, in megabytes, and how often the weights themselves.
const MEMORY_ASIDE_MEGABYTES: f64 = 100.0;
const MOST_TIMES_WEIGHTS: f64 = 1.3;

/// What opening one model cost.
#[derive(Debug, Serialize, Deserialize)]
struct Opening {
    model: String,
    /// Size of the weights as f32 numbers.
    weights_megabytes: f64,
    /// Median over the processes that opened it.
    open_ms: f64,
    /// The most of them.
    peak_megabytes: Option<f64>,
}

/// Opens the model `name` in this process and prints what it cost.
pub fn one(common: &Common, name: &str) -> Outcome {
    let registry = Registry::open(&common.models)?;
    let started = Instant::now();
    let model = registry.read_model(name, &DeviceChoice::Cpu.open()?)?;
    let open_ms = started.elapsed().as_secs_f64() * 1000.0;
    let peak_megabytes = memory::peak_megabytes();
    drop(model);
    // Counted only now: it reads the model once more.
    let elements: usize =
        zoo::Model::tensors(registry.card(name)?)?.iter().map(|tensor| tensor.shape.iter().product::<usize>()).sum();
    let weights_megabytes = elements as f64 * 4.0 / f64::from(1 << 20);
    output::json_line(&Opening { model: name.to_owned(), weights_megabytes, open_ms, peak_megabytes })
}

/// Opens every model of the registry in processes of their own, from files of untrained weights.
pub fn all(common: &Common, options: &BenchOptions) -> Outcome {
    let registry = Registry::open(&common.models)?;
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
    let mut openings = openings?;
    openings.sort_by(|a, b| a.open_ms.total_cmp(&b.open_ms));
    let peak_megabytes = openings.iter().filter_map(|opening| opening.peak_megabytes).max_by(f64::total_cmp);
    let middle = openings.len() / 2;
    match openings.into_iter().nth(middle) {
        Some(median) => Ok(Opening { peak_megabytes, ..median }),
        None => bail!("no round was run"),
    }
}

fn print(opening: &Opening) -> Outcome {
    let Opening { model, weights_megabytes, open_ms, peak_megabytes } = opening;
    let allowed = MOST_TIMES_WEIGHTS * weights_megabytes + MEMORY_ASIDE_MEGABYTES;
    let peak = peak_megabytes.unwrap_or(f64::NAN);
    let verdict = if peak <= allowed { "ok" } else { "TOO MUCH" };
    output::line(format_args!(
        "{model:<32} weights {weights_megabytes:>6.1} MB  open {open_ms:>7.1} ms  peak {peak:>6.1} MB of {allowed:>6.1} \
         allowed  {verdict}"
    ))
}
