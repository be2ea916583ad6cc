//! The command line, exactly as typed. Others script against it: see `DESIGN.md`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Labels the views of transthoracic echo loops.
#[derive(Debug, Parser)]
#[command(name = "echolabel", version, about, propagate_version = true, max_term_width = 110)]
#[command(after_help = "Examples:
  echolabel demo                                  see it work on simulated studies
  echolabel watch /srv/echo --once --db lab.db    label what is in a folder, then stop
  echolabel inventory --db lab.db                 which views each study has and lacks
  echolabel inspect loop.dcm --png loop.png       what is in a loop

Exit codes: 0 done; 1 some inputs failed, each named with its reason; 2 usage or configuration.")]
pub struct Arguments {
    /// Flags of every command.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
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
    /// Where the model runs: auto, cpu, cuda[:N] or metal
    #[arg(long, global = true, value_name = "DEVICE")]
    pub device: Option<String>,
    /// Threads for the arithmetic; all cores by default
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Folder that holds weight files
    #[arg(long, global = true, value_name = "DIR", env = "ECHOLABEL_MODELS", default_value = "models")]
    pub models: PathBuf,
    /// Say more on stderr; twice for everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Format of the log on stderr
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
}

/// Format of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One object a line.
    Json,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Simulate two studies, watch them come in, label them, print the inventory and where to look
    Demo(DemoOptions),
    /// Watch folders and label what comes in
    Watch(WatchOptions),
    /// Label files or folders now, without a database
    Label(LabelOptions),
    /// Show what is in a loop: header facts, regions, mode, ECG, phases, sampled frames
    Inspect(InspectOptions),
    /// Print the view inventory of one study or of all
    Inventory(InventoryOptions),
    /// Write inventories for other programs
    Export(ExportOptions),
    /// Keep a person's word on which view a loop shows
    Review(ReviewOptions),
    /// Show the models that this build knows
    Models(ModelsOptions),
    /// Check a configuration file, or print an example
    Config(ConfigOptions),
    /// Write simulated studies with their truth
    Phantom(PhantomOptions),
    /// Train a model by a recipe
    Train(TrainOptions),
    /// Say how good a model is, in one report
    Eval(EvalOptions),
    /// Measure how fast this machine is, stage by stage
    Bench(BenchOptions),
}

/// `echolabel demo`
#[derive(Debug, Args)]
#[command(after_help = "Example:
  echolabel demo --out my-demo --studies 1")]
pub struct DemoOptions {
    /// Folder for the studies, the database, pictures and exports; made anew
    #[arg(long, value_name = "DIR", default_value = "demo-out")]
    pub out: PathBuf,
    /// How many studies to simulate
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
    /// Draw what was found
    #[arg(long, value_name = "F")]
    pub png: Option<PathBuf>,
}

/// `echolabel inventory`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  echolabel inventory --db lab.db
  echolabel inventory 1.2.840.113619.2.1 --db lab.db")]
pub struct InventoryOptions {
    /// Study Instance UID; every study when it is left out
    #[arg(value_name = "STUDY")]
    pub study: Option<String>,
    /// Database file
    #[arg(long, value_name = "FILE")]
    pub db: Option<PathBuf>,
    /// Print one JSON object a study
    #[arg(long)]
    pub json: bool,
}

/// `echolabel export`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  echolabel export --format csv --out exports --db lab.db
  echolabel export 1.2.840.113619.2.1 --format json --out exports --db lab.db")]
