//! Commands on loops.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use domain::{SopUid, StudyUid};

/// `echolabel demo`
#[derive(Debug, Args)]
#[command(after_help = "Example:
  echolabel demo --out my-demo --studies 1")]
pub struct DemoOptions {
    /// Folder for the studies, the database, pictures and exports; made anew
    #[arg(long, value_name = "DIR", default_value = "demo-out")]
    pub out: PathBuf,
    /// Number of studies to simulate
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub studies: u32,
    /// Seed of the simulation
    #[arg(long, value_name = "S", default_value_t = 2)]
    pub seed: u64,
}

/// `echolabel watch`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  echolabel watch /srv/echo                       label loops as they arrive; Ctrl-C stops
  echolabel watch /srv/echo --once --db lab.db    drain and exit, for cron
  echolabel watch --config /etc/echolabel.toml    folders, night window and more from a file

With --once the nightly window of the configuration is ignored.")]
pub struct WatchOptions {
    /// Folders to watch, with all their sub-folders
    #[arg(value_name = "DIR")]
    pub folders: Vec<PathBuf>,
    /// Label what is there, then stop
    #[arg(long)]
    pub once: bool,
    /// Database file
    #[arg(long, value_name = "FILE")]
    pub db: Option<PathBuf>,
}

/// `echolabel label`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  echolabel label loop.dcm
  echolabel label study/ --json > labels.jsonl    one JSON object a line
  echolabel label loop.dcm --pipeline EchoView47_classifier
  echolabel label loop.dcm --pipeline EchoSDNet --untrained

A folder is searched with its sub-folders; what is not DICOM in it is passed over.
Every model of `echolabel models list` is a pipeline too: the frames that its card names, over two beats or four windows;
the probabilities of a model of single frames are averaged over them. A model without views, such as
EchoView47_contrastive_encoder, names none; EchoSDNet says single or dual.")]
pub struct LabelOptions {
    /// Files or folders
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
    /// Fill the model by a formula instead of its weights: the labels mean nothing, but it runs without any file
    #[arg(long)]
    pub untrained: bool,
}

/// `echolabel inspect`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  echolabel inspect loop.dcm
  echolabel inspect loop.dcm --json | jq .ecg
  echolabel inspect loop.dcm --png loop.png       a picture of sector, trace, R peaks and sampled frames")]
pub struct InspectOptions {
    /// A DICOM file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// Draw what was found; the screen around sector, regions and trace, where names stand, is black
    #[arg(long, value_name = "F")]
    pub png: Option<PathBuf>,
    /// Show the whole screen in the picture, with any text that is burned in
    #[arg(long, requires = "png")]
    pub text: bool,
}

/// `echolabel inventory`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  echolabel inventory --db lab.db
  echolabel inventory 1.2.840.113619.2.1 --db lab.db
  echolabel inventory 1.2.840.113619.2.1 --all-models --db lab.db    every model's prediction")]
pub struct InventoryOptions {
    /// Study Instance UID; every study when it is left out
    #[arg(value_name = "STUDY")]
    pub study: Option<StudyUid>,
    /// Database file
    #[arg(long, value_name = "FILE")]
    pub db: Option<PathBuf>,
    /// Print one JSON object a study
    #[arg(long)]
    pub json: bool,
    /// Print every model's prediction of each loop too
    #[arg(long)]
    pub all_models: bool,
}

/// `echolabel export`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  echolabel export --format csv --out exports --db lab.db
  echolabel export 1.2.840.113619.2.1 --format json --out exports --db lab.db")]
pub struct ExportOptions {
    /// Study Instance UID; every study when it is left out
    #[arg(value_name = "STUDY")]
    pub study: Option<StudyUid>,
    /// Format
    #[arg(long, value_enum)]
    pub format: ExportFormat,
    /// Folder to write to
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Database file
    #[arg(long, value_name = "FILE")]
    pub db: Option<PathBuf>,
    /// Say in the CSV where each file lies, for training on it; a path may hold a patient's name
    #[arg(long)]
    pub paths: bool,
}

/// Formats of `echolabel export`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// One row a loop.
    Csv,
    /// One object a study.
    Json,
}

/// `echolabel review`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  echolabel review 1.2.840.113619.2.1.7 PLAX --reviewer kim --db lab.db
  echolabel review 1.2.840.113619.2.1.9 none --reviewer kim --comment \"a finger on the probe\" --db lab.db

The latest review of a loop counts, in inventories and exports too; what a model said stays beside it. Views are those of the
label set of the pipeline that labelled the study. `echolabel export --format csv --paths` then writes what `layout = \"loops\"` of a recipe learns from.")]
pub struct ReviewOptions {
    /// The loop
    #[arg(value_name = "SOP_INSTANCE_UID")]
    pub sop_instance_uid: SopUid,
    /// The view that it shows, or none
    #[arg(value_name = "VIEW|none")]
    pub view: String,
    /// Who says so
    #[arg(long, value_name = "NAME")]
    pub reviewer: String,
    /// Anything to remember; no patient's name
    #[arg(long, value_name = "TEXT")]
    pub comment: Option<String>,
    /// Database file
    #[arg(long, value_name = "FILE")]
    pub db: Option<PathBuf>,
}
