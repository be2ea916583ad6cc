//! The same work by other frameworks, in turns with ours: Python programs of `tools/peers`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use super::super::Outcome;

/// Where `make peers` puts Python, and where the programs lie, from the repository's folder.
const PYTHON: &str = ".venv-peers/bin/python";
const ENCODERS: &str = "tools/peers/peers.py";
const END_TO_END: &str = "tools/peers/end_to_end.py";
/// Loops for the way from file to row.
const LOOPS: u32 = 100;

/// Runs the encoders and the way from file to row beside the peers, which print their ratios; `json` gets the figures of
/// the latter.
pub fn run(rounds: u32, json: Option<&Path>) -> Outcome {
    let program = std::env::current_exe()?;
    let encoders = program.parent().unwrap_or(Path::new("")).join("examples/encoders");
    for needed in [Path::new(PYTHON), Path::new(ENCODERS), Path::new(END_TO_END), &encoders] {
        if !needed.is_file() {
            return Err(anyhow::anyhow!(
                "{} is not there: run `make peers` in the repository's folder, and bench in that folder",
                needed.display()
            )
            .into());
        }
    }
    let rounds = rounds.to_string();
    python(&[
        ENCODERS.into(),
        encoders.into(),
        "--rounds".into(),
        rounds.clone().into(),
        "--models".into(),
        scratch()?,
    ])?;
    let loops = std::env::temp_dir().join("echolabel-bench-loops");
    if count(&loops) < LOOPS as usize {
        super::loops::write(&loops, LOOPS)?;
    }
    let mut arguments = vec![END_TO_END.into(), program.into(), loops.into(), "--rounds".into(), rounds.into()];
    if let Some(json) = json {
        arguments.extend(["--json".into(), json.as_os_str().to_owned()]);
    }
    Ok(python(&arguments)?)
}

/// A folder for exported networks, kept for the next time.
fn scratch() -> anyhow::Result<OsString> {
    let folder = std::env::temp_dir().join("echolabel-bench-models");
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder.into())
}

fn count(folder: &Path) -> usize {
    let files = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    files.map(|entry| entry.path()).filter(|path: &PathBuf| path.extension().is_some_and(|is| is == "dcm")).count()
}

fn python(arguments: &[OsString]) -> anyhow::Result<()> {
    let mut child = Command::new(PYTHON);
    // Peers' threads otherwise wait by spinning, which on shared cores would flatter us.
    let status = child.args(arguments).env("OMP_WAIT_POLICY", "PASSIVE").status().context("cannot start Python")?;
    if !status.success() {
        bail!("the peers' program ended with {status}");
    }
    Ok(())
}
