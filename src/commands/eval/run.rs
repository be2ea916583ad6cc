//! A recipe's run, opened for evaluation.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use train::{DataSet, Recipe, Snapshot};
use zoo::{LabelSet, ModelCard};

use crate::cli::{Common, EvalOptions};

/// A recipe with its results.
pub struct Run {
    pub recipe: Recipe,
    pub card: ModelCard,
    pub views: LabelSet,
    /// The run's folder.
    pub folder: PathBuf,
    /// The file of `snapshot`.
    pub weights: PathBuf,
    pub snapshot: Snapshot,
    pub data: DataSet,
    /// The device that the model runs on.
    pub device: nn::Device,
}

impl Run {
    /// Reads the recipe `source`, its weights and its data, which are prepared where they are not yet.
    pub fn open(common: &Common, options: &EvalOptions, source: &Path) -> anyhow::Result<Self> {
        let device = super::super::open_device(common)?;
        let recipe = Recipe::read(source)?;
        let registry = super::super::open_registry(common)?;
        let mut card = recipe.card(registry.card(&recipe.model)?);
        let folder = options.run.clone().unwrap_or_else(|| Path::new("runs").join(&recipe.name));
        let weights = options.weights.clone().unwrap_or_else(|| train::weights_path(&recipe, &folder));
        let snapshot = Snapshot::read(&weights)
            .with_context(|| format!("no weights to evaluate: `echolabel train {}` makes them", source.display()))?;
        card.calibration = fitted_to(&weights, &[&card, &run_card(&recipe, &folder)?.unwrap_or_else(|| card.clone())])?;
        let cache = options.cache.clone().unwrap_or_else(|| folder.join("data"));
        let views = recipe.views(&card)?;
        let data = DataSet::open(&recipe, &card, &cache, &mut |_, _| {})?;
        Ok(Self { recipe, card, views, folder, weights, snapshot, data, device })
    }
}

/// Reads the card that the run has left; `None` without one.
fn run_card(recipe: &Recipe, folder: &Path) -> anyhow::Result<Option<ModelCard>> {
    let path = train::card_path(recipe, folder);
    Ok(path.is_file().then(|| ModelCard::read(&path)).transpose()?)
}

/// Returns the calibration that was fitted to these very weights, by the cards that may be theirs.
fn fitted_to(weights: &Path, cards: &[&ModelCard]) -> anyhow::Result<Option<zoo::ProbabilityCalibration>> {
    let digest = files::sha256(weights).with_context(|| weights.display().to_string())?.to_string();
    Ok(cards.iter().find(|card| card.sha256.as_ref() == Some(&digest)).and_then(|card| card.calibration))
}
