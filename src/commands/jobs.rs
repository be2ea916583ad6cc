//! `echolabel jobs`: what waits, what failed and why, and trying it again.

use anyhow::{Context as _, ensure};
use domain::{JobId, path_tag};
use jiff::Timestamp;
use serde::Serialize;
use store::{ConflictChoice, FailedJobs, JobFailure, JobFilter, JobRow, JobState, Queue as _, Store};

use super::{Outcome, names, outbox, queue_files as add};
use crate::cli::{Common, JobName, JobsCommand, JobsOptions, KeptFile, StateName};
use crate::output;

/// Lists, shows or retries jobs.
pub fn run(common: &Common, options: &JobsOptions) -> Outcome {
    match &options.command {
        JobsCommand::List { state, kind, json } => {
            let store = super::open_store_read_only(common, options.db.clone())?;
            let filter = JobFilter { state: state.map(job_state), kind: kind.clone() };
            store.jobs(&filter)?.iter().try_for_each(|job| print(&JobLine::new(job), *json, false))
        }
        JobsCommand::Show { job, json } => {
            let store = super::open_store_read_only(common, options.db.clone())?;
            let jobs = find(&store, job)?;
            if jobs.is_empty() {
                return Err(no_job(job).into());
            }
            jobs.iter().try_for_each(|job| print(&JobLine::new(job), *json, true))
        }
        JobsCommand::Add { paths } => add::run(common, options.db.clone(), paths),
        JobsCommand::Resolve { job, keep } => resolve(&super::open_store(common, options.db.clone())?, job, *keep),
        JobsCommand::Outbox { state, json } => {
            outbox::list(&super::open_store_read_only(common, options.db.clone())?, *state, *json)
        }
        JobsCommand::Retry { outbox: true, .. } => outbox::retry(&super::open_store(common, options.db.clone())?),
        JobsCommand::Retry { jobs, all, kind, outbox: false } => {
            let store = super::open_store(common, options.db.clone())?;
            let chosen = match (all, kind) {
                (true, _) => vec![FailedJobs::All],
                (false, Some(kind)) => vec![FailedJobs::Kind(kind.clone())],
                (false, None) => failed_jobs(&store, jobs)?,
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

/// Returns the jobs of a number or, as the log has them, of the tag of a path: one for each version of the file.
fn find(store: &Store, name: &JobName) -> anyhow::Result<Vec<JobRow>> {
    Ok(match name {
        JobName::Id(id) => store.job(*id)?.into_iter().collect(),
        JobName::PathTag(tag) => {
            let mut jobs = store.jobs(&JobFilter::default())?;
            // Eight decimal digits may be either.
            jobs.retain(|job| path_tag(&job.file.path) == *tag || job.job_id.to_string() == *tag);
            jobs
        }
        JobName::Loop(name) => {
            let uid = names::loop_uid(store, name)?;
            let mut jobs = store.jobs(&JobFilter::default())?;
            jobs.retain(|job| job.sop_instance_uid.as_ref() == Some(&uid));
            jobs
        }
    })
}

fn no_job(name: &JobName) -> anyhow::Error {
    match name {
        JobName::Id(id) => anyhow::anyhow!("no job {id} in the database"),
        JobName::PathTag(tag) => anyhow::anyhow!("no job of file {tag} in the database"),
        JobName::Loop(name) => anyhow::anyhow!("no job of loop {name} in the database"),
    }
}

/// Returns the jobs to retry: the one of each number, and of each tag the one that failed.
fn failed_jobs(store: &Store, names: &[JobName]) -> anyhow::Result<Vec<FailedJobs>> {
    let mut chosen = Vec::new();
    for name in names {
        let jobs = find(store, name)?;
        let failed = jobs.iter().find(|job| job.state == JobState::Failed).or(jobs.last());
        let job = failed.ok_or_else(|| no_job(name))?;
        chosen.push(FailedJobs::Id(job.job_id));
    }
    Ok(chosen)
}

/// Ends a conflict as a person decided.
fn resolve(store: &Store, name: &JobName, keep: KeptFile) -> Outcome {
    let (choice, said) = match keep {
        KeptFile::First => (ConflictChoice::KeepFirst, "the first file of the loop is kept"),
        KeptFile::This => (ConflictChoice::UseThis, "its file will be labelled and take the place of the first"),
    };
    let jobs = find(store, name)?;
    let conflict = jobs.iter().find(|job| job.error_kind.as_deref() == Some(JobFailure::CONFLICT)).or(jobs.last());
    let job = conflict.ok_or_else(|| no_job(name))?;
    if !store.resolve_conflict(job.job_id, choice, Timestamp::now())? {
        return Err(anyhow::anyhow!("job {} is no conflict, it is {}", job.job_id, job.state).into());
    }
    output::line(format_args!("job {}: {said}", job.job_id))
}

fn ensure_retried(store: &Store, id: JobId, retried: &[JobId]) -> anyhow::Result<()> {
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
