//! Recipes that are the folds of one cross-validation: a report of each, and the mean over them.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use evaluate::metrics::FoldMetrics;
use evaluate::{fixed, metrics_over_folds};
use serde::Serialize;

use super::evaluate_recipe;
use crate::cli::{Common, EvalOptions};
use crate::commands::{Failure, Outcome};
use crate::output;

/// The content of `folds.json`.
#[derive(Serialize)]
struct Folds<'a> {
    /// The reports' titles.
    folds: Vec<&'a str>,
    metrics: BTreeMap<String, FoldMetrics>,
}

/// Evaluates every recipe and prints mean and deviation of each metric that all of them have.
pub fn run(common: &Common, options: &EvalOptions) -> Outcome {
    let sources: Vec<&Path> =
        std::iter::once(&options.source).chain(&options.folds).map(|path| path.as_path()).collect();
    if let Some(other) = sources.iter().find(|source| source.extension().is_none_or(|extension| extension != "toml")) {
        let problem = format!("{}: only recipes can be folds of one evaluation", other.display());
        return Err(Failure::Error(anyhow::anyhow!(problem)));
    }
    let mut evaluations = Vec::new();
    for source in &sources {
        output::line(format_args!("# {}", source.display()))?;
        evaluations.push(evaluate_recipe(common, options, source)?);
    }
    let metrics = metrics_over_folds(&evaluations)?;
    output::line(format_args!("# mean over {} folds, standard deviation", sources.len()))?;
    for (name, of_folds) in &metrics {
        let deviation = of_folds.standard_deviation.unwrap_or_default();
        output::line(format_args!("{name:<44} {} {deviation:.4}", fixed(of_folds.mean, 4)))?;
    }
    let folds = evaluations.iter().map(|evaluation| evaluation.header.data.as_str()).collect();
    let folder = options.out.clone().unwrap_or_else(|| Path::new("runs").join("folds"));
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let path = folder.join("folds.json");
    let text = serde_json::to_string_pretty(&Folds { folds, metrics })?;
    files::write(&path, text.as_bytes(), files::Access::Umask).with_context(|| path.display().to_string())?;
    output::line(path.display())
}
