//! `echolabel bench --peers`: the same work by other frameworks, in turns with ours, as Python programs of `tools/peers`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, bail};

use super::super::{Failure, Outcome};
use crate::cli::PeersPart;
use crate::output;

/// The Python that `make peers` installs and the folder of the programs, from the repository's folder.
const PYTHON: &str = ".venv-peers/bin/python";
const PROGRAMS: &str = "tools/peers";
/// Loops for the way from file to row.
const LOOPS: u32 = 100;
/// Settings of the allocator that double training's speed on Linux, for both sides: see `docs/performance.md`.
const MEMORY: &str =
    "glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=4000000000:glibc.malloc.trim_threshold=16000000000";

/// Runs `parts`, all of them where none is named, which print their ratios; `json` gets the figures, part by part.
pub fn run(parts: &[PeersPart], rounds: u32, json: Option<&Path>) -> Outcome {
    let all = <PeersPart as clap::ValueEnum>::value_variants();
    let folder = std::env::temp_dir().join("echolabel-bench-peers");
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut figures = serde_json::Map::new();
    for &part in if parts.is_empty() { all } else { parts } {
        let name = part_name(part);
        output::line(format!("== {name}"))?;
        let start = Instant::now();
        let written = folder.join(format!("{name}.json"));
        measure(part, rounds, &folder, &written)?;
        output::line(format!("   {name} took {:.0} s", start.elapsed().as_secs_f64()))?;
        let text = std::fs::read(&written).with_context(|| format!("cannot read {}", written.display()))?;
        figures.insert(name, serde_json::from_slice(&text)?);
        // Kept after every part: a run of all takes half an hour.
        if let Some(json) = json {
            files::write(json, &serde_json::to_vec_pretty(&figures)?, files::Access::Umask)
                .with_context(|| format!("cannot write {}", json.display()))?;
        }
    }
    Ok(())
}

fn part_name(part: PeersPart) -> String {
    clap::ValueEnum::to_possible_value(&part).map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// Runs one part, whose program writes its figures to `written`; what it keeps for the next time goes to `folder`.
fn measure(part: PeersPart, rounds: u32, folder: &Path, written: &Path) -> Outcome {
    let program = std::env::current_exe()?;
    let encoders = |network: &str, more: &[&str]| -> anyhow::Result<Vec<OsString>> {
        let mut arguments = vec![example(&program, "encoders")?, "--network".into(), network.into()];
        arguments.extend(["--models".into(), folder.into()]);
        arguments.extend(more.iter().map(OsString::from));
        Ok(arguments)
    };
    let (script, mut arguments) = match part {
        PeersPart::EfficientnetB2 => ("peers.py", encoders("efficientnet_b2", &[])?),
        PeersPart::EfficientnetB2Avx2 => ("peers.py", encoders("efficientnet_b2", &["--avx2"])?),
        PeersPart::Xception => ("peers.py", encoders("xception", &[])?),
        PeersPart::XceptionInt8 => ("peers.py", encoders("xception", &["--int8"])?),
        PeersPart::Pytorch => ("pytorch.py", vec![example(&program, "serve_encoder")?]),
        PeersPart::TrainingStep => ("training_step.py", vec![example(&program, "training_step")?]),
        PeersPart::FineTuning => ("fine_tuning.py", vec![program.clone().into()]),
        PeersPart::FileToRow => ("end_to_end.py", vec![program.clone().into(), loops(folder)?]),
        PeersPart::FileToRowShipped => {
            let shipped = ["--pipeline".into(), pipeline::PipelineSource::DEFAULT.into()];
            ("end_to_end.py", [program.clone().into(), loops(folder)?].into_iter().chain(shipped).collect())
        }
    };
    arguments.extend(["--rounds".into(), rounds.to_string().into(), "--json".into(), written.into()]);
    let is_training = matches!(part, PeersPart::TrainingStep | PeersPart::FineTuning);
    Ok(python(script, &arguments, is_training)?)
}

/// An example that `make peers` builds, beside this program.
fn example(program: &Path, name: &str) -> anyhow::Result<OsString> {
    Ok(needed(program.parent().unwrap_or(Path::new("")).join("examples").join(name))?.into())
}

fn needed(path: PathBuf) -> anyhow::Result<PathBuf> {
    if !path.is_file() {
        bail!("{} is not there: run `make peers` in the repository's folder, and bench in that folder", path.display());
    }
    Ok(path)
}

/// The folder of loops to go from file to row, written the first time.
fn loops(folder: &Path) -> Result<OsString, Failure> {
    let loops = folder.join("loops");
    let files = std::fs::read_dir(&loops).into_iter().flatten().filter_map(Result::ok);
    let count = files.filter(|entry| entry.path().extension().is_some_and(|is| is == "dcm")).count();
    if count < LOOPS as usize {
        super::write_loops(&loops, LOOPS)?;
    }
    Ok(loops.into())
}

fn python(script: &str, arguments: &[OsString], is_training: bool) -> anyhow::Result<()> {
    let python = needed(PYTHON.into())?;
    let script = needed(Path::new(PROGRAMS).join(script))?;
    let mut command = Command::new(python);
    // Peers' threads otherwise wait by spinning, which on shared cores would flatter us.
    command.arg(&script).args(arguments).env("OMP_WAIT_POLICY", "PASSIVE");
    if is_training {
        command.env("CANDLE_NUM_THREADS", "1").env("GLIBC_TUNABLES", MEMORY);
    }
    let status = command.status().context("cannot start Python")?;
    if !status.success() {
        bail!("{} ended with {status}", script.display());
    }
    Ok(())
}
