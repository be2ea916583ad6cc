//! One work at a time in a process of its own, whose lines of progress are read.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, ensure};
use jiff::Timestamp;
use web::{LearningEnd, LearningTask};

use crate::progress::{LINE_PREFIX, LINES_VARIABLE};

/// Notes of a process that are kept.
const MAX_NOTES: usize = 40;

/// Output of a process that has ended.
pub struct Ended {
    /// Exit code; `None` where a signal ended it.
    pub code: Option<i32>,
    /// Its results.
    pub stdout: String,
    /// Its messages for people.
    pub notes: Vec<String>,
}

/// The work that runs, or the last that ended; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Background(Arc<Mutex<Option<Work>>>);

#[derive(Debug)]
struct Work {
    task: LearningTask,
    /// `None` once it has ended.
    process: Option<Child>,
}

impl Background {
    /// Starts a work; `judge` makes its end known when the process has ended.
    ///
    /// # Errors
    /// Another one runs, or the process cannot be started.
    pub fn start(
        &self,
        title: String,
        mut command: Command,
        judge: impl FnOnce(Ended) -> LearningEnd + Send + 'static,
    ) -> anyhow::Result<()> {
        let mut work = self.work();
        ensure!(work.as_ref().is_none_or(|work| work.task.end.is_some()), "something runs already: wait, or stop it");
        // Its log is for nobody here, and may hold more than a page should show.
        command.env(LINES_VARIABLE, "1").env("ECHOLABEL_LOG", "off");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().context("cannot start the work")?;
        let (stdout, stderr) = (process.stdout.take(), process.stderr.take());
        let task = LearningTask {
            title,
            stage: "starting".to_owned(),
            done: 0,
            all: 0,
            started_at: Timestamp::now(),
            end: None,
        };
        *work = Some(Work { task, process: Some(process) });
        drop(work);
        let shared = self.clone();
        std::thread::Builder::new().name("learning".to_owned()).spawn(move || {
            let results = std::thread::spawn(move || {
                let mut text = String::new();
                stdout.map(|mut pipe| pipe.read_to_string(&mut text));
                text
            });
            let mut notes = Vec::new();
            for line in stderr.into_iter().flat_map(|pipe| BufReader::new(pipe).lines()).map_while(Result::ok) {
                match line.strip_prefix(LINE_PREFIX) {
                    Some(progress) => shared.follow(progress),
                    None if notes.len() < MAX_NOTES => notes.push(line),
                    None => {}
                }
            }
            let stdout = results.join().unwrap_or_default();
            let process = shared.work().as_mut().and_then(|work| work.process.take());
            let code = process.and_then(|mut process| process.wait().ok()).and_then(|status| status.code());
            let end = judge(Ended { code, stdout, notes });
            if let Some(work) = shared.work().as_mut() {
                work.task.end = Some(end);
            }
        })?;
        Ok(())
    }

    /// Ends the work that runs.
    pub fn cancel(&self) {
        if let Some(process) = self.work().as_mut().and_then(|work| work.process.as_mut())
            && let Err(error) = process.kill()
        {
            tracing::warn!(%error, "the work in the background does not end");
        }
    }

    /// Returns the work that runs, or the last that ended.
    pub fn task(&self) -> Option<LearningTask> {
        self.work().as_ref().map(|work| work.task.clone())
    }

    /// Takes a line such as `3/66 reading loops`.
    fn follow(&self, progress: &str) {
        let parts = progress.split_once(' ').and_then(|(steps, stage)| Some((steps.split_once('/')?, stage)));
        if let (Some(((done, all), stage)), Some(work)) = (parts, self.work().as_mut()) {
            work.task.stage = stage.to_owned();
            work.task.done = done.parse().unwrap_or_default();
            work.task.all = all.parse().unwrap_or_default();
        }
    }

    fn work(&self) -> MutexGuard<'_, Option<Work>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
