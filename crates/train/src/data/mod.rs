//! What is trained on: examples, who they come from, and on which side of a split they stand.

mod images;
mod phantom;
mod split;
mod thesis;
mod tmed2;
mod tte47;

use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use zoo::ModelCard;

pub use images::{ImageClip, image_cache};
pub use phantom::{PhantomData, phantom_cache};
pub use split::check_patients;
pub use thesis::thesis_clips;
pub use tmed2::tmed2_clips;
pub use tte47::tte47_clips;

use crate::{ClipCache, DataRecipe, Recipe, Result, TrainError};

/// One labelled clip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// Who it comes from; never on two sides of a split.
    pub patient: String,
    /// The study.
    pub study: String,
    /// The loop: a SOP Instance UID or a file.
    pub source: String,
    /// The view's index in the label set; `None` for what shows none of them.
    pub class: Option<usize>,
    /// Number of frames in the clip.
    #[serde(default)]
    pub frames: usize,
    /// The side of the split.
    pub split: Split,
}

/// The side of a split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// Learned from.
    Train,
    /// Chooses weights and thresholds.
    Validation,
    /// Looked at once, at the end.
    Test,
}

impl Split {
    /// The name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}

/// Examples with their prepared clips.
pub struct DataSet {
    clips: ClipCache,
}

impl DataSet {
    /// The data of a recipe, prepared for the model `card`; clips that are kept in `folder` already are not made again.
    ///
    /// `progress` hears of what is done and of all.
    pub fn open(recipe: &Recipe, card: &ModelCard, folder: &Path, progress: &mut dyn FnMut(u32, u32)) -> Result<Self> {
        let views = recipe.views(card)?;
        let clips = match &recipe.data {
            DataRecipe::Phantom(data) => return Self::new(phantom_cache(data, card, &views, folder, progress)?),
            DataRecipe::Tte47 { folder } => tte47_clips(folder, &views)?,
            DataRecipe::Tmed2 { folder, fold } => tmed2_clips(folder, fold, &views)?,
            DataRecipe::Thesis { folder, windows } => thesis_clips(folder, windows, &views)?,
        };
        Self::new(image_cache(&clips, card, folder, progress)?)
    }

    /// The examples of `clips`; an error where a patient stands on two sides.
    pub fn new(clips: ClipCache) -> Result<Self> {
        check_patients(clips.examples())?;
        Ok(Self { clips })
    }

    /// The clips.
    pub fn clips(&self) -> &ClipCache {
        &self.clips
    }

    /// The numbers of the examples on one side.
    pub fn of(&self, split: Split) -> Vec<usize> {
        let examples = self.clips.examples().iter().enumerate();
        examples.filter(|(_, example)| example.split == split).map(|(number, _)| number).collect()
    }
}

/// The rows of a CSV with the lines that they stand in; a row that does not fit is an error with its line.
fn read_csv<T: DeserializeOwned>(path: &Path) -> Result<Vec<(u64, T)>> {
    let fault = |error: csv::Error| TrainError::Format { path: path.to_owned(), problem: error.to_string() };
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path).map_err(fault)?;
    let header = reader.headers().map_err(fault)?.clone();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(fault)?;
        let line = record.position().map_or(0, csv::Position::line);
        rows.push((line, record.deserialize(Some(&header)).map_err(fault)?));
    }
    Ok(rows)
}