pub struct ExportOptions {
    /// Study Instance UID; every study when it is left out
    #[arg(value_name = "STUDY")]
    pub study: Option<String>,
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
pipeline's label set. `echolabel export --format csv --paths` then writes what `layout = \"loops\"` of a recipe learns from.")]
pub struct ReviewOptions {
    /// The loop
    #[arg(value_name = "SOP_INSTANCE_UID")]
    pub sop_instance_uid: String,
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

/// `echolabel models`
#[derive(Debug, Args)]
pub struct ModelsOptions {
    /// What to do.
    #[command(subcommand)]
    pub command: ModelsCommand,
}

/// What to do with models.
#[derive(Debug, Subcommand)]
pub enum ModelsCommand {
    /// List the models and whether their weights are here
    List {
        /// Print one JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Show one model's card and how to get its weights
    Show {
        /// The model's name
        name: String,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Take over weights that another framework trained: Keras (.h5, .keras, .weights.h5), torch (.pth, .pt), .safetensors
    #[command(after_help = "Examples:
  echolabel models import TTE47_Classifier_Model.h5 --as EchoView47_classifier
  echolabel models import best_model.pth --as tte11-residual

What a file is, is told from its bytes. Every tensor of the model must be in it with the right shape, and no other
tensor may be left over; else the fault is named and nothing is written. Pickled code is never run.")]
    Import {
        /// The weight file
        file: PathBuf,
        /// The model that it is for
        #[arg(long = "as", value_name = "NAME")]
        name: String,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Fetch a model's weights from where its authors publish them, and import them
    #[command(after_help = "Examples:
  echolabel models pull EchoView47_classifier
  echolabel models pull EchoView47_classifier --from /mnt/usb                a folder with the file
  echolabel models pull EchoView47_classifier --from http://mirror.local     a hub of the same layout

A download that was cut off goes on where it was. HF_ENDPOINT names another hub, HF_TOKEN a token for it, and the usual
proxy variables are used. The file is kept in the folder `downloads` beside the models.")]
    Pull {
        /// The model's name
        name: String,
        /// A file, a folder, the address of a file, or that of a hub
        #[arg(long, value_name = "FILE|DIR|URL")]
        from: Option<String>,
        /// The sha256 that the file must have
        #[arg(long, value_name = "HEX")]
        sha256: Option<String>,
    },
    /// Calibrate a model for int8 on a CPU, and compare it with single precision on other loops
    #[command(after_help = "Examples:
  echolabel models quantize EchoView47_classifier                      on simulated loops
  echolabel models quantize EchoView47_classifier --loops /srv/echo    on loops of yours, every second one kept out

The ranges of what each layer reads are written beside the weights and are good for those weights only. A pipeline file
with `precision = \"int8\"` uses them; without a calibration it is refused. Whether int8 is good enough for a model is for
you to judge by what is printed: the share of loops with the same likeliest class, how far probabilities are apart, and
the expected calibration error (10 bins) of both where the views are known.")]
    Quantize {
        /// The model's name
        name: String,
        /// A folder of loops: every second one calibrates, the others compare
        #[arg(long, value_name = "DIR", conflicts_with_all = ["simulated", "seed"])]
        loops: Option<PathBuf>,
        /// Simulated studies to calibrate on, and as many others to compare on
        #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=100))]
        simulated: u32,
        /// Seed of the simulation; the studies to compare on have the next one
        #[arg(long, value_name = "S", default_value_t = 1)]
        seed: u64,
        /// Fill the model by a formula instead of its weights: for trying it
        #[arg(long)]
        untrained: bool,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Compare our layers with the original frameworks; exit code 1 beyond a tolerance
    #[command(after_help = "Examples:
  echolabel models verify EchoView47_classifier    what that model is made of
  echolabel models verify --golden FILE|DIR        any golden files

Golden files hold what the original framework computed with weights made by a formula, so no trained weights are needed.")]
    Verify {
        /// The model's name
        #[arg(required_unless_present = "golden", conflicts_with = "golden")]
        name: Option<String>,
        /// A golden file, or a folder of them
        #[arg(long, value_name = "FILE|DIR")]
        golden: Option<PathBuf>,
    },
}

/// `echolabel config`
#[derive(Debug, Args)]
pub struct ConfigOptions {
    /// What to do.
    #[command(subcommand)]
    pub command: ConfigCommand,
}

/// What to do with the configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Read the file given by --config, check every key, folder and pipeline, and print what it amounts to
    Check,
    /// Print an example with every key explained
    Example,
}

/// `echolabel phantom`
#[derive(Debug, Args)]
#[command(after_help = "Example:
  echolabel phantom --studies 3 --seed 1 --out phantoms    phantoms/<study>/*.dcm and truth.json")]
pub struct PhantomOptions {
    /// How many studies
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub studies: u32,
    /// Seed; the same seed gives the same bytes
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// Folder to write to
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Small, short loops: for tests
    #[arg(long)]
    pub small: bool,
    /// How far the probe deviates from the usual planes: at 3 many frames might belong to a neighbouring view
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    pub unsteadiness: f64,
}

/// `echolabel train`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  echolabel train pipelines/train/tte11-phantom-image.toml    weights, checkpoints and logs in runs/tte11-phantom-image
  echolabel train my.toml --out /data/run7                    the same command goes on where it was stopped

Ctrl-C keeps what was reached. `steps.csv` has every step, `looks.jsonl` every look at the validation set.")]
pub struct TrainOptions {
    /// The recipe (TOML)
    #[arg(value_name = "RECIPE")]
    pub recipe: PathBuf,
    /// Folder of checkpoints, logs and weights; runs/NAME by default
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Folder of prepared clips, which several runs may share; the run's own by default
    #[arg(long, value_name = "DIR")]
    pub cache: Option<PathBuf>,
}

/// `echolabel eval`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  echolabel eval pipelines/train/tte11-phantom-image.toml         what `train` made, on its validation set
  echolabel eval my.toml --split test --weights best.safetensors
  echolabel eval phantoms                                         the pipeline on studies of `echolabel phantom`
  echolabel eval predictions.csv --against older.csv              two runs on the same rows
  echolabel eval fold0.toml fold1.toml fold2.toml --split test    folds: a report each, mean and deviation over them
  echolabel eval my.toml --label-noise 0.1,0.2,0.3                do clusters find training labels made wrong?

Leaves report.html, figures.json, predictions.csv and pictures.")]
pub struct EvalOptions {
    /// A recipe (TOML), a CSV of predictions, or a folder of simulated studies
    #[arg(value_name = "SOURCE")]
    pub source: PathBuf,
    /// More recipes: the other folds of a cross-validation
    #[arg(value_name = "RECIPE", conflicts_with_all = ["weights", "run", "cache", "against", "label_noise"])]
    pub folds: Vec<PathBuf>,
    /// Folder to write to; beside the source or in the run by default
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Side of the split, for a recipe
    #[arg(long, value_enum, default_value_t = EvalSplit::Validation)]
    pub split: EvalSplit,
    /// Weights, for a recipe; those of its run by default
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,
    /// Folder of the recipe's run; runs/NAME by default
    #[arg(long, value_name = "DIR")]
    pub run: Option<PathBuf>,
    /// Folder of prepared clips, for a recipe
    #[arg(long, value_name = "DIR")]
    pub cache: Option<PathBuf>,
    /// Fit temperature, sets and the limit of energy on the validation set first, and print them
    #[arg(long)]
    pub fit: bool,
    /// Views of a CSV of predictions
    #[arg(long, value_name = "NAME", default_value = "tte11")]
    pub label_set: String,
    /// Another CSV of predictions of the same rows, to compare with
    #[arg(long, value_name = "FILE")]
    pub against: Option<PathBuf>,
    /// Shares of a recipe's training labels to make wrong, to see which of them clusters of the model's vectors find
    #[arg(long, value_name = "SHARE,...", value_delimiter = ',', value_parser = share)]
    pub label_noise: Vec<f64>,
}

fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.0..1.0).contains(&share) { Ok(share) } else { Err("a share is at least 0 and below 1".to_owned()) }
}

/// Side of the split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EvalSplit {
    /// What chooses weights and thresholds.
    Validation,
    /// What is looked at once, at the end.
    Test,
}

/// `echolabel bench`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  echolabel bench                    simulated loops, 30 and 300 frames, stage by stage
  echolabel bench --file loop.dcm    one loop of yours
  echolabel bench --peers            beside other frameworks, after `make peers`
  echolabel bench --write-loops DIR  the 100 loops that the end-to-end figures are measured on")]
pub struct BenchOptions {
    /// Write one JSON object to FILE; to stdout without a name or with -
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    pub json: Option<PathBuf>,
    /// Measure this loop alone
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Measure what opening each model of the registry costs, from weight files made by formula
    #[arg(long, conflicts_with = "file")]
    pub loading: bool,
    /// Measure what opening this model costs
    #[arg(long, value_name = "NAME", conflicts_with_all = ["file", "loading"])]
    pub open: Option<String>,
    /// Run ONNX Runtime, OpenVINO and PyTorch in turns with ours and print ratios; `make peers` installs them
    #[arg(long, conflicts_with_all = ["file", "loading", "open"])]
    pub peers: bool,
    /// Measure nothing; write simulated JPEG loops, 60 frames of 800 x 600, to measure on
    #[arg(long, value_name = "DIR", conflicts_with_all = ["file", "loading", "open", "peers"])]
    pub write_loops: Option<PathBuf>,
    /// How many loops to write
    #[arg(long, value_name = "N", default_value_t = 100, requires = "write_loops",
        value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub loops: u32,
    /// How often each loop is labelled or model opened; the median counts
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub rounds: u32,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        super::Arguments::command().debug_assert();
    }
}
