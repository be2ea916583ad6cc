//! One worker process, as the program sees it.

use std::ffi::OsString;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use cine::{DecodeError, DecoderFailure};
use rustix::process::Signal;

use crate::confinement::MAX_MEMORY_BYTES;
use crate::exchange::{Timed, prepare};
use crate::protocol::{Answer, Reply, Request, Task, read_body, read_head, write_head};

const COPY_BYTES: usize = 256 << 10;
const MAX_STDERR_BYTES: u64 = 64 << 10;

/// The command that starts a worker.
#[derive(Debug)]
pub(crate) struct WorkerProgram {
    pub path: PathBuf,
    pub arguments: Vec<OsString>,
}

/// Failure of an exchange with a worker, after which the worker is gone.
pub(crate) enum WorkerError {
    /// The task failed, and would fail with another worker.
    Task(DecodeError),
    /// The worker was ended from outside: another may do the task.
    Ended(String),
    /// The bytes for the worker cannot be read.
    Input(io::Error),
}

/// A running process with its pipes; ends with this value.
#[derive(Debug)]
pub(crate) struct Worker {
    child: Child,
    stdin: ChildStdin,
    stdout: ChildStdout,
    stderr: ChildStderr,
}

impl Worker {
    /// Starts a process.
    pub(crate) fn start(program: &WorkerProgram) -> io::Result<Self> {
        let mut command = Command::new(&program.path);
        command.args(&program.arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // An interrupt from the keyboard goes to the program, which ends its workers when their work is done.
        command.process_group(0);
        let mut child = command.spawn()?;
        let (Some(stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(ErrorKind::BrokenPipe.into());
        };
        let worker = Self { child, stdin, stdout, stderr };
        [worker.stdin.as_fd(), worker.stdout.as_fd(), worker.stderr.as_fd()].into_iter().try_for_each(prepare)?;
        Ok(worker)
    }

    /// Sends a task, with a body of so many bytes where it has one, and waits for its answer.
    pub(crate) fn ask(
        &mut self,
        task: Task,
        body: Option<(&mut dyn Read, u64)>,
        max_answer_bytes: usize,
        limit: Duration,
    ) -> Result<Reply, WorkerError> {
        let deadline = Instant::now() + limit;
        self.send(&Request { limit, task }, body, deadline)?;
        let mut stdout = Timed::new(&mut self.stdout, deadline);
        let answer = read_head::<Answer>(&mut stdout, max_answer_bytes as u64)
            .and_then(|(answer, length)| Ok((answer, read_body(&mut stdout, length)?)));
        if answer.is_ok() {
            self.last_words();
        }
        match answer {
            Ok((Ok(Reply::Frame(frame)), samples)) => Ok(Reply::Frame(frame.with_samples(samples))),
            Ok((Ok(reply), _)) => Ok(reply),
            Ok((Err(error), _)) => Err(WorkerError::Task(error)),
            Err(error) => Err(self.failure(&error, limit)),
        }
    }

    fn send(
        &mut self,
        request: &Request,
        body: Option<(&mut dyn Read, u64)>,
        deadline: Instant,
    ) -> Result<(), WorkerError> {
        let limit = request.limit;
        let body_bytes = body.as_ref().map_or(0, |(_, length)| *length);
        let mut stdin = Timed::new(&mut self.stdin, deadline);
        if let Err(error) = write_head(&mut stdin, request, body_bytes) {
            return Err(self.failure(&error, limit));
        }
        let Some((body, _)) = body else { return Ok(()) };
        let mut buffer = vec![0; COPY_BYTES.min(usize::try_from(body_bytes).unwrap_or(COPY_BYTES))];
        let mut left = body_bytes;
        while left > 0 {
            let wanted = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            let part = buffer.get_mut(..wanted).unwrap_or_default();
            body.read_exact(part).map_err(WorkerError::Input)?;
            let sent = Timed::new(&mut self.stdin, deadline).write_all(part);
            if let Err(error) = sent {
                return Err(self.failure(&error, limit));
            }
            left -= wanted as u64;
        }
        Ok(())
    }

    /// Ends the process and says why its pipe failed.
    fn failure(&mut self, error: &io::Error, limit: Duration) -> WorkerError {
        let is_late = error.kind() == ErrorKind::TimedOut;
        if is_late {
            return match self.end() {
                Ok(_) => WorkerError::Task(DecoderFailure::TooSlow { limit }.into()),
                Err(error) => WorkerError::Ended(error.to_string()),
            };
        }
        // A pipe that closed belongs to a process that is ending; one that spoke nonsense must be ended.
        let ended = if error.kind() == ErrorKind::InvalidData { self.end() } else { self.child.wait() };
        match ended {
            Ok(status) => cause_of(status, &self.last_words()),
            Err(error) => WorkerError::Ended(error.to_string()),
        }
    }

    /// Reads what the process has written to stderr, so that it never waits for a reader.
    fn last_words(&mut self) -> String {
        let mut words = Vec::new();
        // It ends with "would block", or with the end of the pipe.
        let _ = (&mut self.stderr).take(MAX_STDERR_BYTES).read_to_end(&mut words);
        String::from_utf8_lossy(&words).into_owned()
    }

    fn end(&mut self) -> io::Result<ExitStatus> {
        self.child.kill()?;
        self.child.wait()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // One that has ended already cannot be ended again, which is as well.
        let _ = self.end();
    }
}

/// Returns what an exit says about the bytes.
///
/// A fault of the process's own is theirs. A signal from outside is not, and neither is an exit in words: the process could
/// not begin.
fn cause_of(status: ExitStatus, last_words: &str) -> WorkerError {
    const FROM_OUTSIDE: [Signal; 4] = [Signal::HUP, Signal::INT, Signal::KILL, Signal::TERM];
    let is_from_outside = |number| FROM_OUTSIDE.iter().any(|signal| signal.as_raw() == number);
    match status.signal() {
        None => WorkerError::Ended(format!("{status}: {}", last_words.trim_end())),
        Some(signal) if is_from_outside(signal) => WorkerError::Ended(status.to_string()),
        // The words of Rust's allocator before it aborts.
        Some(_) if last_words.contains("memory allocation of") => {
            WorkerError::Task(DecoderFailure::OutOfMemory { limit_bytes: MAX_MEMORY_BYTES }.into())
        }
        Some(_) => WorkerError::Task(DecoderFailure::Crashed { how: status.to_string() }.into()),
    }
}
