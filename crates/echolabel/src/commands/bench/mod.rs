//! `echolabel bench`: where the time of a loop goes on this machine.

mod loading;

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};
use pipeline::{Pipeline, StageMs};
use serde::{Deserialize, Serialize};

use super::Outcome;
use crate::cli::{BenchOptions, Common};
use crate::{memory, output};

/// What was measured of one loop.
#[derive(Debug, Serialize, Deserialize)]
struct LoopFigures {
    /// Frames in the loop.
    frames: u32,
    /// Frames decoded, those for the ECG included.
    frames_decoded: u32,
    /// Distinct frames that the model saw.
    frames_used: usize,
    /// Median milliseconds of each stage over the rounds.
    ms: Stages,
    /// Peak resident memory of the process, in megabytes.
    peak_megabytes: Option<f64>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Stages {
    open: f64,
    ecg: f64,
    decode: f64,
    prepare: f64,
    encode: f64,
    head: f64,
    total: f64,
}

/// What is printed in the end.
#[derive(Debug, Serialize)]
struct Report {
    pipeline: String,
    rounds: u32,
    short: LoopFigures,
    long: LoopFigures,
    /// Long over short, without the model, whose share is the same by design.
    time_ratio_without_model: f64,
    /// Long over short.
    memory_ratio: Option<f64>,
}

/// Frames of the two simulated loops.
const SHORT: u32 = 30;
const LONG: u32 = 300;

/// Measures one loop, or a short and a long simulated one in processes of their own.
pub fn run(common: &Common, options: &BenchOptions) -> Outcome {
    if let Some(name) = &options.open {
        return loading::one(common, name);
    }
    if options.loading {
        return loading::all(common, options);
    }
    let settings = super::settings(common, daemon::Overrides::default())?;
    match &options.file {
        Some(file) => {
            let pipeline = super::open_pipeline(common, &settings)?;
            let figures = measure(&pipeline, file, options.rounds)?;
            if options.json { output::json_line(&figures) } else { print("loop", &figures) }
        }
        None => {
            let name = super::pipeline_source(&settings)?.read()?.name;
            compare(common, options, name)
        }
    }
}

fn measure(pipeline: &Pipeline, file: &Path, rounds: u32) -> anyhow::Result<LoopFigures> {
    let mut labels = Vec::new();
    for _ in 0..rounds {
        labels.push(pipeline.label(file).context("cannot label the loop")?);
    }
    let Some(last) = labels.last() else { bail!("no round was run") };
    let median = |stage: fn(&StageMs) -> f64| {
        let mut values: Vec<f64> = labels.iter().map(|label| stage(&label.ms)).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    Ok(LoopFigures {
        frames: last.header.frames,
        frames_decoded: last.frames_decoded,
        frames_used: last.frames_used,
        ms: Stages {
            open: median(|ms| ms.open),
            ecg: median(|ms| ms.ecg),
            decode: median(|ms| ms.decode),
            prepare: median(|ms| ms.prepare),
            encode: median(|ms| ms.encode),
            head: median(|ms| ms.head),
            total: median(|ms| ms.total),
        },
        peak_megabytes: memory::peak_megabytes(),
    })
}

fn compare(common: &Common, options: &BenchOptions, pipeline: String) -> Outcome {
    let folder = std::env::temp_dir().join(format!("echolabel-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let figures = both(common, options, &folder);
    std::fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    let (short, long) = figures?;
    let own = |figures: &LoopFigures| figures.ms.open + figures.ms.ecg + figures.ms.decode + figures.ms.prepare;
    let report = Report {
        pipeline,
        rounds: options.rounds,
        time_ratio_without_model: own(&long) / own(&short),
        memory_ratio: long.peak_megabytes.zip(short.peak_megabytes).map(|(long, short)| long / short),
        short,
        long,
    };
    if options.json {
        return output::json_pretty(&report);
    }
    output::line(format_args!("pipeline {}, medians of {} rounds, milliseconds", report.pipeline, report.rounds))?;
    print("short loop", &report.short)?;
    print("long loop", &report.long)?;
    let memory = report.memory_ratio.map_or_else(|| "unknown".to_owned(), |ratio| format!("{ratio:.2}"));
    output::line(format_args!(
        "long over short: time without the model {:.2}, peak memory {memory}",
        report.time_ratio_without_model
    ))
}

/// Simulates the two loops and measures each in a process of its own, since a peak of memory never falls.
fn both(common: &Common, options: &BenchOptions, folder: &Path) -> anyhow::Result<(LoopFigures, LoopFigures)> {
    let mut figures = Vec::new();
    for frames in [SHORT, LONG] {
        let file = folder.join(format!("{frames}.dcm"));
        // Beats come from the header, so that both loops have the same plan: two clips of six frames.
        let spec = phantom::LoopSpec {
            frames,
            carriers: phantom::EcgCarriers { r_wave_time_vector: true, ..Default::default() },
            anatomy: false,
            heart_rate_bpm: 180.0,
            first_r_s: 0.02,
            frame_time_ms: 33.3,
            ..phantom::LoopSpec::plain(phantom::View::Apical4, 1)
        };
        phantom::write_loop(&spec, &phantom::LoopIdentity::new(1, frames), &file)?;
        let mut child = Command::new(std::env::current_exe()?);
        child.args(["bench", "--json", "--rounds", &options.rounds.to_string(), "--file"]).arg(&file);
        child.arg("--models").arg(&common.models);
        for (flag, value) in [("--pipeline", &common.pipeline), ("--device", &common.device)] {
            if let Some(value) = value {
                child.args([flag, value]);
            }
        }
        if let Some(threads) = common.threads {
            child.args(["--threads", &threads.to_string()]);
        }
        let output = child.output().context("cannot start the measuring process")?;
        if !output.status.success() {
            bail!("the measuring process failed: {}", String::from_utf8_lossy(&output.stderr));
        }
        figures.push(serde_json::from_slice::<LoopFigures>(&output.stdout)?);
    }
    match <[LoopFigures; 2]>::try_from(figures) {
        Ok([short, long]) => Ok((short, long)),
        Err(_) => bail!("a measurement is missing"),
    }
}

fn print(name: &str, figures: &LoopFigures) -> Outcome {
    let ms = &figures.ms;
    output::line(format_args!(
        "{name:<10} {:>4} frames, {:>2} decoded: open {:.1}  ecg {:.1}  decode {:.1}  prepare {:.1}  encode {:.1}  \
         head {:.1}  total {:.1}  ({:.2} loops/s, {:.1} frames/s encoded, peak {:.0} MB)",
        figures.frames,
        figures.frames_decoded,
        ms.open,
        ms.ecg,
        ms.decode,
        ms.prepare,
        ms.encode,
        ms.head,
        ms.total,
        1000.0 / ms.total,
        1000.0 * figures.frames_used as f64 / ms.encode,
        figures.peak_megabytes.unwrap_or(f64::NAN),
    ))
}
