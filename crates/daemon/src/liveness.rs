//! Liveness of the whole daemon, for a watchdog.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::heartbeat::RunningJobs;
use crate::{DaemonEvent, Observer};

/// Time between two reports.
const INTERVAL: Duration = Duration::from_secs(1);

/// Emits [`DaemonEvent::Alive`] from wherever intake passes.
pub(crate) struct Liveness<'a> {
    observer: &'a dyn Observer,
    running: &'a RunningJobs,
    last: Mutex<Option<Instant>>,
}

impl<'a> Liveness<'a> {
    /// Returns a liveness that was not reported yet.
    pub fn new(observer: &'a dyn Observer, running: &'a RunningJobs) -> Self {
        Self { observer, running, last: Mutex::default() }
    }

    /// Reports that the daemon is alive, unless it did so within the last second, or a job has stopped.
    pub fn report(&self) {
        if !self.running.has_stopped() {
            self.report_while_waiting();
        }
    }

    /// Reports it also if a job has stopped: the job may wait for the same thing as the caller.
    pub fn report_while_waiting(&self) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_none_or(|last| last.elapsed() >= INTERVAL) {
            *last = Some(Instant::now());
            // Past the reporter, which counts and logs: a line a second would bury the others.
            self.observer.notice(&DaemonEvent::Alive);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use domain::JobId;
    use store::{FileIdentity, Job};

    use super::*;

    #[test]
    fn reports_end_when_a_job_has_stopped() {
        let reports = AtomicU64::new(0);
        let count = |_: &DaemonEvent| {
            reports.fetch_add(1, Ordering::SeqCst);
        };
        let running = RunningJobs::with_max_job_time(Duration::from_millis(20));
        let file =
            FileIdentity { path: "loop.dcm".into(), size_bytes: 1, modified_unix_ns: 0, inode: 1, changed_unix_ns: 0 };
        let worker = "worker".to_owned();
        let job =
            Job { job_id: JobId(1), file, attempts: 1, interruptions: 0, worker, identity: None, replaces_loop: false };
        let _kept = running.keep_alive(&job);
        Liveness::new(&count, &running).report();
        assert_eq!(reports.load(Ordering::SeqCst), 1);
        std::thread::sleep(Duration::from_millis(30));
        Liveness::new(&count, &running).report();
        assert_eq!(reports.load(Ordering::SeqCst), 1, "the job has stopped");
        Liveness::new(&count, &running).report_while_waiting();
        assert_eq!(reports.load(Ordering::SeqCst), 2);
    }
}
