//! Several recipes that are folds of one cross-validation: each its report, and the mean over them.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use evaluate::Evaluation;
use evaluate::metrics::{FoldFigures, mean_over_folds};
use serde::Serialize;

use super::of_recipe;
use crate::cli::{Common, EvalOptions};
use crate::commands::{Failure, Outcome};
use crate::output;

/// What `folds.json` holds.
#[derive(Serialize)]
struct Folds<'a> {
    /// The reports' titles.
    folds: Vec<&'a str>,
    figures: BTreeMap<String, FoldFigures>,
}

/// Evaluates every recipe and prints mean and deviation of each figure that all of them have.
pub fn run(common: &Common, options: &EvalOptions) -> Outcome {
    let sources: Vec<&Path> =
        std::iter::once(&options.source).chain(&options.folds).map(|path| path.as_path()).collect();
    if let Some(other) = sources.iter().find(|source| source.extension().is_none_or(|extension| extension != "toml")) {
        let problem = format!("{}: only recipes can be folds of one evaluation", other.display());
        return Err(Failure::Setup(anyhow::anyhow!(problem)));
    }
    let mut evaluations = Vec::new();
    for source in &sources {
        output::line(format_args!("# {}", source.display()))?;
        evaluations.push(of_recipe(common, options, source)?);
    }
    let figures = over_folds(&evaluations)?;
    output::line(format_args!("# mean over {} folds, standard deviation", sources.len()))?;
    for (name, of_folds) in &figures {
        let deviation = of_folds.standard_deviation.unwrap_or_default();
        output::line(format_args!("{name:<44} {:.4} {deviation:.4}", of_folds.mean))?;
    }
    let folds = evaluations.iter().map(|evaluation| evaluation.header.data.as_str()).collect();
    let folder = options.out.clone().unwrap_or_else(|| Path::new("runs").join("folds"));
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let path = folder.join("folds.json");
    let text = serde_json::to_string_pretty(&Folds { folds, figures })?;
    std::fs::write(&path, text).with_context(|| path.display().to_string())?;
    output::line(path.display())
}

/// Every figure that all folds have, and those of the views that are judged alone.
fn over_folds(evaluations: &[Evaluation]) -> anyhow::Result<BTreeMap<String, FoldFigures>> {
    let mut values: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for evaluation in evaluations {
        let headline = evaluation.figures.iter().map(|figure| (figure.name.clone(), figure.value));
        let subset = evaluation.subset.iter().flat_map(|(subset, figures)| {
            [
                (format!("accuracy of {}", subset.name), figures.pooled),
                (format!("balanced accuracy of {}", subset.name), figures.mean_recall),
            ]
        });
        for (name, value) in headline.chain(subset) {
            values.entry(name).or_default().extend(value);
        }
    }
    values.retain(|_, of_folds| of_folds.len() == evaluations.len());
    values.into_iter().map(|(name, of_folds)| Ok((name, mean_over_folds(&of_folds)?))).collect()
}
