//! Signs of life for running jobs.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError};
use domain::JobId;
use jiff::{SignedDuration, Timestamp};
use store::{Backend, Job};

use crate::Clock;

/// The jobs in work right now.
#[derive(Default)]
pub(crate) struct RunningJobs(Mutex<HashMap<JobId, Job>>);

impl RunningJobs {
    /// Keeps the lease of a job alive until the guard is dropped.
    pub fn keep_alive(&self, job: &Job) -> KeptAlive<'_> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(job.job_id, job.clone());
        KeptAlive { jobs: self, job_id: job.job_id }
    }

    /// Extends every lease three times as often as needed, until the other end of `until` is dropped.
    pub fn beat(&self, store: &dyn Backend, clock: &dyn Clock, lease: SignedDuration, until: &Receiver<()>) {
        let interval = Duration::try_from(lease).unwrap_or(Duration::from_secs(60)) / 3;
        while until.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
            self.extend_leases(store, lease, clock.steady());
        }
    }

    /// Extends every lease to `now + lease`.
    pub fn extend_leases(&self, store: &dyn Backend, lease: SignedDuration, now: Timestamp) {
        let jobs: Vec<Job> = self.0.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        for job in jobs {
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
        self.jobs.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.job_id);
    }
}
