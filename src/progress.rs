//! Progress bars on a terminal; structured logs where nobody looks.

use std::io::{self, IsTerminal, stderr};
use std::sync::{Mutex, MutexGuard, PoisonError};

use daemon::{DaemonEvent, Observer};
use domain::{SopUid, StudyUid};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};

/// Variable of the environment that asks for lines instead of bars; this program sets it for processes that it starts.
pub const LINES_VARIABLE: &str = "ECHOLABEL_PROGRESS_LINES";
/// Begin of such a line: `progress 3/66 reading loops`.
pub const LINE_PREFIX: &str = "progress ";
/// Lines a second, at most.
const LINES_PER_SECOND: u8 = 4;

/// A bar of `length` steps on stderr, hidden when that is no terminal.
pub fn bar(length: u64, what: &'static str) -> ProgressBar {
    if std::env::var_os(LINES_VARIABLE).is_some() {
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(Lines::default()), LINES_PER_SECOND);
        let style = ProgressStyle::with_template("{pos}/{len} {prefix}");
        return ProgressBar::with_draw_target(Some(length), target)
            .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
            .with_prefix(what);
    }
    if !stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{prefix:>12} {bar:40} {pos}/{len} {eta} {msg}");
    ProgressBar::new(length).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())).with_prefix(what)
}

/// A bar of bytes on stderr, hidden when that is no terminal; its length comes later.
pub fn bytes_bar() -> ProgressBar {
    if !stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}");
    ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Writes what a bar would show as lines, for a program that reads them.
#[derive(Debug, Default)]
struct Lines(Mutex<String>);

impl Lines {
    fn text(&self) -> MutexGuard<'_, String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TermLike for Lines {
    fn width(&self) -> u16 {
        120
    }

    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(text)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.text().push_str(text);
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        self.text().clear();
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        let text = std::mem::take(&mut *self.text());
        if !text.trim().is_empty() {
            crate::output::note(format_args!("{LINE_PREFIX}{}", text.trim()));
        }
        Ok(())
    }
}

/// Turns the daemon's events into a bar or into log lines.
pub struct Reporter {
    bar: ProgressBar,
}

impl Reporter {
    /// Starts with nothing to do.
    pub fn start() -> Self {
        Self { bar: bar(0, "labelling") }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Observer for Reporter {
    fn notice(&self, event: &DaemonEvent) {
        match event {
            DaemonEvent::Started { jobs, recovered } => {
                self.bar.inc_length(jobs.unfinished());
                tracing::info!(pending = jobs.pending, done = jobs.done, failed = jobs.failed, recovered, "started");
            }
            DaemonEvent::FileTaken { path_tag, study_instance_uid } => {
                self.bar.inc_length(1);
                let study = study_instance_uid.as_ref().map(StudyUid::as_str);
                tracing::info!(file = path_tag, study, "file taken");
            }
            DaemonEvent::FileIgnored { path_tag, reason } => tracing::info!(file = path_tag, reason, "file ignored"),
            DaemonEvent::ArchiveIgnored { path_tag, reason } => {
                tracing::warn!(file = path_tag, reason, "archive ignored");
            }
            DaemonEvent::FileIncomplete { path_tag, reason, given_up: true } => {
                tracing::warn!(file = path_tag, reason, "file stays incomplete, kept as failed");
            }
            DaemonEvent::FileIncomplete { path_tag, reason, given_up: false } => {
                tracing::info!(file = path_tag, reason, "file incomplete, will look again");
            }
            DaemonEvent::FolderUnreadable { path_tag, reason } => {
                tracing::error!(folder = path_tag, reason, "folder cannot be read, its files are not seen");
            }
            DaemonEvent::PollingOnly { path_tag, reason } => {
                tracing::info!(folder = path_tag, reason, "no change events here, relying on the timed scan");
            }
            DaemonEvent::JobStarted { job_id, path_tag, attempt } => {
                tracing::debug!(job = %job_id, file = path_tag, attempt, "job started");
            }
            DaemonEvent::LoopLabelled { study_instance_uid, sop_instance_uid, view, confidence } => {
                self.bar.inc(1);
                self.bar.set_message(view.clone().unwrap_or_else(|| "not sure".to_owned()));
                tracing::info!(study = %study_instance_uid, sop = %sop_instance_uid, view, confidence, "loop labelled");
            }
            DaemonEvent::LoopSkipped { study_instance_uid, sop_instance_uid, reason } => {
                self.bar.inc(1);
                let study = study_instance_uid.as_ref().map(StudyUid::as_str);
                let sop = sop_instance_uid.as_ref().map(SopUid::as_str);
                tracing::info!(study, sop, reason, "loop without a view");
            }
            DaemonEvent::LoopDuplicate { study_instance_uid, sop_instance_uid } => {
                self.bar.inc(1);
                tracing::info!(study = %study_instance_uid, sop = %sop_instance_uid, "another copy of a known loop");
            }
            DaemonEvent::LoopMoved { study_instance_uid, sop_instance_uid } => {
                self.bar.inc(1);
                tracing::info!(study = %study_instance_uid, sop = %sop_instance_uid, "a later header puts the loop here");
            }
            DaemonEvent::LoopConflict { job_id, path_tag, study_instance_uid, sop_instance_uid } => {
                self.bar.inc(1);
                tracing::warn!(
                    job = %job_id,
                    file = path_tag,
                    study = %study_instance_uid,
                    sop = %sop_instance_uid,
                    "known UID with other pixels, first kept: echolabel jobs resolve"
                );
            }
            DaemonEvent::LoopFailed { job_id, path_tag, kind, message, will_retry } => {
                if *will_retry {
                    tracing::info!(job = %job_id, file = path_tag, kind, message, "loop failed, will try again");
                } else {
                    self.bar.inc(1);
                    tracing::warn!(job = %job_id, file = path_tag, kind, message, "loop failed, kept with its reason");
                }
            }
            DaemonEvent::StudyReopened { study_instance_uid } => {
                tracing::info!(study = %study_instance_uid, "study reopened by a late file");
            }
            DaemonEvent::StudyClosed { study_instance_uid } => {
                tracing::info!(study = %study_instance_uid, "study closed");
            }
            DaemonEvent::DatabaseUnusable { reason } => {
                tracing::error!(reason, "the database cannot be used, waiting");
            }
            DaemonEvent::DatabaseUsable => tracing::warn!("the database can be used again, going on"),
            DaemonEvent::WindowChanged { open } => tracing::info!(open, "nightly window"),
            DaemonEvent::Morning { studies, states, longest_wait } => {
                let files: Vec<String> =
                    states.iter().map(|(state, files)| format!("{files} {}", state.words())).collect();
                let longest_wait_s = longest_wait.map(|wait| wait.as_secs());
                let files = files.join(", ");
                // A target of its own: this line is in the log at every level.
                tracing::info!(target: "morning", studies, files, longest_wait_s, "the last 12 hours");
            }
            DaemonEvent::Alive => {}
            DaemonEvent::Stopping => tracing::info!("stopping, finishing running jobs"),
            _ => tracing::debug!(?event, "event"),
        }
    }
}
