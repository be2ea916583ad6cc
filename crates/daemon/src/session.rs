//! One run of the daemon: intake on the calling thread, workers and heartbeat beside it.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use domain::path_tag;
use jiff::{SignedDuration, Timestamp};
use store::{Job, StoreError};

use crate::heartbeat::RunningJobs;
use crate::inbox::{HintReceiver, HintSender, Inbox, watch};
use crate::liveness::Liveness;
use crate::morning::Morning;
use crate::reporter::Reporter;
use crate::worker::Worker;
use crate::{Daemon, DaemonEvent, Shutdown};

/// Sleep of a thread between two checks.
const NAP: Duration = Duration::from_millis(200);

/// Time between two rounds of closing studies and looking at leases and the window.
const ROUND: SignedDuration = SignedDuration::from_secs(1);

pub(crate) struct Session<'a> {
    daemon: &'a Daemon<'a>,
    reporter: &'a Reporter<'a>,
    hints: HintSender,
    shutdown: &'a Shutdown,
    honour_window: bool,
    /// A part of the session has failed and the others must stop.
    failed: AtomicBool,
    /// No more jobs will be made.
    intake_done: AtomicBool,
    running: &'a RunningJobs,
    liveness: &'a Liveness<'a>,
    /// One message wakes one worker.
    wake: Sender<()>,
    woken: Receiver<()>,
}

