//! `echolabel watch`: the daemon.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use daemon::{
    Daemon, DaemonError, DaemonEvent, Observer as _, Overrides, ReceivedFiles, Settings, Shutdown, Summary, SystemClock,
};
use domain::WeightStatus;
use pipeline::Pipeline;
use store::{Store, StoreError};

use super::{Failure, Outcome, model_switch};
use crate::cli::{Common, WatchOptions};
use crate::database::Database;
use crate::exit_code::ExitCode;
use crate::labeller::{PipelineLabeller, check_file};
use crate::object_intake::ObjectIntake;
use crate::progress::Reporter;
use crate::sending::Sender;
use crate::{output, page, systemd};

/// Time between two tries to open a database that cannot be used.
const TRY_INTERVAL: Duration = Duration::from_millis(500);

/// Time between two messages about it.
const TELL_INTERVAL: Duration = Duration::from_secs(60);

/// Time that `--once` waits for it, as it does later in the run.
const MAX_ONCE_WAIT: Duration = Duration::from_secs(60);

/// An orderly end waits for the files in hand so long, not for a decoder, a share or a disk that hangs.
const MAX_ORDERLY_END: Duration = Duration::from_secs(4);

/// Watches the folders until a signal comes, or drains them.
pub fn run(common: &Common, options: &WatchOptions) -> Outcome {
    let overrides =
        Overrides { folders: options.folders.clone(), database: options.db.clone(), ..Overrides::default() };
    let settings = super::settings(common, overrides)?;
    refuse_problems(&settings)?;
    let pipeline = super::open_view_pipeline(&settings)?;
    if let Some(warning) = pipeline.status().warning() {
        output::note(warning);
    }
    warn_of_held_reports(&settings, pipeline.status());
    let shutdown = stop_on_signals(ExitCode::Done)?;
    // Opened before the page, so that the database is made, and brought up to date, by the daemon.
    let _page = settings
        .page
        .as_ref()
        .filter(|_| !options.once)
        .map(|page| {
            drop(open_database(&settings, false, &shutdown)?);
            let server = page::start(common, page, &settings)?;
            output::note(format_args!(
                "the page is at http://{}; its token stands in {}",
                server.address(),
                page::token_file(page, &settings).display()
            ));
            anyhow::Ok(server)
        })
        .transpose()?;
    // A run with an end looks at what is there.
    let receive = settings.receive.as_ref().filter(|_| !options.once);
    let received = ReceivedFiles::default();
    let start = |receive| crate::receive::start(receive, Database::new_or_existing(&settings)?, &received, &shutdown);
    let receiving = receive.map(start).transpose()?;
    let watched = watch_with_model_in_use(common, &settings, pipeline, &received, options.once, &shutdown);
    shutdown.request();
    if receiving.is_some_and(|receiving| receiving.join().is_err()) {
        tracing::error!("the receiver panicked");
    }
    let summary = watched?;
    print(&summary)?;
    match summary {
        // A service that ends in order has not failed because two files bear one UID.
        Summary { conflicts, .. } if conflicts > 0 && !options.once => end(&Summary { conflicts: 0, ..summary }),
        summary => end(&summary),
    }
}

/// Returns the outcome of a run.
pub(super) fn end(summary: &Summary) -> Outcome {
    match summary.all_well() {
        _ if summary.unreadable_folders > 0 => Err(Failure::UnreadableFolder),
        true => Ok(()),
        false => Err(Failure::SomeInputs),
    }
}

/// Names what is wrong with the settings, before the model is opened.
fn refuse_problems(settings: &Settings) -> anyhow::Result<()> {
    for problem in daemon::settings::check(settings) {
        anyhow::ensure!(!problem.fatal, "{problem}");
        output::note(format_args!("warning: {problem}"));
    }
    Ok(())
}

/// Runs the daemon, and anew with another model where a person puts one in use meanwhile.
fn watch_with_model_in_use(
    common: &Common,
    settings: &Settings,
    pipeline: Pipeline,
    received: &ReceivedFiles,
    once: bool,
    shutdown: &Shutdown,
) -> anyhow::Result<Summary> {
    let mut labeller = PipelineLabeller::new(pipeline, common)?;
    let mut all = Summary::default();
    loop {
        let run = Shutdown::new();
        let ended = AtomicBool::new(false);
        let (summary, next) = std::thread::scope(|scope| {
            let switch = scope.spawn(|| model_switch::wait(settings, once, shutdown, &run, &ended));
            let run = std::panic::AssertUnwindSafe(|| watch(settings, &labeller, received, once, &run));
            let summary = std::panic::catch_unwind(run);
            // Also after a panic: the scope waits for the other thread.
            ended.store(true, Ordering::SeqCst);
            let summary = summary.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            (summary, switch.join().ok().flatten())
        });
        all = all.followed_by(&summary?);
        match next {
            Some(pipeline) => labeller = PipelineLabeller::new(pipeline, common)?,
            None => return Ok(all),
        }
    }
}

