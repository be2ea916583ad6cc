//! Jobs of the database, and labelling again.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Subcommand, ValueEnum};
use domain::JobId;
use store::{LoopName, OutboxState, StudyName};

/// `echolabel jobs`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  echolabel jobs list --state failed --db lab.db     which files failed, and why
  echolabel jobs show 12 --db lab.db                 everything about one of them
  echolabel jobs retry 12 15 --db lab.db             try these again
  echolabel jobs retry --kind read --db lab.db       try all of a kind again
  echolabel jobs show 9559f43d --db lab.db           the job of a file that the log names

A retried job is labelled by the running `echolabel watch`, else by the next one. A file that was mended on disk is a new
version: the daemon takes it by itself.")]
pub struct JobsOptions {
    /// Action
    #[command(subcommand)]
    pub command: JobsCommand,
    /// Database: a file, or postgres://USER@HOST/NAME
    #[arg(long, value_name = "DATABASE", global = true)]
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
        /// Number of the job, the tag that the log has for its file, or its loop
        #[arg(value_name = "ID|TAG|LOOP")]
        job: JobName,
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
    /// Queue files or objects, for `echolabel work` or a running `echolabel watch`
    #[command(after_help = "Examples:
  echolabel jobs add s3://echo/loops/ --db postgres://echo@db.example/echo
  echolabel jobs add /archive/echo --db postgres://echo@db.example/echo

What has a job already is left alone. Files that are not whole are named (exit code 1).")]
    Add {
        /// Files, folders, or addresses of objects
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
    /// Put failed jobs back into the queue
    #[command(after_help = "Examples:
  echolabel jobs retry 12 15 --db lab.db
  echolabel jobs retry --kind read --db lab.db
  echolabel jobs retry --all --db lab.db
  echolabel jobs retry --outbox --db lab.db")]
    Retry {
        /// Numbers of jobs, or tags of their files
        #[arg(value_name = "ID|TAG|LOOP", required_unless_present_any = ["all", "kind", "outbox"])]
        jobs: Vec<JobName>,
        /// Every failed job
        #[arg(long, conflicts_with_all = ["jobs", "kind"])]
        all: bool,
        /// Every failed job of this kind
        #[arg(long, value_name = "K", conflicts_with = "jobs")]
        kind: Option<String>,
        /// Instead, send now what was refused or waits for its next try
        #[arg(long, conflicts_with_all = ["jobs", "all", "kind"])]
        outbox: bool,
    },
    /// List reports and messages: sent, waiting, held, refused
    #[command(after_help = "Examples:
  echolabel jobs outbox --db lab.db
  echolabel jobs outbox --state failed --json --db lab.db
  echolabel jobs retry --outbox --db lab.db")]
    Outbox {
        /// Only in this state: pending, held, sent or failed
        #[arg(long, value_name = "STATE", value_parser = outbox_state)]
        state: Option<OutboxState>,
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Decide which of two files with one UID and different pixels is the loop
    #[command(after_help = "Examples:
  echolabel jobs list --kind conflicting_content --db lab.db
  echolabel jobs resolve 12 --keep first --db lab.db     the loop stays as it was labelled
  echolabel jobs resolve 12 --keep this --db lab.db      the file of job 12 is labelled instead

What was said of the other file's pixels stays in the database and counts no more.")]
    Resolve {
        /// Number of the job that is in conflict, or the tag of its file
        #[arg(value_name = "ID|TAG|LOOP")]
        job: JobName,
        /// The file whose pixels the loop has
        #[arg(long, value_enum)]
        keep: KeptFile,
    },
}

fn outbox_state(name: &str) -> Result<OutboxState, String> {
    OutboxState::from_name(name).ok_or_else(|| "expected pending, held, sent or failed".to_owned())
}

/// Which of two files of one UID a person keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KeptFile {
    /// The one that came first.
    First,
    /// The one of this job.
    This,
}

/// A job as people name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobName {
    /// By its number.
    Id(JobId),
    /// By the tag of its file's path.
    PathTag(String),
    /// By the loop that its file holds.
    Loop(LoopName),
}

impl FromStr for JobName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // Tags have eight digits, and a lab needs decades for job 10000000.
        let is_tag = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        match text.parse() {
            _ if is_tag => Ok(Self::PathTag(text.to_ascii_lowercase())),
            Ok(id) => Ok(Self::Id(JobId(id))),
            Err(_) => text.parse().map(Self::Loop).map_err(|_| {
                "neither the number of a job, nor the tag of a file such as 9559f43d, nor a loop such as 12/3"
                    .to_owned()
            }),
        }
    }
}

impl fmt::Display for JobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::PathTag(tag) => f.write_str(tag),
            Self::Loop(name) => name.fmt(f),
        }
    }
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

/// `echolabel relabel`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  echolabel relabel 1.2.840.113619.2.1 --pipeline tte47-frames --db lab.db
  echolabel relabel --all --pipeline tte47-frames --db lab.db
  echolabel inventory 1.2.840.113619.2.1 --all-models --db lab.db    every model's prediction

Loops that the pipeline has labelled already are passed over, so a run that was stopped goes on where it was. The newest
prediction counts in inventories; the others stay. A daemon may run beside it.")]
pub struct RelabelOptions {
    /// Studies: their numbers in the inventory, or the begin of their UIDs
    #[arg(value_name = "STUDY", required_unless_present = "all")]
    pub studies: Vec<StudyName>,
    /// Every study
    #[arg(long, conflicts_with = "studies")]
    pub all: bool,
    /// Database: a file, or postgres://USER@HOST/NAME
    #[arg(long, value_name = "DATABASE")]
    pub db: Option<PathBuf>,
}
