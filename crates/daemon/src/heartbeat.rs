//! Signs of life for running jobs.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};
use domain::JobId;
use jiff::{SignedDuration, Timestamp};
use store::{Backend, Job};

use crate::Clock;

/// A file takes seconds, and its decoders have time limits. Work that takes this long has stopped: without a heartbeat
/// its lease runs out, and the job is done elsewhere.
const MAX_JOB_TIME: Duration = Duration::from_secs(900);

/// The jobs in work right now.
pub(crate) struct RunningJobs {
    jobs: Mutex<HashMap<JobId, Running>>,
    max_job_time: Duration,
}

struct Running {
    job: Job,
    since: Instant,
}

impl RunningJobs {
    /// Returns an empty list.
    pub fn new() -> Self {
        Self::with_max_job_time(MAX_JOB_TIME)
    }

    /// Returns an empty list of jobs that may take this long.
    pub fn with_max_job_time(max_job_time: Duration) -> Self {
        Self { jobs: Mutex::default(), max_job_time }
    }

    /// Keeps the lease of a job alive until the guard is dropped, or the work has taken too long to be alive.
    pub fn keep_alive(&self, job: &Job) -> KeptAlive<'_> {
        let running = Running { job: job.clone(), since: Instant::now() };
        self.lock().insert(job.job_id, running);
        KeptAlive { jobs: self, job_id: job.job_id }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<JobId, Running>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the jobs whose work is alive.
    fn alive(&self) -> Vec<Job> {
        let is_alive = |running: &&Running| running.since.elapsed() < self.max_job_time;
        self.lock().values().filter(is_alive).map(|running| running.job.clone()).collect()
    }

    /// Returns true if the work on some job has taken too long to be alive.
    pub fn has_stopped(&self) -> bool {
        self.lock().values().any(|running| running.since.elapsed() >= self.max_job_time)
    }

    /// Extends every lease three times as often as needed, until the other end of `until` is dropped.
    pub fn beat(&self, store: &dyn Backend, clock: &dyn Clock, lease: SignedDuration, until: &Receiver<()>) {
        let interval = Duration::try_from(lease).unwrap_or(Duration::from_secs(60)) / 3;
        while until.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
            self.extend_leases(store, lease, clock.steady());
        }
    }

    /// Extends the lease of every job whose work is alive to `now + lease`.
    pub fn extend_leases(&self, store: &dyn Backend, lease: SignedDuration, now: Timestamp) {
        for job in self.alive() {
            // The next time, or the transaction that ends the job, will show whether this matters.
            if let Err(error) = store.heartbeat(&job, lease, now) {
                tracing::warn!(job = %job.job_id, trouble = error.trouble(), "heartbeat failed");
            }
        }
    }
}

/// A job whose lease is being extended.
pub(crate) struct KeptAlive<'a> {
    jobs: &'a RunningJobs,
    job_id: JobId,
}

impl Drop for KeptAlive<'_> {
    fn drop(&mut self) {
        self.jobs.lock().remove(&self.job_id);
    }
}

#[cfg(test)]
mod tests {
    use store::FileIdentity;

    use super::*;

    #[test]
    fn work_that_has_stopped_keeps_no_lease() {
        let file =
            FileIdentity { path: "loop.dcm".into(), size_bytes: 1, modified_unix_ns: 0, inode: 1, changed_unix_ns: 0 };
        let worker = "worker".to_owned();
        let job =
            Job { job_id: JobId(1), file, attempts: 1, interruptions: 0, worker, identity: None, replaces_loop: false };
        let jobs = RunningJobs::with_max_job_time(Duration::from_millis(50));
        let kept = jobs.keep_alive(&job);
        assert_eq!(jobs.alive().len(), 1);
        assert!(!jobs.has_stopped());
        std::thread::sleep(Duration::from_millis(60));
        assert!(jobs.alive().is_empty(), "its heartbeat has stopped");
        assert!(jobs.has_stopped());
        drop(kept);
        assert!(jobs.lock().is_empty());
    }
}