/// Runs the daemon with a reporter that suits whoever looks.
pub fn watch(
    settings: &Settings,
    labeller: &PipelineLabeller,
    received: &ReceivedFiles,
    once: bool,
    shutdown: &Shutdown,
) -> anyhow::Result<Summary> {
    let reporter = Reporter::start();
    let observer = |event: &DaemonEvent| {
        reporter.notice(event);
        systemd::notice(event);
    };
    let clock = SystemClock::new();
    let outcome = loop {
        let store = open_database(settings, once, shutdown)?;
        let daemon = Daemon {
            settings,
            store: &store,
            labeller,
            file_check: &check_file,
            observer: &observer,
            clock: &clock,
            received,
        };
        let sender = Sender::new(&store, settings, &clock)?;
        let mut intake = ObjectIntake::new(&store, &settings.inbox);
        if once {
            intake.take()?;
        }
        match run_beside(sender.as_ref(), intake, once, || {
            if once { daemon.run_once(false, shutdown) } else { daemon.run(shutdown) }
        }) {
            // All that was known of the old file may be wrong of the new one, so the run begins anew.
            Err(DaemonError::Store(error @ StoreError::Replaced { .. })) if !shutdown.requested() => {
                tracing::warn!(trouble = error.trouble(), "database opened anew");
            }
            outcome => break outcome,
        }
    };
    reporter.finish();
    Ok(outcome?)
}

/// Runs the daemon with the sender and the intake of objects beside it; a run with an end sends what there is at its end.
fn run_beside<T>(sender: Option<&Sender<'_>>, intake: ObjectIntake<'_>, once: bool, daemon: impl FnOnce() -> T) -> T {
    if once {
        let outcome = daemon();
        if let Some(sender) = sender {
            sender.drain();
        }
        return outcome;
    }
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        if let Some(sender) = sender {
            scope.spawn(|| sender.run(&ended));
        }
        scope.spawn(|| intake.run(&ended));
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(daemon));
        // Also after a panic: the scope waits for the others.
        ended.store(true, Ordering::SeqCst);
        outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Says that reports of this model will not be sent, where the configuration holds them.
fn warn_of_held_reports(settings: &Settings, status: WeightStatus) {
    let send = &settings.send;
    if !send.destinations.is_empty() && !send.allow_unvalidated && status != WeightStatus::Validated {
        output::note(
            "reports of this model are made and not sent: it was not validated on patients, and send.allow_unvalidated is not true",
        );
    }
}

/// Opens the database, and waits while another program holds it or its disk is full; a run with an end waits a minute.
fn open_database(settings: &Settings, once: bool, shutdown: &Shutdown) -> anyhow::Result<Store> {
    let database = Database::new_or_existing(settings)?;
    let mut told: Option<Instant> = None;
    let start = Instant::now();
    loop {
        match database.open_for_daemon() {
            Err(error)
                if is_worth_waiting_for(&error)
                    && (!once || start.elapsed() < MAX_ONCE_WAIT)
                    && !shutdown.requested() =>
            {
                if told.is_none_or(|told| told.elapsed() >= TELL_INTERVAL) {
                    told = Some(Instant::now());
                    tracing::warn!(trouble = error.trouble(), "the database cannot be used, waiting");
                }
                systemd::wait_for_database(error.trouble());
                std::thread::sleep(TRY_INTERVAL);
            }
            opened => return Ok(opened?),
        }
    }
}

/// Returns true for trouble that passes; another daemon on the same database does not.
fn is_worth_waiting_for(error: &StoreError) -> bool {
    error.is_temporary() && !matches!(error, StoreError::InUse { .. })
}

/// The first SIGINT or SIGTERM asks for an orderly end; a second one, or [`MAX_ORDERLY_END`], ends at once, which loses
/// nothing either: files in hand are labelled at the next start. `late` is the exit code then.
pub fn stop_on_signals(late: ExitCode) -> anyhow::Result<Shutdown> {
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, 1, Arc::clone(&flag)).context("signal handler")?;
        signal_hook::flag::register(signal, Arc::clone(&flag)).context("signal handler")?;
    }
    let shutdown = Shutdown::from_flag(flag);
    let requested = shutdown.clone();
    std::thread::Builder::new().name("orderly-end".to_owned()).spawn(move || {
        requested.wait();
        std::thread::sleep(MAX_ORDERLY_END);
        tracing::warn!("a file in hand does not end; it is labelled at the next start");
        std::process::exit(late as i32);
    })?;
    Ok(shutdown)
}

/// One line on stdout with what was done.
pub(super) fn print(summary: &Summary) -> Outcome {
    output::line(format_args!(
        "{} files taken: {} labelled, {} not sure, {} without a view, {} duplicates, {} moved to another study, {} conflicts, {} failed, \
         {} to be tried again, {} incomplete, {} not DICOM; {} left in the queue",
        summary.taken,
        summary.labelled,
        summary.abstained,
        summary.skipped,
        summary.duplicates,
        summary.moved,
        summary.conflicts,
        summary.failed,
        summary.retrying,
        summary.incomplete,
        summary.not_dicom,
        summary.left_in_queue,
    ))
}
