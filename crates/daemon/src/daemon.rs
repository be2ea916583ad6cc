//! The daemon: what it is given, and the two ways to run it.

use std::path::PathBuf;
use std::sync::Mutex;

use jiff::SignedDuration;
use store::{Backend, StoreError};

use crate::heartbeat::RunningJobs;
use crate::inbox::{HintReceiver, Inbox, InboxContext, hint_channel};
use crate::liveness::Liveness;
use crate::reporter::Reporter;
use crate::retrying_store::RetryingStore;
use crate::session::Session;
use store::{LabelStore as _, Queue as _};

use crate::{
    Clock, DaemonError, DaemonEvent, FileCheck, Labeller, Observer, ReceivedFiles, Settings, Shutdown, Summary,
};

/// Time that a run with an end waits for a database that cannot be used: its caller wants to hear of it.
const MAX_ONCE_WAIT: SignedDuration = SignedDuration::from_secs(60);

/// The daemon with all it needs from outside.
#[derive(Clone, Copy)]
pub struct Daemon<'a> {
    /// Settings of the folders and of the labelling.
    pub settings: &'a Settings,
    /// Jobs and labels. No other daemon may use it: [`store::Store::open_for_daemon`].
    pub store: &'a dyn Backend,
    /// Makes a label of a file.
    pub labeller: &'a dyn Labeller,
    /// Says whether a file is complete.
    pub file_check: &'a dyn FileCheck,
    /// Receives every event.
    pub observer: &'a dyn Observer,
    /// Tells the time.
    pub clock: &'a dyn Clock,
    /// Tells of files that are whole without a wait.
    pub received: &'a ReceivedFiles,
}

/// Start of a run: is this process alone with the database?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    Alone,
    BesideOthers,
}

impl Daemon<'_> {
    /// Watches and labels until shutdown is requested; then intake stops, running jobs are finished, and the database
    /// is checkpointed.
    ///
    /// # Errors
    /// [`DaemonError`]: a configuration that cannot work, or a database that fails for good. A locked, full, read-only or
    /// missing database is waited for.
    pub fn run(&self, shutdown: &Shutdown) -> Result<Summary, DaemonError> {
        self.session(shutdown, Start::Alone, true, None, |session, inbox, hints| session.watch(inbox, hints))
    }

    /// Drains the folders: takes every file that is complete, labels everything that can be claimed, and returns.
    ///
    /// Files that have not changed for the stability time are taken at once; for the others one stability time is
    /// waited, not more: what is incomplete then, or still being written, is counted and left for the next run. The
    /// nightly window is ignored unless `honour_window`, since whoever calls this (cron, a person) chose the time.
    /// Failed tries that wait for another are left in the queue.
    ///
    /// # Errors
    /// As [`Daemon::run`].
    pub fn run_once(&self, honour_window: bool, shutdown: &Shutdown) -> Result<Summary, DaemonError> {
        let patience = Some(MAX_ONCE_WAIT);
        self.session(shutdown, Start::Alone, honour_window, patience, |session, inbox, _| session.drain(inbox))
    }

    /// Labels what others have queued, beside any number of other workers on the same database: until shutdown is requested, or
    /// with `once` until no job is unfinished. Folders are not looked at.
    ///
    /// # Errors
    /// As [`Daemon::run`].
    pub fn work(&self, once: bool, shutdown: &Shutdown) -> Result<Summary, DaemonError> {
        let patience = once.then_some(MAX_ONCE_WAIT);
        self.session(shutdown, Start::BesideOthers, !once, patience, |session, _, _| session.wait_for_jobs(once))
    }

    fn session(
        &self,
        shutdown: &Shutdown,
        start: Start,
        honour_window: bool,
        patience: Option<SignedDuration>,
        intake: impl FnOnce(&Session<'_>, &mut Inbox<'_>, &HintReceiver) -> Result<(), StoreError>,
    ) -> Result<Summary, DaemonError> {
        let roots = if start == Start::Alone { self.roots()? } else { Vec::new() };
        let reporter = Reporter::new(self.observer);
        let running = RunningJobs::new();
        let liveness = Liveness::new(self.observer, &running);
        let store = RetryingStore {
            store: self.store,
            reporter: &reporter,
            liveness: &liveness,
            clock: self.clock,
            shutdown,
            patience,
            told: Mutex::default(),
        };
        let daemon = Daemon { store: &store, ..*self };
        // Where no other can be at work, whatever is running was left by one that died.
        let recovered = store.recover(start == Start::Alone, self.clock.steady())?;
        store.shorten_waits(self.settings.retry.backoff.longest, self.clock.steady())?;
        store.keep_label_set(&self.labeller.model(), &self.labeller.views(), self.clock.now())?;
        reporter.emit(&DaemonEvent::Started { jobs: store.counts()?, recovered });

        let (hint_sender, hints) = hint_channel();
        self.received.connect(hint_sender.clone());
        let session = Session::new(&daemon, &reporter, (&running, &liveness), hint_sender, shutdown, honour_window);
        let around = InboxContext {
            settings: &self.settings.inbox,
            database: self.settings.database.file(),
            store: &store,
            clock: self.clock,
            file_check: self.file_check,
            reporter: &reporter,
            wake_worker: &|| session.wake_worker(),
            is_stopping: &|| session.is_intake_stopping(),
        };
        let mut inbox = Inbox::new(around, roots);
        session.work_beside(|| intake(&session, &mut inbox, &hints))?;
        session.close_quiet_studies()?;
        store.checkpoint()?;

        let summary = reporter.summary();
        let incomplete = summary.incomplete + inbox.waiting() as u64;
        Ok(Summary { incomplete, left_in_queue: store.counts()?.unfinished(), ..summary })
    }

    fn roots(&self) -> Result<Vec<PathBuf>, DaemonError> {
        let folders = &self.settings.inbox.folders;
        folders
            .iter()
            .map(|folder| {
                folder
                    .canonicalize()
                    .and_then(|root| root.read_dir().map(|_| root))
                    .map_err(|source| DaemonError::WatchFolder { folder: folder.clone(), source })
            })
            .collect()
    }
}
