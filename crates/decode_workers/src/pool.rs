//! The workers of a program.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use cine::{
    DecodeError, DecodedFrame, DecoderFailure, FrameDecoder, FrameFormat, InProcessDecoder, ReadSeek, VideoDecoder,
};

use crate::protocol::{Reply, Task};
use crate::video::WorkerVideo;
use crate::worker::{Worker, WorkerError};

/// A task whose worker is ended from outside goes to another worker; a machine that ends so many has no memory left.
const MAX_WORKERS_PER_TASK: usize = 3;

/// Starts worker processes when they are needed, and keeps them for the next frames.
///
/// There are as many as threads decode at the same time, and one more for each open video.
#[derive(Debug, Clone)]
pub struct WorkerPool(Arc<Workers>);

#[derive(Debug)]
pub(crate) struct Workers {
    pub program: WorkerProgram,
    idle: Mutex<Vec<Worker>>,
}

/// The command that starts a worker.
#[derive(Debug)]
pub(crate) struct WorkerProgram {
    pub path: PathBuf,
    pub arguments: Vec<OsString>,
}

impl WorkerPool {
    /// Returns a pool whose workers are started as `path` with `arguments`, and call [`crate::serve`].
    pub fn new(path: PathBuf, arguments: Vec<OsString>) -> Self {
        Self(Arc::new(Workers { program: WorkerProgram { path, arguments }, idle: Mutex::default() }))
    }
}

impl Workers {
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

impl FrameDecoder for WorkerPool {
    fn frame(&self, format: &FrameFormat, bytes: &[u8], limit: Duration) -> Result<DecodedFrame, DecodeError> {
        if format.has_bounded_decoder(bytes) {
            return InProcessDecoder.frame(format, bytes, limit);
        }
        let reply = with_workers(limit, |left| {
            let mut worker = self.0.take().map_err(|error| WorkerError::Ended(error.to_string()))?;
            let mut body = bytes;
            let body: (&mut dyn io::Read, u64) = (&mut body, bytes.len() as u64);
            let reply = worker.ask(Task::Frame(format.clone()), Some(body), format.max_decoded_bytes(), left)?;
            self.0.give_back(worker);
            Ok(reply)
        })?;
        match reply {
            Reply::Frame(frame) => Ok(frame),
            Reply::Pictures(_) | Reply::Done => Err(DecodeError::Corrupt("the decoder gave no frame".into())),
        }
    }

    fn video(&self, format: &FrameFormat, stream: Box<dyn ReadSeek>) -> Box<dyn VideoDecoder> {
        Box::new(WorkerVideo::new(Arc::clone(&self.0), format.clone(), stream))
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
