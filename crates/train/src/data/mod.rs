//! Training data: examples, their patients and their side of the split.

mod eleven_views;
mod experts;
mod images;
mod label_noise;
mod loops;
mod phantom;
mod split;
mod tmed2;
mod tte47;

use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use zoo::ModelCard;

pub use eleven_views::eleven_views_clips;
pub use experts::{EXPERTS_FILE, ExpertLabels, tte47_experts};
pub use images::{ImageClip, image_cache};
pub use label_noise::noisy_classes;
pub use loops::{LabelledFile, LabelledLoops, LoopData, loop_cache, loops_of_csv, loops_of_files};
pub use phantom::{PhantomData, phantom_cache};
pub use split::check_patients;
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

/// A loop that is not learned from although somebody labelled it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    /// The loop; empty for a file of which it cannot be read.
    pub sop_instance_uid: String,
    /// The reason, without a path and without a patient.
    pub reason: String,
}

impl LeftOut {
    fn new(sop_instance_uid: &str, reason: impl Into<String>) -> Self {
        Self { sop_instance_uid: sop_instance_uid.to_owned(), reason: reason.into() }
    }
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
    /// The class of every example as it is learned: another than its own where labels are made wrong on purpose.
    learned: Vec<Option<usize>>,
}

impl DataSet {
    /// The data of a recipe, prepared for the model `card`; clips that are kept in `folder` already are not made again.
    ///
    /// `progress` hears of what is done and of all.
    ///
    /// # Errors
    /// The data cannot be read, a patient stands on two sides of the split, or the folder cannot be written.
    pub fn open(recipe: &Recipe, card: &ModelCard, folder: &Path, progress: &mut dyn FnMut(u32, u32)) -> Result<Self> {
        let views = recipe.views(card)?;
        let clips = match &recipe.data {
            DataRecipe::Phantom(data) => phantom_cache(data, card, &views, folder, progress)?,
            DataRecipe::Loops(data) => loop_cache(data, recipe.seed, card, &views, folder, progress)?,
            DataRecipe::Tte47 { folder: data } => image_cache(&tte47_clips(data, &views)?, card, folder, progress)?,
            DataRecipe::Tmed2 { folder: data, fold } => {
                image_cache(&tmed2_clips(data, fold, &views)?, card, folder, progress)?
            }
            DataRecipe::ElevenViews { folder: data, windows } => {
                image_cache(&eleven_views_clips(data, windows, &views)?, card, folder, progress)?
            }
        };
        let mut data = Self::new(clips)?;
        if recipe.label_noise > 0.0 {
            data.learned = noisy_classes(data.clips.examples(), &views, recipe.label_noise, recipe.seed)?;
        }
        Ok(data)
    }

    /// The examples of `clips`; an error where a patient stands on two sides.
    ///
    /// # Errors
    /// A patient stands on two sides of the split.
    pub fn new(clips: ClipCache) -> Result<Self> {
        check_patients(clips.examples())?;
        let learned = clips.examples().iter().map(|example| example.class).collect();
        Ok(Self { clips, learned })
    }

    /// The clips.
    pub fn clips(&self) -> &ClipCache {
        &self.clips
    }

    /// The class of every example as it is learned; `None` shows none of the views.
    pub fn learned_classes(&self) -> &[Option<usize>] {
        &self.learned
    }

    /// Examples that were left out, with the reason.
    pub fn left_out(&self) -> &[LeftOut] {
        self.clips.left_out()
    }

    /// The numbers of the examples on one side.
    pub fn of(&self, split: Split) -> Vec<usize> {
        let examples = self.clips.examples().iter().enumerate();
        examples.filter(|(_, example)| example.split == split).map(|(number, _)| number).collect()
    }
}

/// The names of a CSV's columns, each as `name` calls it.
fn csv_columns(path: &Path, name: fn(&str) -> &str) -> Result<Vec<String>> {
    let (header, _) = open_csv(path, name)?;
    Ok(header.iter().map(str::to_owned).collect())
}

/// Opens a CSV and reads its header. Spreadsheets of many countries write semicolons or tabs between cells; the header tells.
fn open_csv(path: &Path, name: fn(&str) -> &str) -> Result<(csv::StringRecord, csv::Reader<std::io::Cursor<String>>)> {
    let fault = |error: csv::Error| TrainError::Format { path: path.to_owned(), problem: error.to_string() };
    let text = std::fs::read_to_string(path).map_err(|source| TrainError::File { path: path.to_owned(), source })?;
    let first_line = text.lines().next().unwrap_or_default();
    let delimiter = [',', ';', '\t'].into_iter().max_by_key(|&mark| (first_line.matches(mark).count(), mark == ','));
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .delimiter(delimiter.map_or(b',', |mark| mark as u8))
        .from_reader(std::io::Cursor::new(text));
    let header = reader.headers().map_err(fault)?.iter().map(name).collect();
    Ok((header, reader))
}

/// The rows of a CSV with the lines that they stand in; a row that does not fit is an error with its line.
fn read_csv<T: DeserializeOwned>(path: &Path, name: fn(&str) -> &str) -> Result<Vec<(u64, T)>> {
    let fault = |error: csv::Error| TrainError::Format { path: path.to_owned(), problem: error.to_string() };
    let (header, mut reader) = open_csv(path, name)?;
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(fault)?;
        let line = record.position().map_or(0, csv::Position::line);
        rows.push((line, record.deserialize(Some(&header)).map_err(fault)?));
    }
    Ok(rows)
}
