//! `echolabel train`: trains a model by a recipe.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context as _;
use files::{FileLock, LockError};
use train::{DataSet, Outcome as RunOutcome, Progress, Recipe, StartWeights, Trainer};
use zoo::weights::{SafetensorsFile, TensorSource as _};
use zoo::{ModelCard, Registry};

use super::{Failure, Outcome};
use crate::cli::{Common, TrainOptions};
use crate::output;

/// Trains by the recipe and writes the weights that were best on the validation set.
pub fn run(common: &Common, options: &TrainOptions) -> Outcome {
    enter_training_environment()?;
    let device = super::open_device(common)?;
    let written = Recipe::read(&options.recipe)?;
    let registry = super::open_registry(common)?;
    let card = &written.card(registry.card(&written.model)?);
    let folder = options.out.clone().unwrap_or_else(|| PathBuf::from("runs").join(&written.name));
    let _lock = lock_folder(&folder)?;
    let recipe = Recipe { start: start_file(&written, &registry, &folder)?, ..written.clone() };
    let start = start_weights(&written, recipe.start.as_deref(), &registry)?;
    let data = open_data(&recipe, card, &options.cache.clone().unwrap_or_else(|| folder.join("data")))?;
    train::write_file_list(&data, &folder)?;
    if !data.left_out().is_empty() {
        let (count, list) = (data.left_out().len(), folder.join(train::LEFT_OUT));
        output::note(format_args!(
            "{count} labelled loops or files could not be used: {} says which and why",
            list.display()
        ));
    }
    let mut trainer = Trainer::open(&recipe, card, &data, &folder, &device)?;
    let stop = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGINT, stop.clone()).context("Ctrl-C cannot be caught")?;
    signal_hook::flag::register(signal_hook::consts::SIGTERM, stop.clone()).context("SIGTERM cannot be caught")?;
    let outcome = follow(&mut trainer, &recipe, &folder, &stop)?;
    if outcome == RunOutcome::Interrupted {
        output::note(format_args!("stopped after step {}; the same command goes on from there", trainer.step()));
        return Err(Failure::SomeInputs);
    }
    let path = train::weights_path(&recipe, &folder);
    trainer.best_weights()?.write_half(&path)?;
    let card = train::write_card(&written, card, &folder, start.as_ref(), data.clips().fingerprint())?;
    output::note(format_args!(
        "`echolabel eval {} --fit` fits its calibration; with {} beside it in the folder of models it is model {}",
        options.recipe.display(),
        card.display(),
        recipe.name
    ));
    output::line(path.display())
}

/// Refuses a folder in which another training is at work; both would write the same checkpoint.
fn lock_folder(folder: &Path) -> anyhow::Result<FileLock> {
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let file = file_to_lock(folder).with_context(|| folder.display().to_string())?;
    match FileLock::new(file) {
        Ok(lock) => Ok(lock),
        Err(LockError::Held) => Err(std::io::Error::from(std::io::ErrorKind::ResourceBusy))
            .with_context(|| format!("another `echolabel train` works in {}", folder.display())),
        Err(LockError::Io(error)) => Err(error).with_context(|| folder.display().to_string()),
    }
}

#[cfg(not(windows))]
fn file_to_lock(folder: &Path) -> std::io::Result<File> {
    File::open(folder)
}

/// Windows opens no folder as a file.
#[cfg(windows)]
fn file_to_lock(folder: &Path) -> std::io::Result<File> {
    File::options().write(true).create(true).truncate(false).open(folder.join("train.lock"))
}

/// Returns the file of weights to start from; those of a model that is part of the program are written beside the run.
fn start_file(recipe: &Recipe, registry: &Registry, folder: &Path) -> anyhow::Result<Option<PathBuf>> {
    let Some(start) = &recipe.start else { return Ok(None) };
    let model = start.to_str().filter(|name| !start.is_file() && registry.card(name).is_ok());
    let Some(model) = model else { return Ok(Some(start.clone())) };
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    Ok(Some(registry.weights_file(model, &folder.join("start.safetensors"))?))
}

/// Describes the weights in `file`, which the recipe names as its start, for the card of the run.
fn start_weights(recipe: &Recipe, file: Option<&Path>, registry: &Registry) -> anyhow::Result<Option<StartWeights>> {
    let (Some(named), Some(file)) = (&recipe.start, file) else { return Ok(None) };
    let name = named.display().to_string();
    let license = registry.card(&name).ok().map(|card| card.license.clone());
    Ok(Some(StartWeights { sha256: SafetensorsFile::read(file)?.sha256(), license, name }))
}

/// Opens the recipe's data, which are prepared now where they are not yet.
fn open_data(recipe: &Recipe, card: &ModelCard, folder: &Path) -> anyhow::Result<DataSet> {
    let bar = crate::progress::bar(0, "preparing");
    let data = DataSet::open(recipe, card, folder, &mut |done, all| {
        bar.set_length(u64::from(all));
        bar.set_position(u64::from(done));
    })?;
    bar.finish_and_clear();
    Ok(data)
}

/// Runs the training with a bar, a CSV of steps and a line of JSON for each validation.
fn follow(trainer: &mut Trainer, recipe: &Recipe, folder: &Path, stop: &AtomicBool) -> anyhow::Result<RunOutcome> {
    let mut log = train::RunLog::open(folder, trainer.step())?;
    let bar = crate::progress::bar(recipe.stop.steps as u64, "training");
    let outcome = trainer.run(stop, &mut |progress| {
        log.write(&progress);
        match &progress {
            Progress::Step { step, loss, clips_per_s, .. } => {
                bar.set_position(*step as u64);
                bar.set_message(format!("loss {loss:.3}, {clips_per_s:.1} clips/s"));
            }
            Progress::Validation { step, validation, is_best } => {
                let best = if *is_best { ", the best so far" } else { "" };
                let (loss, accuracy) = (validation.loss, 100.0 * validation.accuracy);
                bar.suspend(|| {
                    output::note(format_args!(
                        "step {step}: validation loss {loss:.3}, accuracy {accuracy:.1} %{best}"
                    ));
                });
            }
        }
    })?;
    bar.finish_and_clear();
    Ok(outcome)
}

/// Does nothing: the settings are those of glibc.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere it may fail")]
fn enter_training_environment() -> anyhow::Result<()> {
    Ok(())
}

/// Starts this program again in this process' place with the environment that training needs, unless it has it: two settings
/// that are read before `main` or once at the first product, and that double the speed of a step (`docs/performance.md`).
///
/// The process stays the same one, so a signal that is meant for it reaches the training.
#[cfg(unix)]
fn enter_training_environment() -> anyhow::Result<()> {
    use std::os::unix::process::CommandExt as _;
    use std::process::Command;

    // The allocator keeps the memory of large maps, in large pages.
    const ALLOCATOR: (&str, &str) = (
        "GLIBC_TUNABLES",
        "glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=4000000000:glibc.malloc.trim_threshold=16000000000",
    );
    // Candle adds gradients in a pool of its own, whose threads wait by spinning.
    const ACCUMULATION: (&str, &str) = ("CANDLE_NUM_THREADS", "1");
    let wanted: Vec<_> =
        [ALLOCATOR, ACCUMULATION].into_iter().filter(|(name, _)| std::env::var_os(name).is_none()).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let program = std::env::current_exe().context("the program does not find itself")?;
    // Returns only when it fails.
    let error = Command::new(program).args(std::env::args_os().skip(1)).envs(wanted).exec();
    Err(error).context("the program cannot be started again with the environment that training wants")
}
