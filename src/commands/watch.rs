//! `echolabel watch`: the daemon.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context as _;
use daemon::{Daemon, Overrides, Settings, Shutdown, Summary, SystemClock};
use store::SqliteStore;

use super::{Failure, Outcome};
use crate::cli::{Common, WatchOptions};
use crate::labeller::{PipelineLabeller, check_file};
use crate::output;
use crate::progress::Reporter;

/// Watches the folders until a signal comes, or drains them.
pub fn run(common: &Common, options: &WatchOptions) -> Outcome {
    let overrides =
        Overrides { folders: options.folders.clone(), database: options.db.clone(), ..Overrides::default() };
    let settings = super::settings(common, overrides)?;
    let pipeline = super::open_view_pipeline(common, &settings)?;
    if let Some(warning) = pipeline.status().warning() {
        eprintln!("{warning}");
    }
    let shutdown = stop_on_signals()?;
    let summary = watch(&settings, &PipelineLabeller::new(pipeline, common)?, options.once, &shutdown)?;
    print(&summary)?;
    if summary.all_well() { Ok(()) } else { Err(Failure::SomeInputs) }
}

/// Runs the daemon with a reporter that suits whoever looks.
pub fn watch(
    settings: &Settings,
    labeller: &PipelineLabeller,
    once: bool,
    shutdown: &Shutdown,
) -> anyhow::Result<Summary> {
    let store = SqliteStore::open(&settings.database).context("cannot open the database")?;
    let reporter = Reporter::start();
    let daemon =
        Daemon { settings, store: &store, labeller, file_check: &check_file, observer: &reporter, clock: &SystemClock };
    let summary = if once { daemon.run_once(false, shutdown) } else { daemon.run(shutdown) };
    reporter.finish();
    Ok(summary?)
}

/// The first SIGINT or SIGTERM asks for an orderly end; a second one ends at once, which loses nothing either.
fn stop_on_signals() -> anyhow::Result<Shutdown> {
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, 1, Arc::clone(&flag)).context("signal handler")?;
        signal_hook::flag::register(signal, Arc::clone(&flag)).context("signal handler")?;
    }
    Ok(Shutdown::from_flag(flag))
}

/// One line on stdout with what was done.
fn print(summary: &Summary) -> Outcome {
    output::line(format_args!(
        "{} files taken: {} labelled, {} not sure, {} without a view, {} duplicates, {} conflicts, {} failed, \
         {} to be tried again, {} incomplete, {} not DICOM; {} left in the queue",
        summary.taken,
        summary.labelled,
        summary.abstained,
        summary.skipped,
        summary.duplicates,
        summary.conflicts,
        summary.failed,
        summary.retrying,
        summary.incomplete,
        summary.not_dicom,
        summary.left_in_queue,
    ))
}
