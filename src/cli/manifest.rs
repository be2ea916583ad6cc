//! Labelling of archives without a database.

use std::path::PathBuf;

use clap::Args;

/// `echolabel manifest`
#[derive(Debug, Args)]
#[command(after_help = "Example:
  echolabel manifest /archive/echo --parts 40 --out manifests     manifests/part-0000.jsonl to part-0039.jsonl

Each part is labelled by a call of its own, anywhere: `echolabel label --manifest manifests/part-0003.jsonl --out part-0003.parquet`.
A file is not opened. deploy/ has scripts for Slurm and Kubernetes.")]
pub struct ManifestOptions {
    /// Folders, with all their sub-folders, or files
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Number of manifests, of about as many files each
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=9999))]
    pub parts: u16,
    /// Empty folder to write them to
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Read each file and name its SHA-256, so that another file in its place is not labelled
    #[arg(long)]
    pub sha256: bool,
}

/// `echolabel import-labels`
#[derive(Debug, Args)]
#[command(after_help = "Example:
  echolabel import-labels labels/part-*.parquet --db lab.db

Rows get the keys that `echolabel watch` would have given them: a file that is known is not imported twice, and importing again
changes nothing. A file with a row of another layout is refused before anything is written.")]
pub struct ImportLabelsOptions {
    /// Files of `label --manifest`
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Database; made where there is none
    #[arg(long, value_name = "FILE")]
    pub db: Option<PathBuf>,
}

/// `echolabel upload`
#[derive(Debug, Args)]
#[command(after_help = "Example:
  echolabel upload /archive/echo --to s3://echo/loops/

Each loop is named by the digest of its data set, LOOPS/<sha256>.dcm, and is not written where it is there already: two sites that
hold the same loop store it once. Credentials and the store's address come from the environment, by the names that the tools of
AWS read: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT, AWS_ALLOW_HTTP. Loops leave this computer as they
are, with the names in their headers.")]
pub struct UploadOptions {
    /// Files or folders
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Prefix to put them under: s3://bucket/prefix/ or file:///folder/
    #[arg(long, value_name = "ADDRESS")]
    pub to: String,
}

/// `echolabel work`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  echolabel work --db postgres://echo@db.example/echo         until Ctrl-C, on as many computers as there are
  echolabel work --db postgres://echo@db.example/echo --once  until no job is left

Files are queued by `echolabel watch`; each worker must reach them by the same path, or they are objects of a store. A worker that is
killed or hangs loses its jobs to the others when their leases run out, and what it says later is refused.")]
pub struct WorkOptions {
    /// End when no job is left
    #[arg(long)]
    pub once: bool,
    /// Database
    #[arg(long, value_name = "FILE")]
    pub db: Option<PathBuf>,
}

/// `echolabel plan-backfill`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  echolabel bench --json > times.json
  echolabel plan-backfill --times times.json --computers 4 --cores 16
  echolabel label sample/ --json > times.jsonl
  echolabel plan-backfill --times times.jsonl --loops 1000000 --computers 8 --cores 16 --devices 2 --line-mbps 110

A simulation, loop by loop: read from the store, over the computer's line, opened and prepared on a core, through the model on a
device, written down. Measure the times on a computer of the kind that will label, with one thread and nothing beside it.")]
pub struct PlanBackfillOptions {
    /// Times of stages: the output of `bench --json`, or of `label --json` over a sample of the archive
    #[arg(long, value_name = "FILE")]
    pub times: PathBuf,
    /// Number of loops; several are simulated one after the other
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [1_000_000, 10_000_000, 100_000_000])]
    pub loops: Vec<u64>,
    /// Number of computers that label
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub computers: u32,
    /// Cores of a computer
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub cores: u32,
    /// GPUs of a computer; without one the model runs on the cores
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub devices: u32,
    /// Loops that a computer has in hand at once; twice its cores by default
    #[arg(long, value_name = "N")]
    pub workers: Option<u32>,
    /// Megabytes that are read of a loop
    #[arg(long, value_name = "MB", default_value_t = 1.0)]
    pub megabytes: f64,
    /// Megabytes a second of a computer's line
    #[arg(long, value_name = "N", default_value_t = 110.0)]
    pub line_mbps: f64,
    /// Megabytes a second of the store that all computers read from
    #[arg(long, value_name = "N", default_value_t = 1000.0)]
    pub store_mbps: f64,
    /// Labels that the database takes a second
    #[arg(long, value_name = "N", default_value_t = 5000.0)]
    pub labels_per_second: f64,
    /// One JSON object an archive
    #[arg(long)]
    pub json: bool,
}
