//! Training of the models of `zoo`: data sets, augmentation, recipes, the loop, checkpoints.
//!
//! A recipe (TOML) names a model of the registry, data, augmentation, an objective and an optimizer. Every random draw is
//! a function of the recipe's seed, the step and the place in the batch, and nothing else, so the same recipe on the same
//! data gives the same weights, and a run that was interrupted goes on as if it had not been.
//!
//! Invariants: patients never stand on two sides of a split; nothing but the validation set chooses weights.

mod augment;
mod batches;
mod cache;
mod card;
mod checkpoint;
mod clip;
pub mod data;
mod encoded;
mod error;
mod log;
mod loop_vectors;
mod objective;
mod optimizer;
mod predict;
mod projector;
mod recipe;
mod schedule;
mod trainer;
mod validate;
mod variables;

pub use augment::Augmentation;
pub use cache::{ClipCache, ClipCacheWriter};
pub use card::{StartWeights, add_calibration, card_path, weights_path, write_card};
pub use clip::Clip;
pub use data::{DataSet, Example, LabelledFile, LabelledLoops, LeftOut, LoopData, Split, loops_of_csv, loops_of_files};
pub use error::TrainError;
pub use log::{LEFT_OUT, RunLog, write_file_list};
pub use loop_vectors::{LoopVector, loop_vectors};
pub use objective::{Contrast, Objective};
pub use optimizer::{Optimizer, OptimizerSettings};
pub use predict::predict;
pub use recipe::{BatchRecipe, DataRecipe, Recipe, StopRecipe, TrainableParts};
pub use schedule::Schedule;
pub use trainer::{Outcome, Progress, Trainer};
pub use validate::Validation;
pub use variables::{Snapshot, Variables};

/// Result of this crate's operations.
pub type Result<T, E = TrainError> = std::result::Result<T, E>;
