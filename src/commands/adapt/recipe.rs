//! The recipe that trains the whole network on from an adapted layer.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use train::{DataRecipe, Recipe};

use crate::cli::AdaptOptions;

/// The recipe for a lab's own loops, of which this one differs by names and paths alone.
const OWN_LOOPS: &str = include_str!("../../../pipelines/train/my-loops.toml");

/// Writes a recipe that starts from the adapted model and learns from the same labels, and returns the CSV of labels that it names.
///
/// Labels of a database are expected in a CSV beside the recipe, as `export --format csv --paths` writes it.
pub fn write(path: &Path, options: &AdaptOptions) -> anyhow::Result<PathBuf> {
    let absolute = |path: &Path| std::path::absolute(path).with_context(|| path.display().to_string());
    let mut recipe = Recipe::parse(OWN_LOOPS, path)?;
    recipe.name = format!("{}-tuned", options.name);
    recipe.model.clone_from(&options.name);
    recipe.start = Some(options.name.clone().into());
    let labels = match &options.labels {
        Some(labels) => absolute(labels)?,
        None => absolute(path)?.with_file_name("loops.csv"),
    };
    if let DataRecipe::Loops(data) = &mut recipe.data {
        data.folder = options.loops.as_deref().map(absolute).transpose()?;
        data.labels.clone_from(&labels);
    }
    let text = toml::to_string_pretty(&recipe)?;
    files::write(path, text.as_bytes(), files::Access::Umask).with_context(|| path.display().to_string())?;
    Ok(labels)
}
