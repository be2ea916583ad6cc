//! The card of what a run has made: with it beside the weights in the folder of models, every command knows the model.

use std::path::{Path, PathBuf};

use domain::WeightStatus;
use zoo::weights::{SafetensorsFile, TensorSource};
use zoo::{ModelCard, ProbabilityCalibration};

use crate::{DataRecipe, Recipe, Result};

/// The file of a run's weights in half precision, named as the recipe.
pub fn weights_path(recipe: &Recipe, folder: &Path) -> PathBuf {
    folder.join(format!("{}.safetensors", recipe.name))
}

/// The file of a run's card.
pub fn card_path(recipe: &Recipe, folder: &Path) -> PathBuf {
    folder.join(format!("{}{}", recipe.name, ModelCard::EXTENSION))
}

/// The weights that a run began with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartWeights {
    /// The model's name, or the file.
    pub name: String,
    /// The hexadecimal sha256 of the weights.
    pub sha256: String,
    /// Their license, where they are a model's.
    pub license: Option<String>,
}

/// Writes the card of the weights that a run of `recipe` for the model `card` has left in `folder`, and gives its path.
///
/// `start` is what the run began with; `data` is the fingerprint of what was learned from.
///
/// # Errors
/// The weights cannot be read, or the folder cannot be written.
pub fn write_card(
    recipe: &Recipe,
    card: &ModelCard,
    folder: &Path,
    start: Option<&StartWeights>,
    data: &str,
) -> Result<PathBuf> {
    let weights = weights_path(recipe, folder);
    let (status, note) = match recipe.data {
        DataRecipe::Phantom(_) => (WeightStatus::Simulated, "TRAINED ON SIMULATED IMAGES, NOT FOR CLINICAL USE. "),
        // Nothing here can know whose images they are; who has judged the model may say so in its card.
        _ => (WeightStatus::Unvalidated, "NOT VALIDATED. "),
    };
    let start = match start {
        Some(StartWeights { name, sha256, license }) => {
            let license = license.as_ref().map(|license| format!(", license {license}")).unwrap_or_default();
            format!("from {name} (sha256 {sha256}{license})")
        }
        None => "from random numbers".to_owned(),
    };
    let trained = ModelCard {
        name: recipe.name.clone(),
        summary: format!("{}; trained by recipe {}", card.summary, recipe.name),
        status,
        license: "not stated: the owner of the data decides".to_owned(),
        origin: format!(
            "{note}Trained by recipe {}, seed {}, {start}; data with fingerprint {data}.",
            recipe.name, recipe.seed
        ),
        adapted_from: None,
        published: None,
        ships: false,
        calibration: None,
        file: weights.file_name().map(|name| name.to_string_lossy().into_owned()),
        sha256: Some(SafetensorsFile::read(&weights)?.sha256()),
        ..card.clone()
    };
    let path = card_path(recipe, folder);
    trained.write(&path)?;
    Ok(path)
}

/// Adds what was fitted to the weights of a run to the card in its folder, and gives the card's path.
///
/// # Errors
/// The card cannot be read or written.
pub fn add_calibration(recipe: &Recipe, folder: &Path, calibration: ProbabilityCalibration) -> Result<PathBuf> {
    let path = card_path(recipe, folder);
    ModelCard { calibration: Some(calibration), ..ModelCard::read(&path)? }.write(&path)?;
    Ok(path)
}
