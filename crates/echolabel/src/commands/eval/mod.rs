//! `echolabel eval`: how good a model is, as one report.

mod fit;
mod report;
mod simulated;

use std::path::Path;

use anyhow::Context as _;
use evaluate::calibration::ConformalSets;
use evaluate::{Evaluation, EvaluationOptions, Grouping, Level, Predictions, RunHeader, aggregate};
use train::{DataRecipe, DataSet, Recipe, Snapshot, Split};
use zoo::{LabelSet, ModelCard, Registry};

use super::{Failure, Outcome};
use crate::cli::{Common, EvalOptions, EvalSplit};
use crate::output;

/// Evaluates what `SOURCE` names: a recipe with its weights, a CSV of predictions, or a folder of simulated studies.
pub fn run(common: &Common, options: &EvalOptions) -> Outcome {
    let extension = options.source.extension().and_then(|extension| extension.to_str());
    match extension {
        _ if options.source.is_dir() => simulated::run(common, options),
        Some("csv") => of_predictions(options),
        _ => of_recipe(common, options),
    }
}

/// Predictions that were written down, by this program or another one.
fn of_predictions(options: &EvalOptions) -> Outcome {
    let set = LabelSet::named(&options.label_set)?;
    let read = |path: &Path| -> anyhow::Result<Predictions> {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        evaluate::from_csv(&text, &set.view_names()).with_context(|| path.display().to_string())
    };
    let predictions = aggregate(&read(&options.source)?, Level::Loop)?;
    let mut more = options_for(&set, None);
    if let Some(other) = &options.against {
        let second = aggregate(&read(other)?, Level::Loop)?;
        let names = [&options.source, other].map(|path| path.display().to_string());
        let (first, second) = ((names[0].as_str(), &predictions), (names[1].as_str(), &second));
        more.comparison = Some(evaluate::comparison::RunComparison::of(first, second, 2000, 42)?);
    }
    let header = RunHeader {
        title: format!("Evaluation of {}", options.source.display()),
        model: "as predicted".to_owned(),
        weights: "unknown".to_owned(),
        data: options.source.display().to_string(),
        data_fingerprint: report::fingerprint(&predictions)?,
        data_note: "Research use only; not for clinical use.".to_owned(),
        seed: more.bootstrap_seed,
        date: report::today(),
        more: Vec::new(),
    };
    let folder = options.out.clone().unwrap_or_else(|| options.source.with_extension("report"));
    report::write(&folder, &predictions, &Evaluation::of(&predictions, header, more)?)
}

/// A recipe's model on one side of its split.
fn of_recipe(common: &Common, options: &EvalOptions) -> Outcome {
    let recipe = Recipe::read(&options.source)?;
    let registry = Registry::open(&common.models)?;
    let mut card = recipe.card(registry.card(&recipe.model)?);
    let run = options.run.clone().unwrap_or_else(|| Path::new("runs").join(&recipe.name));
    let weights = options.weights.clone().unwrap_or_else(|| run.join(format!("{}.safetensors", card.name)));
    let snapshot = Snapshot::read(&weights).with_context(|| {
        format!("no weights to evaluate: `echolabel train {}` makes them", options.source.display())
    })?;
    let cache = options.cache.clone().unwrap_or_else(|| run.join("data"));
    let data = DataSet::open(&recipe, &card, &cache, &mut |_, _| {})?;
    if options.fit {
        let validation = train::predict(&unfitted(&card), &snapshot, &data, Split::Validation)?;
        let fitted = fit::confidence(&validation)?;
        output::line(format_args!("# fitted on the validation set; goes into the model's entry of the registry"))?;
        output::line(format_args!("confidence = {}", toml::Value::try_from(fitted)?))?;
        card.confidence = Some(fitted);
    }
    let split = match options.split {
        EvalSplit::Validation => Split::Validation,
        EvalSplit::Test => Split::Test,
    };
    if data.of(split).is_empty() {
        let problem = format!("the data of {} have no {} side: choose another with --split", recipe.name, split.name());
        return Err(Failure::Setup(anyhow::anyhow!(problem)));
    }
    let predictions = aggregate(&train::predict(&card, &snapshot, &data, split)?, Level::Loop)?;
    let views = recipe.views(&card)?;
    let header = RunHeader {
        title: format!("{} on its {} set", card.name, split.name()),
        model: card.summary.clone(),
        weights: report::file_digest(&weights)?,
        data: format!("{}, {}", recipe.name, split.name()),
        data_fingerprint: data.clips().fingerprint().to_owned(),
        data_note: data_note(&recipe.data),
        seed: recipe.seed,
        date: report::today(),
        more: Vec::new(),
    };
    let folder = options.out.clone().unwrap_or_else(|| run.join(format!("report-{}", split.name())));
    let mut more = options_for(&views, card.confidence.as_ref());
    more.embedding = report::places(&predictions)?;
    report::write(&folder, &predictions, &Evaluation::of(&predictions, header, more)?)
}

fn unfitted(card: &ModelCard) -> ModelCard {
    ModelCard { confidence: None, ..card.clone() }
}

fn data_note(data: &DataRecipe) -> String {
    match data {
        DataRecipe::Phantom(_) => "SIMULATED IMAGES. Not for clinical use.".to_owned(),
        _ => "Research use only; not for clinical use.".to_owned(),
    }
}

/// What is computed for every report of these views.
fn options_for(views: &LabelSet, confidence: Option<&zoo::Confidence>) -> EvaluationOptions {
    let groupings = views.groupings.iter().filter_map(|name| {
        let groups = views.groups(name).ok()?;
        Some(Grouping { name: name.clone(), group_of_class: groups.of_views })
    });
    EvaluationOptions {
        groupings: groupings.collect(),
        abstain_below: Some(0.5),
        conformal: confidence.map(|fitted| ConformalSets {
            method: evaluate::calibration::ConformalMethod::Lac,
            miss_rate: 1.0 - fitted.set_coverage,
            threshold: Some(1.0 - fitted.set_from),
        }),
        ..EvaluationOptions::at(Level::Loop)
    }
}
