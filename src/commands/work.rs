//! `echolabel work`: labels what others have queued, beside any number of such processes.

use daemon::{Daemon, DaemonEvent, Observer as _, Overrides, ReceivedFiles, Settings, SystemClock};

use super::watch::{end, print, stop_on_signals};
use super::{Outcome, open_view_pipeline};
use crate::cli::{Common, WorkOptions};
use crate::exit_code::ExitCode;
use crate::labeller::{PipelineLabeller, check_file};
use crate::progress::Reporter;
use crate::{output, systemd};

/// Takes jobs until a signal comes, or until none is left.
pub fn run(common: &Common, options: &WorkOptions) -> Outcome {
    let overrides = Overrides { database: options.db.clone(), ..Overrides::default() };
    let mut settings: Settings = super::settings(common, overrides)?;
    // Whoever queues the files watches the folders.
    settings.inbox.folders.clear();
    super::existing_database(common, options.db.clone())?;
    let pipeline = open_view_pipeline(&settings)?;
    if let Some(warning) = pipeline.status().warning() {
        output::note(warning);
    }
    let shutdown = stop_on_signals(ExitCode::Done)?;
    let labeller = PipelineLabeller::new(pipeline, common)?;
    let store = super::open_worker_store(&settings)?;
    let reporter = Reporter::start();
    let observer = |event: &DaemonEvent| {
        reporter.notice(event);
        systemd::notice(event);
    };
    let daemon = Daemon {
        settings: &settings,
        store: &store,
        labeller: &labeller,
        file_check: &check_file,
        observer: &observer,
        clock: &SystemClock::new(),
        received: &ReceivedFiles::default(),
    };
    let summary = daemon.work(options.once, &shutdown);
    reporter.finish();
    let summary = summary?;
    print(&summary)?;
    end(&summary)
}
