//! `echolabel status`: the night at a glance.

use std::path::Path;

use anyhow::Context as _;
use domain::path_tag;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use store::{FileState, Overview, Queue as _, StateCounts, StoredFile};

use super::Outcome;
use crate::cli::{Common, StatusOptions};
use crate::output;

/// Prints what was done since a time, what failed and what waits.
pub fn run(common: &Common, options: &StatusOptions) -> Outcome {
    let store = super::open_store_read_only(common, options.db.clone())?;
    let now = Timestamp::now();
    let since = now.checked_sub(options.since).context("--since is too long ago")?;
    let overview = store.overview(since)?;
    let status = Status::new(&overview, store.database().file(), since, now, options.paths);
    if options.json { output::json_line(&status) } else { print(&status) }
}

/// The status as it is printed.
#[derive(Serialize)]
struct Status<'a> {
    since: Timestamp,
    studies: u64,
    /// Files by state.
    states: &'a StateCounts,
    waiting: u64,
    longest_wait_s: Option<i64>,
    failures: Vec<Failure<'a>>,
    disk: Option<Disk>,
}

/// A file that a person may have to look at.
#[derive(Serialize)]
struct Failure<'a> {
    job_id: domain::JobId,
    path_tag: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    state: FileState,
    kind: Option<&'a str>,
    reason: Option<&'a str>,
}

/// Space of the database and of the disk that it lies on.
#[derive(Serialize)]
struct Disk {
    database_bytes: u64,
    free_bytes: u64,
}

impl<'a> Status<'a> {
    fn new(
        overview: &'a Overview,
        database: Option<&Path>,
        since: Timestamp,
        now: Timestamp,
        with_paths: bool,
    ) -> Self {
        Self {
            since,
            studies: overview.studies,
            states: &overview.states,
            waiting: overview.states.get(FileState::Waiting),
            longest_wait_s: overview.waiting_since.map(|since| now.duration_since(since).as_secs()),
            failures: overview.failures.iter().map(|file| Failure::new(file, with_paths)).collect(),
            disk: database.and_then(disk),
        }
    }
}

impl<'a> Failure<'a> {
    fn new(file: &'a StoredFile, with_path: bool) -> Self {
        Self {
            job_id: file.job_id,
            path_tag: path_tag(&file.path),
            path: with_path.then(|| file.path.display().to_string()),
            state: file.state,
            kind: file.kind.as_deref(),
            reason: file.reason.as_deref(),
        }
    }
}

fn disk(database: &Path) -> Option<Disk> {
    let database_bytes = std::fs::metadata(database).ok()?.len();
    Some(Disk { database_bytes, free_bytes: files::free_bytes(database).ok()? })
}

fn print(status: &Status<'_>) -> Outcome {
    output::line(format_args!("since {:.0}", status.since))?;
    output::line(format_args!("  {:<14} {}", "studies", status.studies))?;
    for (state, files) in status.states.iter() {
        output::line(format_args!("  {:<14} {files}", state.words()))?;
    }
    if let Some(seconds) = status.longest_wait_s {
        output::line(format_args!("  {:<14} {:#}", "longest wait", SignedDuration::from_secs(seconds)))?;
    }
    if let Some(disk) = &status.disk {
        let megabytes = |bytes: u64| bytes / 1_000_000;
        let (free, used) = (megabytes(disk.free_bytes), megabytes(disk.database_bytes));
        output::line(format_args!("  {:<14} {free} MB free, the database has {used} MB", "disk"))?;
    }
    for failure in &status.failures {
        let reason = failure.reason.unwrap_or("no reason given");
        let path = failure.path.as_deref().map(|path| format!("  {path}")).unwrap_or_default();
        let (state, job, tag) = (failure.state.words(), failure.job_id, &failure.path_tag);
        output::line(format_args!("  {state:<14} job {job}  file {tag}  {reason}{path}"))?;
    }
    Ok(())
}
