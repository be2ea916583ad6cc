//! Simulated studies, training, evaluation, speed.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// `echolabel phantom`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  echolabel phantom --studies 3 --seed 1 --out phantoms    phantoms/<study>/*.dcm and truth.json
  echolabel phantom --image-formation point-scatterers --out other    the same hearts by another simulator of ultrasound
  echolabel phantom --stills 10 --out screens              screens/*.dcm and truth.json: captures without regions")]
pub struct PhantomOptions {
    /// Number of studies
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub studies: u32,
    /// Number of stills of each look, instead of studies: pictures and strips of many screens, without regions
    #[arg(long, value_name = "N", conflicts_with_all = ["studies", "small", "unsteadiness", "sway", "domain_randomization", "image_formation"], value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub stills: Option<u32>,
    /// Seed; the same seed gives the same bytes
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// Folder to write to
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Small, short loops: for tests
    #[arg(long)]
    pub small: bool,
    /// Deviation of the probe from the usual planes: at 3 many frames might belong to a neighboring view
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    pub unsteadiness: f64,
    /// Distance by which the probe leaves its place for moments within a loop: at 5 single frames might belong to a neighboring view
    #[arg(long, value_name = "FACTOR", default_value_t = 0.0)]
    pub sway: f64,
    /// Draws patients and looks far wider than labs record them (domain randomization), as for training
    #[arg(long)]
    pub domain_randomization: bool,
    /// Way from tissue to gray
    #[arg(long, value_name = "WAY", value_enum, default_value_t = ImageFormation::Convolution)]
    pub image_formation: ImageFormation,
}

/// Ways from simulated tissue to gray.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ImageFormation {
    /// Scatter convolved with pulse and beam, as in training
    Convolution,
    /// A phased array over point scatterers, which no shipped model has seen: for measuring models
    PointScatterers,
}

/// `echolabel train`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  echolabel train pipelines/train/tte11-phantom-image.toml    weights, checkpoints and logs in runs/tte11-phantom-image
  echolabel train my.toml --out /data/run7                    the same command goes on where it was stopped

Ctrl-C keeps what was reached. `steps.csv` has every step, `validation.jsonl` every validation.")]
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
  echolabel eval my.toml --label-noise 0.1,0.2,0.3                the wrong training labels that clusters find

Leaves report.html, metrics.json, predictions.csv and plots.")]
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
    /// Fit temperature, sets of views and the energy threshold on the validation set first, and print them
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
    /// The side that chooses weights and thresholds.
    Validation,
    /// The side that is looked at once, at the end.
    Test,
}

/// `echolabel bench`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  echolabel bench                    simulated loops, 30 and 300 frames, stage by stage
  echolabel bench --file loop.dcm    one loop of yours
  echolabel bench --peers            beside other frameworks, after `make peers`: half an hour
  echolabel bench --peers --part xception --part file-to-row --json metrics.json
  echolabel bench --receive          objects by C-STORE, beside storescp and Orthanc
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
    /// Only this part, or these; else all
    #[arg(long, value_name = "PART", requires = "peers")]
    pub part: Vec<PeersPart>,
    /// Measure receiving by C-STORE: 200 loops from one sender and from four, in turns with dcmtk's storescp and Orthanc where
    /// they are installed
    #[arg(long, conflicts_with_all = ["file", "loading", "open", "peers"])]
    pub receive: bool,
    /// Receive in a folder of this one, so on its disk; the folder of temporary files without it
    #[arg(long, value_name = "DIR", requires = "receive")]
    pub dir: Option<PathBuf>,
    /// Measure nothing; write simulated JPEG loops, 60 frames of 800 x 600, to measure on
    #[arg(long, value_name = "DIR", conflicts_with_all = ["file", "loading", "open", "peers", "receive"])]
    pub write_loops: Option<PathBuf>,
    /// Number of loops to write
    #[arg(long, value_name = "N", default_value_t = 100, requires = "write_loops",
        value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub loops: u32,
    /// Number of times that each loop is labelled or model opened; the median counts
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub rounds: u32,
}

/// The parts of `bench --peers`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PeersPart {
    /// EfficientNet-B2 on frames of 288, beside ONNX Runtime and OpenVINO
    EfficientnetB2,
    /// The same, everybody held to AVX2 so far as they can be
    EfficientnetB2Avx2,
    /// Xception on frames of 224, beside ONNX Runtime and OpenVINO
    Xception,
    /// The same in int8, and our single precision
    XceptionInt8,
    /// Every encoder beside PyTorch
    Pytorch,
    /// Forward and backward of EfficientNet-B2 beside PyTorch
    TrainingStep,
    /// `echolabel train` beside a loop in PyTorch
    FineTuning,
    /// From file to row, frames of 288 for everybody
    FileToRow,
    /// From file to row, ours with the default pipeline
    FileToRowShipped,
}
