//! The decoder of a program whose frames workers decode.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cine::{DecodeError, DecodedFrame, FrameDecoder, FrameFormat, InProcessDecoder, ReadSeek, VideoDecoder};

use crate::protocol::{Reply, Task};
use crate::video::WorkerVideo;
use crate::worker::{WorkerError, WorkerProgram};
use crate::workers::{Workers, with_workers};

/// Starts worker processes when they are needed, and keeps them for the next frames.
///
/// There are as many as threads decode at the same time, and one more for each open video.
#[derive(Debug, Clone)]
pub struct WorkerPool(Arc<Workers>);

impl WorkerPool {
    /// Returns a pool whose workers are started as `path` with `arguments`, and call [`crate::serve`].
    pub fn new(path: PathBuf, arguments: Vec<OsString>) -> Self {
        Self(Arc::new(Workers::new(WorkerProgram { path, arguments })))
    }

    /// Starts a worker before a frame needs one. Where that fails, the first such frame says so.
    pub fn start_one(&self) {
        if let Ok(worker) = self.0.take() {
            self.0.give_back(worker);
        }
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
