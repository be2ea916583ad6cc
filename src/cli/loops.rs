//! Commands on loops.

use std::path::PathBuf;

use clap::Args;
use jiff::SignedDuration;
use store::{LoopName, StudyName};

/// `echolabel demo`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  echolabel demo --out my-demo --studies 1
  echolabel demo --pacs --studies 1               by DICOM: a cart sends, the reports come back into the archive")]
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
    /// Send the studies by C-STORE, and the reports back to an archive: Orthanc where it is installed, else a receiver of this
    /// program
    #[arg(long)]
    pub pacs: bool,
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
    /// Database: a file, or postgres://USER@HOST/NAME
    #[arg(long, value_name = "DATABASE")]
    pub db: Option<PathBuf>,
}

/// `echolabel label`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  echolabel label loop.dcm
  echolabel label study/ --json > labels.jsonl    one JSON object a line
  echolabel label s3://echo/loops/ --json          the objects of a prefix, of which only what is needed is read
  echolabel label loop.dcm --pipeline EchoView47_classifier
  echolabel label loop.dcm --pipeline EchoSDNet --untrained
  echolabel label --manifest part-0003.jsonl --out part-0003.parquet    a part of an archive, for a cluster

A folder is searched with its sub-folders; what is not DICOM in it is passed over, and names that `watch` ignores:
hidden, ending in .part, .tmp or .filepart, and DICOMDIR.
Every model of `echolabel models list` is a pipeline too: the frames that its card names, over two beats or four windows;
the probabilities of a model of single frames are averaged over them. A model without views, such as
EchoView47_contrastive_encoder, names none; EchoSDNet says single or dual.

With --manifest each line gets a row, of a file that fails too. Rows gather in OUT.part; a call that was stopped or killed goes
on behind the last complete row when it is made again (exit code 3 says that it was stopped). `echolabel import-labels` brings
the file into a database.")]
pub struct LabelOptions {
    /// Files or folders, or objects: s3://bucket/key, or s3://bucket/prefix/ for all of them
    #[arg(required_unless_present = "manifest", value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Label the files of a manifest instead, one JSON object a line: `path`, and if wanted `sha256` and `id`
    #[arg(long, value_name = "FILE", requires = "out", conflicts_with_all = ["paths", "json"])]
    pub manifest: Option<PathBuf>,
    /// With --manifest: the file of labels, .jsonl or .parquet; it is there when every line has its row
    #[arg(long, value_name = "FILE", requires = "manifest")]
    pub out: Option<PathBuf>,
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
  echolabel inspect 12/3 --db lab.db               loop 3 of study 12 of the inventory
  echolabel inspect loop.dcm --png loop.png       a picture of sector, trace, R peaks and sampled frames
  echolabel inspect loop.dcm --why --png why.png  the parts that the answer of the model rests on, in red")]
pub struct InspectOptions {
    /// A DICOM file, or a loop of the database by its short name or the begin of its UID
    #[arg(value_name = "FILE|LOOP")]
    pub file: PathBuf,
    /// Database: a file, or postgres://USER@HOST/NAME, where a loop is named
    #[arg(long, value_name = "DATABASE")]
    pub db: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// Draw what was found; the screen around sector, regions and trace, where names stand, is black
    #[arg(long, value_name = "F")]
    pub png: Option<PathBuf>,
    /// Say which parts of the image and which frames the answer of the model rests on, and tint them in the picture; takes
    /// some seconds
    #[arg(long)]
    pub why: bool,
    /// Show the whole screen in the picture, with any text that is burned in
    #[arg(long, requires = "png")]
    pub text: bool,
    /// Write frames as a NumPy array of bytes, frames x rows x columns x RGB, as they are decoded: with any text that is burned in
    #[arg(long, value_name = "F")]
    pub npy: Option<PathBuf>,
    /// Frames of the array: "all", or indexes from 0 such as 0,5,9; those that the pipeline samples, in order, by default
    #[arg(long, value_name = "LIST", requires = "npy")]
    pub frames: Option<FrameList>,
}

/// Frames that a person names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FrameList {
    /// Every frame of the loop.
    All,
    /// These, in this order.
    Indexes(Vec<u32>),
}

impl std::str::FromStr for FrameList {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "all" {
            return Ok(Self::All);
        }
        let indexes = text.split(',').map(|index| index.trim().parse().ok()).collect::<Option<Vec<u32>>>();
        indexes.map(Self::Indexes).ok_or_else(|| "neither \"all\" nor indexes such as 0,5,9".to_owned())
    }
}

