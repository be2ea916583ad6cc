//! Labelling of one file in a process of its own, for files that were in hand when the program died.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use daemon::{LabelFailure, Labelling};

use crate::cli::Common;

/// A loop takes seconds; opening a large model takes a minute at most.
const TIME_LIMIT: Duration = Duration::from_secs(120);
/// Time between two looks at whether the process has ended.
const POLL: Duration = Duration::from_millis(20);

/// The result that the process writes to stdout, as JSON.
pub type Answer = Result<Labelling, LabelFailure>;

/// Starts this program again to label one file.
#[derive(Debug)]
pub struct Isolation {
    program: PathBuf,
    /// The flags that decide which pipeline labels, and how.
    flags: Vec<OsString>,
}

impl Isolation {
    /// Returns the way to start this program with the same pipeline.
    ///
    /// # Errors
    /// The path of this program cannot be found.
    pub fn new(common: &Common) -> anyhow::Result<Self> {
        Ok(Self { program: std::env::current_exe().context("the path of this program")?, flags: common.as_flags() })
    }

    /// Labels one file; whatever it does to the process becomes a failure of the file.
    pub fn label(&self, path: &Path) -> Answer {
        // A file, not a pipe: a process that fills a pipe which nobody reads does not end.
        let io = |error: std::io::Error| failure("labelling_process", &format!("cannot start it: {error}"));
        let answer = tempfile::NamedTempFile::new().map_err(io)?;
        let stdout = answer.reopen().map_err(io)?;
        let mut command = Command::new(&self.program);
        command.arg("label-isolated").arg(path).args(&self.flags);
        let child = command.stdin(Stdio::null()).stdout(stdout).stderr(Stdio::null()).spawn().map_err(io)?;
        let status = wait(child, TIME_LIMIT).map_err(io)?;
        read_answer(status, &std::fs::read(answer.path()).map_err(io)?)
    }
}

/// Waits for the end of a process and ends it at the limit, with `None`.
fn wait(mut child: Child, limit: Duration) -> std::io::Result<Option<ExitStatus>> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= deadline {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(POLL);
    }
}

fn read_answer(status: Option<ExitStatus>, stdout: &[u8]) -> Answer {
    let Some(status) = status else {
        let message = format!("the process that labelled it was ended after {} s", TIME_LIMIT.as_secs());
        return Err(failure("labelling_process_too_slow", &message));
    };
    if !status.success() {
        return Err(failure("labelling_process_died", &format!("the process that labelled it ended with {status}")));
    }
    serde_json::from_slice(stdout)
        .unwrap_or_else(|error| Err(failure("labelling_process_died", &format!("its answer cannot be read: {error}"))))
}

/// A process may also die because the machine has no memory left, so another try may help.
fn failure(kind: &str, message: &str) -> LabelFailure {
    LabelFailure { kind: kind.to_owned(), message: message.to_owned(), temporary: true, identity: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(script: &str) -> Child {
        Command::new("sh").args(["-c", script]).stdout(Stdio::null()).spawn().expect("a shell")
    }

    fn kind_of(answer: Answer) -> String {
        answer.expect_err("no label").kind
    }

    #[test]
    fn a_process_that_aborts_is_a_failure_of_its_file() {
        let status = wait(process("kill -ABRT $$"), TIME_LIMIT).expect("it ends");
        assert_eq!(kind_of(read_answer(status, b"")), "labelling_process_died");
    }

    #[test]
    fn a_process_that_does_not_end_is_ended() {
        let status = wait(process("exec sleep 600"), Duration::from_millis(50)).expect("it can be ended");
        assert_eq!(kind_of(read_answer(status, b"")), "labelling_process_too_slow");
    }

    #[test]
    fn an_answer_is_read_back_and_half_of_one_is_refused() {
        let answer: Answer = Ok(Labelling::Skipped { facts: None, reason: "the object holds no image".to_owned() });
        let json = serde_json::to_vec(&answer).expect("JSON");
        let ended = || wait(process("true"), TIME_LIMIT).expect("it ends");
        assert_eq!(read_answer(ended(), &json), answer);
        assert_eq!(kind_of(read_answer(ended(), &json[..json.len() / 2])), "labelling_process_died");
    }
}
