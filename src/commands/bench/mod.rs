//! `echolabel bench`: the time of a loop on this machine, stage by stage, and of receiving.

mod loading;
mod peers;
mod receive;

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, bail};
use bench::{BenchReport, LoopMeasurement, LowerBound, Machine, ModelCost};
use pipeline::Pipeline;
use serde::Serialize;

use super::Outcome;
use crate::cli::{BenchOptions, Common};
use crate::{output, progress};

/// Frames of the two simulated loops.
const SHORT: u32 = 30;
const LONG: u32 = 300;

/// Measures one loop, or a short and a long simulated one in processes of their own.
pub fn run(common: &Common, options: &BenchOptions) -> Outcome {
    if let Some(name) = &options.open {
        return loading::one(common, name);
    }
    if let Some(folder) = &options.write_loops {
        return write_loops(folder, options.loops);
    }
    if options.peers {
        // The peers' programs print their results to stdout.
        if options.json.as_deref().is_some_and(is_stdout) {
            return Err(anyhow::anyhow!("with --peers, --json needs a file to write to: --json figures.json").into());
        }
        return peers::run(&options.part, options.rounds, options.json.as_deref());
    }
    if options.receive {
        return receive::run(options.rounds, options.dir.as_deref(), options.json.as_deref());
    }
    if options.loading {
        return loading::all(common, options);
    }
    let settings = super::settings(common, daemon::Overrides::default())?;
    match &options.file {
        Some(file) => {
            let started = Instant::now();
            let pipeline = super::open_pipeline(&settings)?;
            let opening_ms = started.elapsed().as_secs_f64() * 1000.0;
            let repetitions = (options.rounds, settings.labelling.workers);
            let measurement = LoopMeasurement::measure(&pipeline, file, repetitions, opening_ms)?;
            match &options.json {
                Some(to) => write_json(to, &measurement),
                None => print("loop", &measurement),
            }
        }
        None => {
            let (file, card) = Pipeline::check(&super::pipeline_source(&settings)?, &settings.models)?;
            compare(common, options, file.name, &card)
        }
    }
}

/// Writes simulated loops that everybody measures on.
fn write_loops(folder: &Path, count: u32) -> Outcome {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let bar = progress::bar(u64::from(count), "simulating");
    bench::write_loops(folder, count, &|| bar.inc(1))?;
    bar.finish_and_clear();
    output::line(folder.display())
}

fn compare(common: &Common, options: &BenchOptions, pipeline: String, card: &zoo::ModelCard) -> Outcome {
    let folder = std::env::temp_dir().join(format!("echolabel-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let loops = measure_short_and_long(common, options, &folder);
    std::fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    let machine = (Machine::measure(), ModelCost::from_card(card)?);
    let report = BenchReport::new(pipeline, options.rounds, loops?, machine);
    if let Some(to) = &options.json {
        return write_json(to, &report);
    }
    output::line(format_args!("pipeline {}, medians of {} rounds, milliseconds", report.pipeline, report.rounds))?;
    print("short loop", &report.short)?;
    print("long loop", &report.long)?;
    let LowerBound { decode_ms, prepare_ms, encode_ms, head_ms } = report.floor;
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
fn measure_short_and_long(
    common: &Common,
    options: &BenchOptions,
    folder: &Path,
) -> anyhow::Result<(LoopMeasurement, LoopMeasurement)> {
    let measure = |frames: u32| -> anyhow::Result<LoopMeasurement> {
        let file = folder.join(format!("{frames}.dcm"));
        bench::write_loop_of(frames, &file)?;
        let mut child = Command::new(std::env::current_exe()?);
        child.args(["bench", "--json", "-", "--rounds", &options.rounds.to_string(), "--file"]).arg(&file);
        if let Some(models) = &common.models {
            child.arg("--models").arg(models);
        }
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
        Ok(serde_json::from_slice(&output.stdout)?)
    };
    Ok((measure(SHORT)?, measure(LONG)?))
}

/// Returns true where results go to stdout instead of a file.
fn is_stdout(file: &Path) -> bool {
    file == Path::new("-")
}

fn write_json(to: &Path, value: &impl Serialize) -> Outcome {
    if is_stdout(to) {
        return output::json_pretty(value);
    }
    let text = serde_json::to_string_pretty(value).context("cannot write figures as JSON")? + "\n";
    Ok(files::write(to, text.as_bytes(), files::Access::Umask)
        .with_context(|| format!("cannot write {}", to.display()))?)
}

fn print(name: &str, measurement: &LoopMeasurement) -> Outcome {
    let ms = &measurement.ms;
    output::line(format_args!(
        "{name:<10} {:>4} frames, {:>2} decoded: open {:.1}  ecg {:.1}  decode {:.1}  prepare {:.1}  encode {:.1}  \
         head {:.1}  total {:.1}; several at once {:.2} loops/s, {:.1} frames/s; opening {:.0}, peak {:.0} MB",
        measurement.frames,
        measurement.frames_decoded,
        ms.open,
        ms.ecg,
        ms.decode,
        ms.prepare,
        ms.encode,
        ms.head,
        ms.total,
        measurement.loops_per_second,
        measurement.frames_per_second,
        measurement.opening_ms,
        measurement.peak_megabytes.unwrap_or(f64::NAN),
    ))
}
