//! The work of a worker process.

use std::io::{Cursor, ErrorKind, Read, Write};

use cine::{DecodeError, FrameDecoder, InProcessDecoder, VideoDecoder};

use crate::confinement::{WorkerSetupError, confine};
use crate::protocol::{Answer, Reply, Request, Task, read_body, read_head, write_head};
use crate::watchdog::Watchdog;

/// Limits this process and answers the requests that come from `input` until it ends.
///
/// # Errors
/// The limits cannot be set, a request cannot be read, or its answer cannot be written since the program that asked is gone.
pub fn serve(input: impl Read, output: impl Write) -> Result<(), WorkerSetupError> {
    // Threads cannot be started under the limits.
    let watchdog = Watchdog::start().map_err(WorkerSetupError::Watchdog)?;
    confine()?;
    answer_requests(input, output, &watchdog).map_err(WorkerSetupError::Pipe)
}

fn answer_requests(mut input: impl Read, mut output: impl Write, watchdog: &Watchdog) -> std::io::Result<()> {
    let mut video: Option<Box<dyn VideoDecoder>> = None;
    loop {
        let (request, body_bytes) = match read_head::<Request>(&mut input, u64::MAX) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(()),
            read => read?,
        };
        let _watched = watchdog.watch(request.limit);
        let body = read_body(&mut input, body_bytes)?;
        let answer = answer(request, body, &mut video);
        let samples = match &answer {
            Ok(Reply::Frame(frame)) => frame.samples(),
            _ => &[],
        };
        write_head(&mut output, &answer, samples.len() as u64)?;
        output.write_all(samples)?;
    }
}

fn answer(request: Request, body: Vec<u8>, video: &mut Option<Box<dyn VideoDecoder>>) -> Answer {
    let limit = request.limit;
    let opened = |video: &mut Option<Box<dyn VideoDecoder>>| {
        video.take().ok_or_else(|| DecodeError::Corrupt("no video is open".into()))
    };
    match request.task {
        Task::Frame(format) => InProcessDecoder.frame(&format, &body, limit).map(Reply::Frame),
        Task::OpenVideo(format) => {
            *video = Some(InProcessDecoder.video(&format, Box::new(Cursor::new(body))));
            Ok(Reply::Done)
        }
        Task::CountPictures => {
            let mut stream = opened(video)?;
            let count = stream.count(limit).map(Reply::Pictures);
            *video = Some(stream);
            count
        }
        Task::Picture(index) => {
            let mut stream = opened(video)?;
            let frame = stream.frame(index, limit).map(Reply::Frame);
            *video = Some(stream);
            frame
        }
        Task::CloseVideo => {
            *video = None;
            Ok(Reply::Done)
        }
    }
}
