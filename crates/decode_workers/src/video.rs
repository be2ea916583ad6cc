//! A video stream in a worker, which keeps it for as long as the loop is open.

use std::io::{Seek, SeekFrom};
use std::sync::Arc;
use std::time::Duration;

use cine::{DecodeError, DecodedFrame, DecoderFailure, FrameFormat, ReadSeek, VideoDecoder};

use crate::protocol::{Reply, Task};
use crate::worker::{Worker, WorkerError};
use crate::workers::{Workers, with_workers};

/// A worker holds the whole stream in its memory. A minute of the best video of a scanner is half as long.
const MAX_STREAM_BYTES: u64 = 256 << 20;
/// To forget a stream takes no time.
const CLOSE_LIMIT: Duration = Duration::from_secs(1);

/// A stream that some worker decodes.
pub(crate) struct WorkerVideo {
    workers: Arc<Workers>,
    format: FrameFormat,
    stream: Box<dyn ReadSeek>,
    /// The worker that has the stream.
    worker: Option<Worker>,
}

impl WorkerVideo {
    /// Returns the decoder of a stream that no worker has yet.
    pub(crate) fn new(workers: Arc<Workers>, format: FrameFormat, stream: Box<dyn ReadSeek>) -> Self {
        Self { workers, format, stream, worker: None }
    }

    fn ask(&mut self, task: impl Fn() -> Task, limit: Duration) -> Result<Reply, DecodeError> {
        with_workers(limit, |left| {
            let mut worker = match self.worker.take() {
                Some(worker) => worker,
                None => self.open(left)?,
            };
            let answer = worker.ask(task(), None, self.format.max_decoded_bytes(), left);
            // A worker that answered is alive, also where the answer is an error of the stream.
            if matches!(&answer, Ok(_) | Err(WorkerError::Task(DecodeError::Corrupt(_) | DecodeError::VideoNotBuilt))) {
                self.worker = Some(worker);
            }
            answer
        })
    }

    /// Sends the stream to a worker.
    fn open(&mut self, limit: Duration) -> Result<Worker, WorkerError> {
        let length = self.stream.seek(SeekFrom::End(0)).map_err(WorkerError::Input)?;
        self.stream.rewind().map_err(WorkerError::Input)?;
        if length > MAX_STREAM_BYTES {
            return Err(WorkerError::Task(DecoderFailure::OutOfMemory { limit_bytes: MAX_STREAM_BYTES }.into()));
        }
        let mut worker = self.workers.take().map_err(|error| WorkerError::Ended(error.to_string()))?;
        worker.ask(Task::OpenVideo(self.format.clone()), Some((&mut self.stream, length)), 0, limit)?;
        Ok(worker)
    }
}

impl VideoDecoder for WorkerVideo {
    fn count(&mut self, limit: Duration) -> Result<u32, DecodeError> {
        match self.ask(|| Task::CountPictures, limit)? {
            Reply::Pictures(count) => Ok(count),
            Reply::Frame(_) | Reply::Done => Err(DecodeError::Corrupt("the decoder gave no count".into())),
        }
    }

    fn frame(&mut self, index: u32, limit: Duration) -> Result<DecodedFrame, DecodeError> {
        match self.ask(|| Task::Picture(index), limit)? {
            Reply::Frame(frame) => Ok(frame),
            Reply::Pictures(_) | Reply::Done => Err(DecodeError::Corrupt("the decoder gave no frame".into())),
        }
    }
}

impl Drop for WorkerVideo {
    fn drop(&mut self) {
        if let Some(mut worker) = self.worker.take()
            && worker.ask(Task::CloseVideo, None, 0, CLOSE_LIMIT).is_ok()
        {
            self.workers.give_back(worker);
        }
    }
}