impl<'a> Session<'a> {
    pub fn new(
        daemon: &'a Daemon<'a>,
        reporter: &'a Reporter<'a>,
        (running, liveness): (&'a RunningJobs, &'a Liveness<'a>),
        hints: HintSender,
        shutdown: &'a Shutdown,
        honour_window: bool,
    ) -> Self {
        let (wake, woken) = bounded(daemon.settings.labelling.workers);
        Self {
            daemon,
            reporter,
            hints,
            shutdown,
            honour_window,
            failed: AtomicBool::new(false),
            intake_done: AtomicBool::new(false),
            running,
            liveness,
            wake,
            woken,
        }
    }

    /// Runs intake with the workers beside it until intake has ended and the workers have nothing left to claim, or
    /// until all must stop.
    pub fn work_beside(&self, intake: impl FnOnce() -> Result<(), StoreError>) -> Result<(), StoreError> {
        let settings = &self.daemon.settings.labelling;
        // Nothing is ever sent: the heartbeat ends when `alive` is dropped, also when this thread panics.
        let (alive, until) = bounded::<()>(0);
        thread::scope(move |scope| {
            let _alive = alive;
            scope.spawn(move || self.running.beat(self.daemon.store, self.daemon.clock, settings.lease, &until));
            let workers: Vec<_> = (0..settings.workers)
                .map(|number| scope.spawn(move || self.stop_all_on_failure(|| self.work(number))))
                .collect();
            let mut outcome = self.stop_all_on_failure(intake);
            self.intake_done.store(true, Ordering::SeqCst);
            self.wake_all_workers();
            for worker in workers {
                outcome = outcome.and(worker.join().unwrap_or_else(|panic| resume_unwind(panic)));
            }
            outcome
        })
    }

    /// Intake of [`Daemon::run`]: follows hints and walks until all must stop.
    pub fn watch(&self, inbox: &mut Inbox<'_>, hints: &HintReceiver) -> Result<(), StoreError> {
        // Before the first walk, so that no file falls between the two.
        let watchers: Vec<_> = inbox
            .folders_with_events()
            .iter()
            .map(|folder| (folder.clone(), watch(folder, self.hints.clone())))
            .collect();
        for (folder, watcher) in &watchers {
            if let Err(error) = watcher {
                self.reporter.emit(&DaemonEvent::PollingOnly {
                    path_tag: path_tag(folder),
                    reason: format!("{:?}", error.kind),
                });
            }
        }
        let mut next_round = Timestamp::MIN;
        let mut window_was_open = None;
        let time_zone = &self.daemon.settings.labelling.time_zone;
        let mut morning = Morning::after(self.daemon.clock.now(), time_zone);
        while !self.is_intake_stopping() {
            let now = self.daemon.clock.steady();
            inbox.tick(now)?;
            if now >= next_round {
                next_round = now.saturating_add(ROUND).unwrap_or(Timestamp::MAX);
                self.close_quiet_studies()?;
                // Workers that are alive may have been unable to say so while the database was away.
                self.running.extend_leases(self.daemon.store, self.daemon.settings.labelling.lease, now);
                self.daemon.store.recover(false, now)?;
                self.emit_window(&mut window_was_open);
                if let Some(report) = morning.report(self.daemon.store, self.daemon.clock.now(), time_zone)? {
                    self.reporter.emit(&report);
                }
            }
            for hint in hints.take(NAP) {
                if self.is_intake_stopping() {
                    break;
                }
                inbox.follow(&hint, self.daemon.clock.steady())?;
            }
        }
        self.reporter.emit(&DaemonEvent::Stopping);
        Ok(())
    }

    /// Intake of [`Daemon::run_once`]: one walk, and one more look at what was not stable yet.
    pub fn drain(&self, inbox: &mut Inbox<'_>) -> Result<(), StoreError> {
        let clock = self.daemon.clock;
        let start = clock.steady();
        inbox.tick(start)?;
        while inbox.has_unstable() && !self.is_stopping() {
            let waited = clock.steady().duration_since(start);
            let left = self.daemon.settings.inbox.stability - waited;
            if !left.is_positive() {
                return inbox.tick(clock.steady());
            }
            thread::sleep(Duration::try_from(left).unwrap_or(NAP).min(NAP));
        }
        Ok(())
    }

    /// Intake of [`Daemon::work`]: none, but looks after leases, studies and the end of the queue.
    pub fn wait_for_jobs(&self, once: bool) -> Result<(), StoreError> {
        let mut next_round = Timestamp::MIN;
        while !self.is_intake_stopping() {
            let now = self.daemon.clock.steady();
            if now >= next_round {
                next_round = now.saturating_add(ROUND).unwrap_or(Timestamp::MAX);
                self.close_quiet_studies()?;
                self.running.extend_leases(self.daemon.store, self.daemon.settings.labelling.lease, now);
                self.daemon.store.recover(false, now)?;
                if once && self.daemon.store.counts()?.unfinished() == 0 {
                    return Ok(());
                }
            }
            thread::sleep(NAP);
        }
        self.reporter.emit(&DaemonEvent::Stopping);
        Ok(())
    }

    pub fn close_quiet_studies(&self) -> Result<(), StoreError> {
        let quiet = self.daemon.settings.study_quiet;
        for study_instance_uid in self.daemon.store.close_quiet_studies(quiet, self.daemon.clock.now())? {
            self.reporter.emit(&DaemonEvent::StudyClosed { study_instance_uid });
        }
        Ok(())
    }

    /// A job was made: no worker need sleep on.
    pub fn wake_worker(&self) {
        // A full channel means that every worker has been woken already.
        let _ = self.wake.try_send(());
    }

    fn wake_all_workers(&self) {
        (0..self.daemon.settings.labelling.workers).for_each(|_| self.wake_worker());
    }

    pub fn is_stopping(&self) -> bool {
        self.shutdown.requested() || self.failed.load(Ordering::SeqCst)
    }

    /// Asked wherever intake passes, so that a walk or a share that hangs is not reported as alive.
    pub fn is_intake_stopping(&self) -> bool {
        self.liveness.report();
        self.is_stopping()
    }

    fn work(&self, number: usize) -> Result<(), StoreError> {
        let name = format!("{}-{number}", std::process::id());
        let worker = Worker {
            store: self.daemon.store,
            labeller: self.daemon.labeller,
            clock: self.daemon.clock,
            reporter: self.reporter,
            retry: self.daemon.settings.retry,
            hints: self.hints.clone(),
        };
        while !self.is_stopping() {
            // Asked before the claim: what intake has queued before it ended is then seen by the claim.
            let intake_done = self.intake_done.load(Ordering::SeqCst);
            match self.claim(&name)? {
                Some(job) => {
                    let _kept_alive = self.running.keep_alive(&job);
                    worker.process(&job)?;
                }
                None if intake_done => break,
                None => {
                    let _ = self.woken.recv_timeout(NAP);
                }
            }
        }
        Ok(())
    }

    fn claim(&self, worker: &str) -> Result<Option<Job>, StoreError> {
        let store = self.daemon.store;
        let now = self.daemon.clock.steady();
        // Reading first spares the write lock while there is nothing to do.
        if !self.window_is_open() || !store.has_claimable(now)? {
            return Ok(None);
        }
        store.claim(worker, self.daemon.settings.labelling.lease, now)
    }

    fn window_is_open(&self) -> bool {
        let now = self.daemon.clock.now();
        let settings = &self.daemon.settings.labelling;
        !self.honour_window || settings.window.is_none_or(|window| window.is_open(now, &settings.time_zone))
    }

    fn emit_window(&self, was_open: &mut Option<bool>) {
        let open = self.window_is_open();
        if self.daemon.settings.labelling.window.is_some() && *was_open != Some(open) {
            *was_open = Some(open);
            self.reporter.emit(&DaemonEvent::WindowChanged { open });
        }
    }

    /// Runs one part; if it fails or panics, the others stop too, rather than going on without it unnoticed.
    fn stop_all_on_failure(&self, part: impl FnOnce() -> Result<(), StoreError>) -> Result<(), StoreError> {
        let ended = catch_unwind(AssertUnwindSafe(part));
        if !matches!(ended, Ok(Ok(()))) {
            self.failed.store(true, Ordering::SeqCst);
            self.wake_all_workers();
        }
        ended.unwrap_or_else(|panic| resume_unwind(panic))
    }
}
