//! Pipes to a process that may not answer: every read and write has a deadline.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::process::{ChildStdin, ChildStdout};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// One end of a pipe, used up to a deadline.
pub(crate) struct Timed<'a, P> {
    pipe: &'a mut P,
    deadline: Instant,
}

impl<'a, P: AsFd> Timed<'a, P> {
    /// Returns the pipe, which does not block, with a deadline.
    pub(crate) fn new(pipe: &'a mut P, deadline: Instant) -> Self {
        Self { pipe, deadline }
    }

    /// Waits until the pipe is ready, or its other end is gone.
    fn wait(&self, readiness: PollFlags) -> io::Result<()> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).map_err(|_| ErrorKind::InvalidInput)?;
        let ready = poll(&mut [PollFd::from_borrowed_fd(self.pipe.as_fd(), readiness)], Some(&timeout));
        match ready {
            Ok(0) => Err(ErrorKind::TimedOut.into()),
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl Read for Timed<'_, ChildStdout> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.pipe.read(buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.wait(PollFlags::IN)?,
                outcome => return outcome,
            }
        }
    }
}

impl Write for Timed<'_, ChildStdin> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.pipe.write(bytes) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.wait(PollFlags::OUT)?,
                outcome => return outcome,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Makes a pipe return instead of waiting, and large enough for frames to pass in few steps where the system allows it.
pub(crate) fn prepare(pipe: BorrowedFd<'_>) -> io::Result<()> {
    let flags = rustix::fs::fcntl_getfl(pipe)?;
    rustix::fs::fcntl_setfl(pipe, flags | rustix::fs::OFlags::NONBLOCK)?;
    #[cfg(target_os = "linux")]
    {
        const PIPE_BYTES: usize = 1 << 20;
        // The system limits the sum of these for each user; a smaller pipe is slower and no worse.
        let _ = rustix::pipe::fcntl_setpipe_size(pipe, PIPE_BYTES);
    }
    Ok(())
}