/// `echolabel inventory`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  echolabel inventory --db lab.db
  echolabel inventory 1.2.840.113619.2.1 --db lab.db
  echolabel inventory 1.2.840.113619.2.1 --all-models --db lab.db    every model's prediction
  echolabel inventory 12 --doubtful --db lab.db                      what a person should look at in study 12
  echolabel inventory --since 12h --db lab.db                        the studies of the night
  echolabel inventory 12 --protocol ase-2019 --db lab.db             what the study has and lacks by a protocol
  echolabel inventory --unreadable --db lab.db                       files of no study")]
pub struct InventoryOptions {
    /// Study: its number in the inventory, or the begin of its UID; every study when it is left out
    #[arg(value_name = "STUDY")]
    pub study: Option<StudyName>,
    /// Database: a file, or postgres://USER@HOST/NAME
    #[arg(long, value_name = "DATABASE")]
    pub db: Option<PathBuf>,
    /// Print one JSON object a study
    #[arg(long)]
    pub json: bool,
    /// Protocol to judge completeness by: a name of `protocols`, or a .toml file; the configuration's by default
    #[arg(long, value_name = "NAME|FILE")]
    pub protocol: Option<String>,
    /// Print every model's prediction of each loop too
    #[arg(long)]
    pub all_models: bool,
    /// Print only loops that the model is not sure of, or where its set holds more than one view
    #[arg(long)]
    pub doubtful: bool,
    /// Print only studies that got a file or a label so long ago at most, such as 12h or 2d
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub since: Option<SignedDuration>,
    /// Print the files whose study cannot be read instead: no DICOM, empty, or damaged before the Study Instance UID
    #[arg(long, conflicts_with_all = ["study", "all_models"])]
    pub unreadable: bool,
    /// With --unreadable: print where each file lies; a path may hold a patient's name
    #[arg(long, requires = "unreadable")]
    pub paths: bool,
}

/// `echolabel status`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  echolabel status --db lab.db                    the last 12 hours
  echolabel status --since 3d --paths --db lab.db
  echolabel status --json --db lab.db             for a monitor")]
pub struct StatusOptions {
    /// Time that is looked back upon, such as 12h, 90m or 2d
    #[arg(long, value_name = "TIME", default_value = "12h", value_parser = duration)]
    pub since: SignedDuration,
    /// Say where each failed file lies; a path may hold a patient's name
    #[arg(long)]
    pub paths: bool,
    /// One JSON object
    #[arg(long)]
    pub json: bool,
    /// Database: a file, or postgres://USER@HOST/NAME
    #[arg(long, value_name = "DATABASE")]
    pub db: Option<PathBuf>,
}

/// Reads a duration such as `12h`; a day has 24 hours.
pub(super) fn duration(text: &str) -> Result<SignedDuration, String> {
    let span: jiff::Span = text.parse().map_err(|error: jiff::Error| error.to_string())?;
    let marker = jiff::SpanRelativeTo::days_are_24_hours();
    span.to_duration(marker).map_err(|error| error.to_string())
}

/// `echolabel review`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  echolabel review 12/3 a4c --reviewer kim --db lab.db
  echolabel review 1.2.840.113619.2.1.7 PLAX --reviewer kim --db lab.db
  echolabel review 1.2.840.113619.2.1.9 none --reviewer kim --comment \"a finger on the probe\" --db lab.db
  echolabel review --next --db lab.db              the dozen unread loops that teach the model most

The latest review of a loop counts, in inventories and exports too; what a model said stays beside it. Views are those of the
label set of the pipeline that labelled the study. `echolabel export --format csv --paths` then writes what `layout = \"loops\"` of a recipe learns from.")]
pub struct ReviewOptions {
    /// The loop: its short name in the inventory, such as 12/3, or the begin of its UID
    #[arg(value_name = "LOOP", required_unless_present = "next")]
    pub name: Option<LoopName>,
    /// The view that it shows, in any case or by an alias such as A4C, or none
    #[arg(value_name = "VIEW|none", required_unless_present = "next")]
    pub view: Option<String>,
    /// Who says so
    #[arg(long, value_name = "NAME", required_unless_present = "next")]
    pub reviewer: Option<String>,
    /// Instead, list N unread loops, 12 by default, that teach the model most: those it is unsure of, of many studies and of
    /// views with few reviews; and how often it agreed with the reader, dozen by dozen
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "12", conflicts_with_all = ["name", "view", "comment"])]
    pub next: Option<u16>,
    /// With --next: print one JSON object
    #[arg(long, requires = "next")]
    pub json: bool,
    /// Anything to remember; no patient's name
    #[arg(long, value_name = "TEXT")]
    pub comment: Option<String>,
    /// Database: a file, or postgres://USER@HOST/NAME
    #[arg(long, value_name = "DATABASE")]
    pub db: Option<PathBuf>,
}
