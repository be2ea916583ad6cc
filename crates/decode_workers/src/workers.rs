//! The workers of a program, idle ones included.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use cine::{DecodeError, DecoderFailure};

use crate::worker::{Worker, WorkerError, WorkerProgram};

/// A task whose worker is ended from outside goes to another worker; a machine that ends so many has no memory left.
const MAX_WORKERS_PER_TASK: usize = 3;

/// Starts workers and keeps the idle ones.
#[derive(Debug)]
pub(crate) struct Workers {
    program: WorkerProgram,
    idle: Mutex<Vec<Worker>>,
}

impl Workers {
    /// Returns workers of `program`, none of which is started yet.
    pub(crate) fn new(program: WorkerProgram) -> Self {
        Self { program, idle: Mutex::default() }
    }

    /// Returns an idle worker, or a new one.
    pub(crate) fn take(&self) -> io::Result<Worker> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| Worker::start(&self.program), Ok)
    }

    /// Keeps a worker for the next task.
    pub(crate) fn give_back(&self, worker: Worker) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(worker);
    }
}

/// Does a task, again where its worker was ended from outside.
pub(crate) fn with_workers<T>(
    limit: Duration,
    mut task: impl FnMut(Duration) -> Result<T, WorkerError>,
) -> Result<T, DecodeError> {
    let deadline = Instant::now() + limit;
    let mut reason = String::new();
    for _ in 0..MAX_WORKERS_PER_TASK {
        match task(deadline.saturating_duration_since(Instant::now())) {
            Ok(done) => return Ok(done),
            Err(WorkerError::Task(error)) => return Err(error),
            Err(WorkerError::Ended(how)) => reason = how,
            Err(WorkerError::Input(error)) => reason = format!("the file cannot be read: {}", error.kind()),
        }
    }
    Err(DecoderFailure::Unavailable { reason }.into())
}
