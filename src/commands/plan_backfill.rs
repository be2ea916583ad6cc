//! `echolabel plan-backfill`: forecasts how long labelling an archive takes.

use std::path::Path;

use anyhow::{Context as _, ensure};
use domain::StageTimings;
use serde::Deserialize;
use serde_json::Value;
use sizing::{Archive, Forecast, Installation, LoopTime, forecast};

use super::Outcome;
use crate::cli::PlanBackfillOptions;
use crate::output;

/// Simulates each size of archive and prints when it ends and what holds it up.
pub fn run(options: &PlanBackfillOptions) -> Outcome {
    let sample = read_times(&options.times).with_context(|| options.times.display().to_string())?;
    let installation = Installation {
        computers: options.computers,
        cores: options.cores,
        devices: options.devices,
        workers: options.workers.unwrap_or(2 * options.cores),
        line_mb_per_s: options.line_mbps,
        store_mb_per_s: options.store_mbps,
        labels_per_s: options.labels_per_second,
    };
    for &loops in &options.loops {
        let archive = Archive { loops, megabytes_per_loop: options.megabytes };
        let forecast = forecast(&sample, &installation, &archive).context("a number of the command line is 0")?;
        match options.json {
            true => output::json_line(&forecast)?,
            false => print(&forecast)?,
        }
    }
    Ok(())
}

fn print(forecast: &Forecast) -> Outcome {
    let rate = forecast.loops as f64 / forecast.seconds.max(f64::MIN_POSITIVE);
    let used: Vec<String> =
        forecast.resources.iter().map(|resource| format!("{} {:.0} %", resource.name, 100.0 * resource.busy)).collect();
    output::line(format_args!(
        "{:>11} loops  {:>9}  {rate:>8.1} loops/s  held up by {}  ({})",
        forecast.loops,
        duration(forecast.seconds),
        forecast.bottleneck,
        used.join(", ")
    ))
}

fn duration(seconds: f64) -> String {
    match seconds {
        seconds if seconds < 120.0 => format!("{seconds:.0} s"),
        seconds if seconds < 7_200.0 => format!("{:.0} min", seconds / 60.0),
        seconds if seconds < 172_800.0 => format!("{:.1} h", seconds / 3_600.0),
        seconds => format!("{:.1} days", seconds / 86_400.0),
    }
}

/// Reads times of `bench --json` (its short loop), or of the lines of `label --json`.
fn read_times(path: &Path) -> anyhow::Result<Vec<LoopTime>> {
    let text = std::fs::read_to_string(path)?;
    let values = serde_json::Deserializer::from_str(&text).into_iter::<Value>();
    let mut times = Vec::new();
    for value in values {
        let value = value?;
        let ms = value.pointer("/short/ms").or_else(|| value.get("ms"));
        let Some(ms) = ms else { continue };
        let ms = StageTimings::deserialize(ms)?;
        times.push(LoopTime { core_ms: ms.open + ms.ecg + ms.decode + ms.prepare, model_ms: ms.encode + ms.head });
    }
    ensure!(!times.is_empty(), "no times of stages: name the output of `bench --json` or `label --json`");
    Ok(times)
}
