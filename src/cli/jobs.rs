//! Jobs of the database, and labelling again.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use domain::{JobId, StudyUid};

/// `echolabel jobs`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  echolabel jobs list --state failed --db lab.db     which files failed, and why
  echolabel jobs show 12 --db lab.db                 everything about one of them
  echolabel jobs retry 12 15 --db lab.db             try these again
  echolabel jobs retry --kind read --db lab.db       try all of a kind again

A retried job is labelled by the running `echolabel watch`, else by the next one. A file that was mended on disk is a new
version: the daemon takes it by itself.")]
pub struct JobsOptions {
    /// Action
    #[command(subcommand)]
    pub command: JobsCommand,
    /// Database file
    #[arg(long, value_name = "FILE", global = true)]
    pub db: Option<PathBuf>,
}

/// Actions on jobs.
#[derive(Debug, Subcommand)]
pub enum JobsCommand {
    /// List jobs with their state, reason and file
    #[command(after_help = "Examples:
  echolabel jobs list --state failed --db lab.db
  echolabel jobs list --kind decode --json --db lab.db")]
    List {
        /// Only jobs in this state
        #[arg(long, value_enum)]
        state: Option<StateName>,
        /// Only jobs of this kind of failure, such as decode or read
        #[arg(long, value_name = "K")]
        kind: Option<String>,
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Show one job
    #[command(after_help = "Example:
  echolabel jobs show 12 --db lab.db")]
    Show {
        /// Number of the job
        #[arg(value_name = "ID", value_parser = job_id)]
        id: JobId,
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
    /// Put failed jobs back into the queue
    #[command(after_help = "Examples:
  echolabel jobs retry 12 15 --db lab.db
  echolabel jobs retry --kind read --db lab.db
  echolabel jobs retry --all --db lab.db")]
    Retry {
        /// Numbers of jobs
        #[arg(value_name = "ID", value_parser = job_id, required_unless_present_any = ["all", "kind"])]
        ids: Vec<JobId>,
        /// Every failed job
        #[arg(long, conflicts_with_all = ["ids", "kind"])]
        all: bool,
        /// Every failed job of this kind
        #[arg(long, value_name = "K", conflicts_with = "ids")]
        kind: Option<String>,
    },
}

/// States of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StateName {
    /// Waits for a worker.
    Pending,
    /// A worker is at it.
    Running,
    /// Its loop is in the database.
    Done,
    /// Given up, with a reason.
    Failed,
    /// Nothing to label, with a reason.
    Skipped,
}

fn job_id(text: &str) -> Result<JobId, std::num::ParseIntError> {
    text.parse().map(JobId)
}

/// `echolabel relabel`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  echolabel relabel 1.2.840.113619.2.1 --pipeline tte47-frames --db lab.db
  echolabel relabel --all --pipeline tte47-frames --db lab.db
  echolabel inventory 1.2.840.113619.2.1 --all-models --db lab.db    every model's prediction

Loops that the pipeline has labelled already are passed over, so a run that was stopped goes on where it was. The newest
prediction counts in inventories; the others stay. A daemon may run beside it.")]
pub struct RelabelOptions {
    /// Study Instance UIDs
    #[arg(value_name = "STUDY", required_unless_present = "all")]
    pub studies: Vec<StudyUid>,
    /// Every study
    #[arg(long, conflicts_with = "studies")]
    pub all: bool,
    /// Database file
    #[arg(long, value_name = "FILE")]
    pub db: Option<PathBuf>,
}
