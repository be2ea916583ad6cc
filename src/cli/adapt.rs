//! A lab's own model.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;

/// `echolabel adapt`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  echolabel adapt --db lab.sqlite --as our-lab                     from the loops that people have reviewed
  echolabel adapt --labels ours.csv --loops /data/echo --as our-lab
  echolabel adapt --db lab.sqlite --as our-lab --pipeline EchoView47_classifier
  echolabel adapt --db lab.sqlite --as ours8 --pipeline EchoView47_encoder --label-set mylab8
  echolabel adapt --db lab.sqlite --as our-lab --learning-curve    what 5, 10, 20 and 50 loops of each view bring
  echolabel models use our-lab                                     then label with it; `models use --back` undoes this

The encoder stays as it is; its last layer is learned anew from the lab's labels, at least five loops of two patients for
each view. It is judged on patients that it did not see, and written only if these are labelled better. Vectors of loops
are kept, so a second run takes seconds. Exit code 1: it was not better.")]
pub struct AdaptOptions {
    /// Name of the new model; files are written into the folder of models
    #[arg(long = "as", value_name = "NAME")]
    pub name: String,
    /// Database whose reviewed loops are learned from: a file, or postgres://USER@HOST/NAME
    #[arg(long, value_name = "DATABASE", conflicts_with = "labels")]
    pub db: Option<PathBuf>,
    /// CSV of labels instead: sop_instance_uid,view, or what `export --format csv` writes
    #[arg(long, value_name = "FILE")]
    pub labels: Option<PathBuf>,
    /// Folder with the loops of the CSV; not needed if it has a column `path`
    #[arg(long, value_name = "DIR", requires = "labels")]
    pub loops: Option<PathBuf>,
    /// Views of the labels, if they are not the model's: a shipped label set, or a file NAME.views.toml in the folder of models
    #[arg(long, value_name = "NAME")]
    pub label_set: Option<String>,
    /// Folder of kept vectors; MODELS/vectors by default
    #[arg(long, value_name = "DIR")]
    pub cache: Option<PathBuf>,
    /// Seed of the division of patients
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// Also says what more labels bring: layers learned from so many loops of each view, in ten draws, each judged on patients
    /// left out
    #[arg(long, value_name = "LOOPS", num_args = 0..=1, default_missing_value = "5,10,20,50", value_delimiter = ',')]
    pub learning_curve: Vec<NonZeroUsize>,
    /// Recipe of a full fine-tuning from the adapted model, to be written if it is accepted; labels of a database are expected
    /// in a file loops.csv beside it, which `export --format csv --paths` writes
    #[arg(long, value_name = "FILE")]
    pub recipe: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}
