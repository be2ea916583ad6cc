//! Models, and the file of settings.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `echolabel models`
#[derive(Debug, Args)]
pub struct ModelsOptions {
    /// The action.
    #[command(subcommand)]
    pub command: ModelsCommand,
}

/// Actions on models.
#[derive(Debug, Subcommand)]
pub enum ModelsCommand {
    /// List the models and whether their weights are here
    #[command(after_help = "Examples:
  echolabel models list
  echolabel models list --json | jq -r .name")]
    List {
        /// Print one JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Show one model's card and how to get its weights
    #[command(after_help = "Example:
  echolabel models show EchoView47_classifier")]
    Show {
        /// The model's name
        name: String,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Label with a model from now on, where neither --pipeline nor the configuration names another
    #[command(after_help = "Examples:
  echolabel models use our-lab      studies to come are labelled with it; `echolabel relabel` does old ones
  echolabel models use --back       with the one before

A running `echolabel watch` goes on with its model until it is started again.")]
    Use {
        /// The model or pipeline
        #[arg(required_unless_present = "back")]
        name: Option<String>,
        /// Go back to the one before
        #[arg(long, conflicts_with = "name")]
        back: bool,
    },
    /// Take over weights that another framework trained: Keras (.h5, .keras, .weights.h5), torch (.pth, .pt),
    /// .safetensors
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

A download that was cut off goes on where it was. HF_ENDPOINT names another hub, and the usual proxy variables are used.
HF_TOKEN is sent to that hub, over https only, and to no address of --from elsewhere. The file is kept in the folder `downloads` beside the models.")]
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
  echolabel models verify --golden FILE|DIR        any reference files

Reference files hold what the original framework computed with weights made by a formula, so no trained weights are needed.")]
    Verify {
        /// The model's name
        #[arg(required_unless_present = "golden", conflicts_with = "golden")]
        name: Option<String>,
        /// A reference file, or a folder of them
        #[arg(long, value_name = "FILE|DIR")]
        golden: Option<PathBuf>,
    },
}

/// `echolabel config`
#[derive(Debug, Args)]
pub struct ConfigOptions {
    /// The action.
    #[command(subcommand)]
    pub command: ConfigCommand,
}

/// Actions on the configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Read the file given by --config, check every key, folder and pipeline, and print what it amounts to
    #[command(after_help = "Example:
  echolabel config check --config /etc/echolabel.toml")]
    Check,
    /// Print an example with every key explained
    #[command(after_help = "Example:
  echolabel config example > echolabel.toml")]
    Example,
    /// Print the JSON Schema of the file, for editors and other programs
    #[command(after_help = "Example:
  echolabel config schema > echolabel.schema.json

An editor that knows TOML schemas uses it when the file starts with `#:schema ./echolabel.schema.json`.")]
    Schema,
}
