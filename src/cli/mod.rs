//! The command line, exactly as typed. Others script against it: `docs/cli.md` is generated from it.

mod adapt;
mod db;
mod documents;
mod export;
mod fetch;
mod jobs;
mod loops;
mod manifest;
mod models;
mod page;
mod protocols;
#[cfg(test)]
mod reference;
mod training;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ColorChoice, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};

pub use adapt::AdaptOptions;
pub use db::{DbCommand, DbOptions};
pub use documents::{CompletionsOptions, ManOptions};
pub use export::{ExportOptions, Format};
pub use fetch::FetchOptions;
pub use jobs::{JobName, JobsCommand, JobsOptions, KeptFile, RelabelOptions, StateName};
pub use loops::{
    DemoOptions, FrameList, InspectOptions, InventoryOptions, LabelOptions, ReviewOptions, StatusOptions, WatchOptions,
};
pub use manifest::{ImportLabelsOptions, ManifestOptions, PlanBackfillOptions, UploadOptions, WorkOptions};
pub use models::{ConfigCommand, ConfigOptions, ModelsCommand, ModelsOptions};
pub use page::PageOptions;
pub use protocols::ProtocolsOptions;
pub use training::{BenchOptions, EvalOptions, EvalSplit, ImageFormation, PeersPart, PhantomOptions, TrainOptions};

/// Labels the views of transthoracic echo loops.
#[derive(Debug, Parser)]
#[command(name = "echolabel", version, about, propagate_version = true, max_term_width = 110)]
#[command(after_help = "Examples:
  echolabel demo                                  see it work on simulated studies
  echolabel watch /srv/echo --once --db lab.db    label what is in a folder, then stop
  echolabel inventory --db lab.db                 which views each study has and lacks
  echolabel inspect loop.dcm --png loop.png       what is in a loop

Exit codes: 0 done; 1 some inputs failed, each named with its reason; 2 usage or configuration; 3 cannot work now:\n\
the database is locked or its disk is full, or a folder cannot be read, and the same call may succeed later.")]
pub struct Arguments {
    /// Flags of every command.
    #[command(flatten)]
    pub common: Common,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

impl Arguments {
    /// Reads the command line; ends the program with help or an error where that is what it calls for.
    pub fn from_command_line() -> Self {
        let command = Self::command().color(color_choice(std::env::args()));
        let matches = command.get_matches();
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }
}

/// Finds `--color` before the command line is read: it holds for errors in the command line too.
fn color_choice(arguments: impl Iterator<Item = String>) -> ColorChoice {
    let arguments: Vec<String> = arguments.collect();
    let following = arguments.iter().skip_while(|argument| *argument != "--color").nth(1).map(String::as_str);
    let joined = arguments.iter().find_map(|argument| argument.strip_prefix("--color="));
    following.or(joined).and_then(|when| ColorChoice::from_str(when, true).ok()).unwrap_or_default()
}

/// Flags that every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Common options")]
pub struct Common {
    /// Configuration file (TOML); `echolabel config example` prints one
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Pipeline: a shipped name, a .toml file, or a model of `models list` with the frames it was made for
    #[arg(long, global = true, value_name = "NAME")]
    pub pipeline: Option<String>,
    /// Device of the model: auto, cpu, cuda[:N] or metal
    #[arg(long, global = true, value_name = "DEVICE")]
    pub device: Option<String>,
    /// Threads for the arithmetic; all cores by default
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Folder that holds weight files; the configuration's `models` by default
    #[arg(long, global = true, value_name = "DIR", env = "ECHOLABEL_MODELS", hide_env_values = true)]
    pub models: Option<PathBuf>,
    /// Say more on stderr; twice for everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Colors of help, errors and the log: auto follows the terminal and NO_COLOR
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = ColorChoice::Auto)]
    pub color: ColorChoice,
    /// Format of the log on stderr
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
}

impl Common {
    /// Returns the flags that decide which pipeline runs, and how, to start this program again with the same ones.
    pub fn as_flags(&self) -> Vec<OsString> {
        let mut flags: Vec<OsString> = Vec::new();
        let mut add = |flag: &str, value: Option<OsString>| {
            flags.extend(value.into_iter().flat_map(|value| [OsString::from(flag), value]));
        };
        add("--models", self.models.clone().map(OsString::from));
        add("--config", self.config.clone().map(OsString::from));
        add("--pipeline", self.pipeline.clone().map(OsString::from));
        add("--device", self.device.clone().map(OsString::from));
        add("--threads", self.threads.map(|threads| threads.to_string().into()));
        flags
    }
}

/// Format of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One object a line.
    Json,
}

/// The command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Simulate two studies, watch them come in, label them, print the inventory and where to look
    Demo(DemoOptions),
    /// Watch folders and label what comes in
    Watch(WatchOptions),
    /// Label what others have queued, beside any number of such processes
    Work(WorkOptions),
    /// Forecast how long labelling an archive takes, and what holds it up
    PlanBackfill(PlanBackfillOptions),
    /// Label files or folders now, without a database
    Label(LabelOptions),
    /// List the files of folders in manifests, for `label --manifest`
    Manifest(ManifestOptions),
    /// Bring files of labels into a database
    ImportLabels(ImportLabelsOptions),
    /// Put loops into an object store, each once
    Upload(UploadOptions),
    /// Decode frames that come on stdin, for this program's other commands
    #[command(hide = true)]
    DecodeWorker,
    /// Label one file for the daemon, which starts this after the program died while the file was in hand
    #[command(hide = true)]
    LabelIsolated {
        /// The file
        path: PathBuf,
    },
    /// Show what is in a loop: header facts, regions, mode, ECG, phases, sampled frames
    Inspect(InspectOptions),
    /// Print the view inventory of one study or of all
    Inventory(InventoryOptions),
    /// Fetch studies from an archive by DICOMweb into a watched folder
    Fetch(FetchOptions),
    /// List protocols: what a complete study holds
    Protocols(ProtocolsOptions),
    /// Say what was done lately: studies, loops, failures, what waits, disk
    Status(StatusOptions),
    /// Write inventories for other programs
    Export(ExportOptions),
    /// Keep a person's label of a loop
    Review(ReviewOptions),
    /// List jobs, see why files failed, try them again
    Jobs(JobsOptions),
    /// Answer browsers: studies, loops that play, reviews, jobs
    Page(PageOptions),
    /// Label loops of the database with another pipeline; earlier predictions stay
    Relabel(RelabelOptions),
    /// Check the database, or copy it
    Db(DbOptions),
    /// Show the models that this build knows
    Models(ModelsOptions),
    /// Check a configuration file, or print an example
    Config(ConfigOptions),
    /// Write simulated studies with their truth
    Phantom(PhantomOptions),
    /// Adapt a model to this lab: learn its last layer from loops that people have labelled
    Adapt(AdaptOptions),
    /// Train a model by a recipe
    Train(TrainOptions),
    /// Say how good a model is, in one report
    Eval(EvalOptions),
    /// Measure how fast this machine is, stage by stage
    Bench(BenchOptions),
    /// Print a script that completes this program's commands and flags in a shell
    Completions(CompletionsOptions),
    /// Write man pages, one for each command
    Man(ManOptions),
}
