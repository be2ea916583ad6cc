//! `echolabel adapt`: a lab's own last layer, from its own labels.

mod labels;
mod recipe;
mod report;
mod vectors;

use std::num::NonZeroUsize;
use std::path::Path;

use adapt::{Adaptation, CurvePoint, LabelledLoop, LinearHead, VectorCache};
use anyhow::{Context as _, ensure};
use domain::WeightStatus;
use pipeline::{LastLayer, Pipeline, PipelineSource};
use zoo::weights::replace_last_layer;
use zoo::{LabelSet, ModelCard, Registry, Task};

use super::eval::fit::calibration_of;
use super::{Failure, Outcome};
use crate::cli::{AdaptOptions, Common};
use crate::output;

/// Learns the layer, prints the judgement and writes the model if it is better.
pub fn run(common: &Common, options: &AdaptOptions) -> Outcome {
    let settings = super::settings(common, daemon::Overrides { database: options.db.clone(), ..Default::default() })?;
    let registry = Registry::open(&settings.models)?;
    check_name(&registry, &options.name)?;
    let (source, device) = super::pipeline_and_device(&settings)?;
    let (source, card) = unadapted(source, &settings.models)?;
    let views = views(&registry, options, &card)?;
    let labelled = labels::read(common, options, &views)?;
    let (pipeline, last_layer) = Pipeline::open_for_vectors(&source, &settings.models, device)?;

    let folder = options.cache.clone().unwrap_or_else(|| settings.models.join("vectors"));
    let workers = settings.labelling.workers;
    let (loops, left_out) = vectors::compute(&pipeline, &VectorCache::open(&folder)?, labelled, workers)?;
    report::print_left_out(&left_out);
    if loops.is_empty() {
        return Err(anyhow::anyhow!("none of the labelled loops can be used: the reasons are above").into());
    }
    // A layer for other views says nothing about these: learning starts from "every view equally likely".
    let own = last_layer.filter(|_| card.label_set.as_ref() == Some(&views.name)).map(head);
    let width = loops[0].samples.first().map_or(0, |sample| sample.vector.len());
    let start = own.clone().unwrap_or_else(|| LinearHead::zeros(views.views.len(), width));
    let bar = crate::progress::bar(0, "learning");
    let adapted = adapt::adapt(&loops, &views.view_names(), &start, options.seed, &|done, all| {
        bar.set_length(all as u64);
        bar.set_position(done as u64);
    })?;
    bar.finish_and_clear();
    let curve = match options.learning_curve.as_slice() {
        [] => vec![],
        sizes => learning_curve(&loops, &views, &start, sizes, options.seed)?,
    };
    let written = adapted.is_better.then(|| write(options, &registry, &card, &views, &adapted)).transpose()?;
    let before = own.is_some().then_some(card.name.as_str());
    report::print(options, before, (&adapted, &curve), written.as_deref())?;
    if let Some(path) = options.recipe.as_deref().filter(|_| adapted.is_better) {
        let labels = recipe::write(path, options)?;
        let (path, labels) = (path.display(), labels.display());
        output::note(format_args!(
            "{path} trains the whole network from here on, which takes hundreds of loops a view: `echolabel train {path}`, with the labels in {labels}"
        ));
    }
    if adapted.is_better { Ok(()) } else { Err(Failure::SomeInputs) }
}

/// Draws of loops and patients for each point of a learning curve.
const CURVE_DRAWS: usize = 10;

fn learning_curve(
    loops: &[LabelledLoop],
    views: &LabelSet,
    start: &LinearHead,
    sizes: &[NonZeroUsize],
    seed: u64,
) -> anyhow::Result<Vec<CurvePoint>> {
    let sizes: Vec<usize> = sizes.iter().map(|size| size.get()).collect();
    let bar = crate::progress::bar(CURVE_DRAWS as u64, "learning curve");
    let progress = |done: usize, _| bar.set_position(done as u64);
    let curve = adapt::learning_curve(loops, &views.view_names(), start, (&sizes, CURVE_DRAWS), seed, &progress)?;
    bar.finish_and_clear();
    Ok(curve)
}

/// Refuses a name that is another model's, or none that a file can have.
fn check_name(registry: &Registry, name: &str) -> anyhow::Result<()> {
    let is_plain =
        !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter));
    ensure!(is_plain, "--as {name:?}: a model's name is made of letters, digits, - and _");
    if let Ok(card) = registry.card(name) {
        ensure!(card.origin.starts_with(ORIGIN), "--as {name}: there is another model of this name");
    }
    Ok(())
}

/// The first words of the origin of every adapted model.
const ORIGIN: &str = "NOT VALIDATED. Adapted by echolabel";

/// Returns the pipeline to learn from, and its card. An adapted model has seen the patients that it would be judged on, so
/// learning starts from the model that it came from.
fn unadapted(source: PipelineSource, models: &Path) -> anyhow::Result<(PipelineSource, ModelCard)> {
    let (_, card) = Pipeline::check(&source, models)?;
    let Some(base) = &card.adapted_from else { return Ok((source, card)) };
    output::note(format_args!("{} is adapted itself: learning starts from {base}", card.name));
    let source = PipelineSource::named(base, models)?;
    let (_, card) = Pipeline::check(&source, models)?;
    Ok((source, card))
}

/// Returns the label set that `--label-set` names, else the model's.
fn views(registry: &Registry, options: &AdaptOptions, card: &ModelCard) -> anyhow::Result<LabelSet> {
    if let Some(name) = &options.label_set {
        return Ok(registry.label_set(name)?);
    }
    super::labels_views(card)?;
    card.views()?.context("the model has no views: name the labels' with --label-set")
}

fn head(LastLayer { weight, bias }: LastLayer) -> LinearHead {
    LinearHead { weight, bias }
}

/// Writes weights and card into the folder of models and returns the path of the card.
fn write(
    options: &AdaptOptions,
    registry: &Registry,
    card: &ModelCard,
    views: &LabelSet,
    adapted: &Adaptation,
) -> anyhow::Result<std::path::PathBuf> {
    let head = &adapted.head;
    let scratch = tempfile::tempdir().context("a temporary folder")?;
    let from = registry.weights_file(&card.name, &scratch.path().join("weights.safetensors"))?;
    let file = format!("{}.safetensors", options.name);
    let sha256 = replace_last_layer(&from, &registry.folder().join(&file), &head.weight, &head.bias)?;
    let new_card = ModelCard {
        name: options.name.clone(),
        summary: format!("{}; last layer adapted to a lab's loops", card.summary),
        task: Task::Views,
        label_set: Some(views.name.clone()),
        status: WeightStatus::Unvalidated,
        origin: format!(
            "{ORIGIN} {} from model {} on {} loops of {} patients; seed {}. {}",
            env!("CARGO_PKG_VERSION"),
            card.name,
            adapted.loops,
            adapted.patients,
            options.seed,
            report::summary(adapted)
        ),
        adapted_from: Some(card.name.clone()),
        published: None,
        ships: false,
        calibration: Some(calibration_of(&adapted.calibration)),
        file: Some(file),
        sha256: Some(sha256),
        deterministic_init: None,
        ..card.clone()
    };
    let path = registry.folder().join(format!("{}{}", options.name, ModelCard::EXTENSION));
    new_card.write(&path)?;
    Ok(path)
}
