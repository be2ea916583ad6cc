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
