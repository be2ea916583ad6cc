//! `echolabel jobs`: what waits, what failed and why, and trying it again.

use anyhow::{Context as _, ensure};
use daemon::path_tag;
use domain::JobId;
use jiff::Timestamp;
use serde::Serialize;
use store::{FailedJobs, JobFilter, JobRow, JobState, Queue as _};

use super::Outcome;
use crate::cli::{Common, JobsCommand, JobsOptions, StateName};
use crate::output;

/// Lists, shows or retries jobs.
pub fn run(common: &Common, options: &JobsOptions) -> Outcome {
    match &options.command {
        JobsCommand::List { state, kind, json } => {
            let store = super::open_store_read_only(common, options.db.clone())?;
            let filter = JobFilter { state: state.map(job_state), kind: kind.clone() };
            store.jobs(&filter)?.iter().try_for_each(|job| print(&JobLine::new(job), *json, false))
        }
        JobsCommand::Show { id, json } => {
            let store = super::open_store_read_only(common, options.db.clone())?;
            let job = store.job(*id)?.with_context(|| format!("no job {id} in the database"))?;
            print(&JobLine::new(&job), *json, true)
        }
        JobsCommand::Retry { ids, all, kind } => {
            let store = super::open_store(common, options.db.clone())?;
            let chosen = match (all, kind) {
                (true, _) => vec![FailedJobs::All],
                (false, Some(kind)) => vec![FailedJobs::Kind(kind.clone())],
                (false, None) => ids.iter().map(|id| FailedJobs::Id(*id)).collect(),
            };
            for which in chosen {
                let retried = store.retry_failed(&which)?;
                if let FailedJobs::Id(id) = which {
                    ensure_retried(&store, id, &retried)?;
                }
                for id in retried {
                    output::line(format_args!("job {id} is queued again"))?;
                }
            }
            Ok(())
        }
    }
}

fn ensure_retried(store: &store::SqliteStore, id: JobId, retried: &[JobId]) -> anyhow::Result<()> {
    if retried.is_empty() {
        let job = store.job(id)?.with_context(|| format!("no job {id} in the database"))?;
        ensure!(job.state == JobState::Failed, "job {id} has not failed, it is {}", job.state);
    }
    Ok(())
}

const fn job_state(name: StateName) -> JobState {
    match name {
        StateName::Pending => JobState::Pending,
        StateName::Running => JobState::Running,
        StateName::Done => JobState::Done,
        StateName::Failed => JobState::Failed,
        StateName::Skipped => JobState::Skipped,
    }
}

/// A job as it is printed.
#[derive(Serialize)]
struct JobLine<'a> {
    job_id: JobId,
    state: JobState,
    kind: Option<&'a str>,
    reason: Option<&'a str>,
    /// Stands for the path in the log.
    path_tag: String,
    path: String,
    attempts: u32,
    duplicate: bool,
    study_instance_uid: Option<&'a str>,
    sop_instance_uid: Option<&'a str>,
    enqueued_at: Timestamp,
    finished_at: Option<Timestamp>,
    not_before: Option<Timestamp>,
}

impl<'a> JobLine<'a> {
    fn new(job: &'a JobRow) -> Self {
        Self {
            job_id: job.job_id,
            state: job.state,
            kind: job.error_kind.as_deref(),
            reason: job.error_message.as_deref(),
            path_tag: path_tag(&job.file.path),
            path: job.file.path.to_string_lossy().into_owned(),
            attempts: job.attempts,
            duplicate: job.duplicate,
            study_instance_uid: job.study_instance_uid.as_ref().map(AsRef::as_ref),
            sop_instance_uid: job.sop_instance_uid.as_ref().map(AsRef::as_ref),
            enqueued_at: job.enqueued_at,
            finished_at: job.finished_at,
            not_before: job.not_before,
        }
    }
}

fn print(job: &JobLine<'_>, json: bool, all: bool) -> Outcome {
    if json {
        return output::json_line(job);
    }
    let kind = job.kind.unwrap_or("-");
    if !all {
        let reason = job.reason.map(|reason| format!("  ({reason})")).unwrap_or_default();
        let (id, state, tag, path) = (job.job_id, job.state.as_str(), &job.path_tag, &job.path);
        return output::line(format_args!("{id:>6}  {state:<8} {kind:<16} file {tag}  {path}{reason}"));
    }
    output::line(format_args!("job {} ({})", job.job_id, job.state))?;
    let time = |time: Option<Timestamp>| time.map_or_else(|| "-".to_owned(), |time| format!("{time:.0}"));
    for (name, value) in [
        ("kind", kind),
        ("reason", job.reason.unwrap_or("-")),
        ("path", &job.path),
        ("path tag", &format!("{} (in the log)", job.path_tag)),
        ("attempts", &job.attempts.to_string()),
        ("study", job.study_instance_uid.unwrap_or("-")),
        ("loop", job.sop_instance_uid.unwrap_or("-")),
        ("taken", &time(Some(job.enqueued_at))),
        ("ended", &time(job.finished_at)),
    ] {
        output::line(format_args!("  {name:<9} {value}"))?;
    }
    Ok(())
}
