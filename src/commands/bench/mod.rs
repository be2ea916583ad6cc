//! `echolabel bench`: where the time of a loop goes on this machine.

mod floor;
mod loading;
mod loops;
mod peers;

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, bail};
use domain::StageTimings;
use pipeline::Pipeline;
use serde::{Deserialize, Serialize};

use super::Outcome;
use crate::cli::{BenchOptions, Common};
use crate::{memory, output};
use floor::{Floor, LoopCost, Machine, ModelCost};

/// What was measured of one loop.
#[derive(Debug, Serialize, Deserialize)]
struct LoopFigures {
    /// Frames in the loop.
    frames: u32,
    /// Frames decoded, those for the ECG included.
    frames_decoded: u32,
    /// Distinct frames that the model saw.
    frames_used: usize,
    /// Bytes of one decoded frame.
    frame_bytes: u64,
    /// Median milliseconds of each stage over the rounds.
    ms: Stages,
    /// Loops a second when several are labelled at once, as the daemon does; none for a single file.
    loops_per_second: f64,
    /// Frames that the model sees a second then.
    frames_per_second: f64,
    /// Reading weights and packing them, in milliseconds.
    opening_ms: f64,
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
    /// What the stages of the short loop cannot be faster than.
    floor: Floor,
    machine: Machine,
    model: ModelCost,
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
    if let Some(folder) = &options.write_loops {
        return loops::write(folder, options.loops);
    }
    if options.peers {
        // The peers' programs print there what they measure.
        if options.json.as_deref().is_some_and(is_stdout) {
            return Err(anyhow::anyhow!("with --peers, --json needs a file to write to: --json metrics.json").into());
        }
        return peers::run(&options.part, options.rounds, options.json.as_deref());
    }
    if options.loading {
        return loading::all(common, options);
    }
    let settings = super::settings(common, daemon::Overrides::default())?;
    match &options.file {
        Some(file) => {
            let started = Instant::now();
            let pipeline = super::open_pipeline(common, &settings)?;
            let opening_ms = started.elapsed().as_secs_f64() * 1000.0;
            let figures = measure(&pipeline, file, (options.rounds, settings.labelling.workers), opening_ms)?;
            match &options.json {
                Some(to) => write_json(to, &figures),
                None => print("loop", &figures),
            }
        }
        None => {
            let (file, card) = Pipeline::check(&super::pipeline_source(common, &settings)?, &common.models)?;
            compare(common, options, file.name, &card)
        }
    }
}

fn measure(
    pipeline: &Pipeline,
    file: &Path,
    (rounds, workers): (u32, usize),
    opening_ms: f64,
) -> anyhow::Result<LoopFigures> {
    let mut labels = Vec::new();
    for _ in 0..rounds {
        labels.push(pipeline.label(file).context("cannot label the loop")?);
    }
    let Some(last) = labels.last() else { bail!("no round was run") };
    let median = |stage: fn(&StageTimings) -> f64| {
        let mut values: Vec<f64> = labels.iter().map(|label| stage(&label.ms)).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let loops_per_second = together(pipeline, file, (rounds, workers))?;
    Ok(LoopFigures {
        frame_bytes: u64::from(last.header.rows) * u64::from(last.header.columns) * 3,
        loops_per_second,
        frames_per_second: loops_per_second * last.frames_used as f64,
        opening_ms,
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

/// Loops a second when each of `workers` threads labels the loop `rounds` times, one loop's frames decoded while others are
/// encoded.
fn together(pipeline: &Pipeline, file: &Path, (rounds, workers): (u32, usize)) -> anyhow::Result<f64> {
    let label_all = || (0..rounds).try_for_each(|_| pipeline.label(file).map(drop));
    let started = Instant::now();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(label_all)).collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })?;
    Ok(workers as f64 * f64::from(rounds) / started.elapsed().as_secs_f64())
}

fn compare(common: &Common, options: &BenchOptions, pipeline: String, card: &zoo::ModelCard) -> Outcome {
    let folder = std::env::temp_dir().join(format!("echolabel-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let figures = both(common, options, &folder);
    std::fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    let (short, long) = figures?;
    let (machine, model) = (Machine::measure(), ModelCost::count(card)?);
    let cost = LoopCost {
        frames_decoded: short.frames_decoded,
        frame_bytes: short.frame_bytes,
        frames_used: short.frames_used as u64,
    };
    let own = |figures: &LoopFigures| figures.ms.open + figures.ms.ecg + figures.ms.decode + figures.ms.prepare;
    let report = Report {
        pipeline,
        rounds: options.rounds,
        floor: Floor::of(&machine, &model, &cost),
        machine,
        model,
        time_ratio_without_model: own(&long) / own(&short),
        memory_ratio: long.peak_megabytes.zip(short.peak_megabytes).map(|(long, short)| long / short),
        short,
        long,
    };
    if let Some(to) = &options.json {
        return write_json(to, &report);
    }
    output::line(format_args!("pipeline {}, medians of {} rounds, milliseconds", report.pipeline, report.rounds))?;
    print("short loop", &report.short)?;
    print("long loop", &report.long)?;
    let Floor { decode_ms, prepare_ms, encode_ms, head_ms } = report.floor;
    output::line(format_args!(
        "floor of the short loop: decode {decode_ms:.1}  prepare {prepare_ms:.1}  encode {:.1}  head {head_ms:.1} \
         (a copy moves {:.1} GB/s, a large product makes {:.0} GFLOP/s here)",
        encode_ms.unwrap_or(f64::NAN),
        report.machine.copied_bytes_per_second / 1e9,
        report.machine.multiply_adds_per_second.unwrap_or(f64::NAN) * 2.0 / 1e9,
    ))?;
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
        child.args(["bench", "--json", "-", "--rounds", &options.rounds.to_string(), "--file"]).arg(&file);
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

/// Whether results go to stdout instead of a file.
fn is_stdout(file: &Path) -> bool {
    file == Path::new("-")
}

fn write_json(to: &Path, value: &impl Serialize) -> Outcome {
    if is_stdout(to) {
        return output::json_pretty(value);
    }
    let text = serde_json::to_string_pretty(value).context("cannot write figures as JSON")?;
    Ok(std::fs::write(to, text + "\n").with_context(|| format!("cannot write {}", to.display()))?)
}

fn print(name: &str, figures: &LoopFigures) -> Outcome {
    let ms = &figures.ms;
    output::line(format_args!(
        "{name:<10} {:>4} frames, {:>2} decoded: open {:.1}  ecg {:.1}  decode {:.1}  prepare {:.1}  encode {:.1}  \
         head {:.1}  total {:.1}; several at once {:.2} loops/s, {:.1} frames/s; opening {:.0}, peak {:.0} MB",
        figures.frames,
        figures.frames_decoded,
        ms.open,
        ms.ecg,
        ms.decode,
        ms.prepare,
        ms.encode,
        ms.head,
        ms.total,
        figures.loops_per_second,
        figures.frames_per_second,
        figures.opening_ms,
        figures.peak_megabytes.unwrap_or(f64::NAN),
    ))
}
