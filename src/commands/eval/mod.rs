//! `echolabel eval`: the evaluation of a model as one report.

mod experts;
pub(crate) mod fit;
mod folds;
mod label_noise;
mod report;
mod run;
mod simulated;

use std::path::Path;

use anyhow::Context as _;
use evaluate::calibration::ConformalSets;
use evaluate::{
    ClassSubset, Decisions, Evaluation, EvaluationOptions, Grouping, Level, Predictions, RunHeader, aggregate,
};
use train::{DataRecipe, Split};
use zoo::{LabelSet, ModelCard};

use self::run::Run;
use super::{Failure, Outcome};
use crate::cli::{Common, EvalOptions, EvalSplit};
use crate::output;

/// The confidence below which a model abstains where no pipeline sets another.
const ABSTAIN_BELOW: f64 = 0.5;

/// Evaluates what `SOURCE` names: a recipe with its weights or several of them, a CSV of predictions, or a folder of
/// simulated studies.
pub fn run(common: &Common, options: &EvalOptions) -> Outcome {
    let extension = options.source.extension().and_then(|extension| extension.to_str());
    match extension {
        _ if !options.folds.is_empty() => folds::run(common, options),
        _ if options.source.is_dir() => simulated::run(common, options),
        Some("csv") => evaluate_predictions(options),
        _ if !options.label_noise.is_empty() => label_noise::run(common, options),
        _ => evaluate_recipe(common, options, &options.source).map(|_| ()),
    }
}

/// Evaluates predictions in a CSV, written by this program or another one.
fn evaluate_predictions(options: &EvalOptions) -> Outcome {
    let set = LabelSet::named(&options.label_set)?;
    let read = |path: &Path| -> anyhow::Result<Predictions> {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        evaluate::from_csv(&text, &set.view_names()).with_context(|| path.display().to_string())
    };
    let predictions = aggregate(&read(&options.source)?, Level::Loop)?;
    let mut more = EvaluationOptions {
        decisions: Some(Decisions::from_thresholds(&predictions, ABSTAIN_BELOW, None)),
        ..options_for(&set, None)
    };
    if let Some(other) = &options.against {
        let second = aggregate(&read(other)?, Level::Loop)?;
        let names = [&options.source, other].map(|path| path.display().to_string());
        let (first, second) = ((names[0].as_str(), &predictions), (names[1].as_str(), &second));
        more.comparison = Some(evaluate::comparison::RunComparison::new(first, second, 2000, 42)?);
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
    report::write(&folder, &predictions, &Evaluation::new(&predictions, header, more)?)
}

/// Evaluates a recipe's model on one side of its split.
fn evaluate_recipe(common: &Common, options: &EvalOptions, source: &Path) -> Result<Evaluation, Failure> {
    let Run { recipe, mut card, views, folder, weights, snapshot, data, device } = Run::open(common, options, source)?;
    if options.fit {
        let validation = train::predict(&unfitted(&card), &snapshot, &data, Split::Validation, &device)?;
        let fitted = fit::fit_calibration(&validation)?;
        output::line(format_args!("# fitted on the validation set, for the model's card"))?;
        output::line(format_args!("calibration = {}", toml::Value::try_from(fitted)?))?;
        card.calibration = Some(fitted);
        if weights == train::weights_path(&recipe, &folder) {
            let path = train::add_calibration(&recipe, &folder, fitted)?;
            output::line(format_args!("# {} has it", path.display()))?;
        }
    }
    let split = match options.split {
        EvalSplit::Validation => Split::Validation,
        EvalSplit::Test => Split::Test,
    };
    if data.of(split).is_empty() {
        let problem = format!("the data of {} have no {} side: choose another with --split", recipe.name, split.name());
        return Err(Failure::Error(anyhow::anyhow!(problem)));
    }
    let mut predictions = aggregate(&train::predict(&card, &snapshot, &data, split, &device)?, Level::Loop)?;
    if let (DataRecipe::Tte47 { folder }, Split::Test) = (&recipe.data, split) {
        predictions = experts::with_experts(predictions, folder, &views)?;
    }
    let header = RunHeader {
        title: format!("{} on its {} set", model_name(&weights), split.name()),
        model: card.summary.clone(),
        weights: files::sha256(&weights).with_context(|| weights.display().to_string())?.to_string(),
        data: format!("{}, {}", recipe.name, split.name()),
        data_fingerprint: data.clips().fingerprint().to_owned(),
        data_note: data_note(&recipe.data),
        seed: recipe.seed,
        date: report::today(),
        more: Vec::new(),
    };
    let name = format!("report-{}", split.name());
    let folder = match &options.out {
        None => folder.join(name),
        Some(out) if options.folds.is_empty() => out.clone(),
        Some(out) => out.join(&recipe.name),
    };
    let energy_threshold = card.calibration.and_then(|fitted| fitted.energy_threshold);
    let more = EvaluationOptions {
        decisions: Some(Decisions::from_thresholds(&predictions, ABSTAIN_BELOW, energy_threshold)),
        embedding: report::embedding(&predictions)?,
        ..options_for(&views, card.calibration.as_ref())
    };
    let evaluation = Evaluation::new(&predictions, header, more)?;
    report::write(&folder, &predictions, &evaluation)?;
    Ok(evaluation)
}

/// The name of the model evaluated, which is that of its weights: the card's is the architecture that it started from.
fn model_name(weights: &Path) -> String {
    weights.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn unfitted(card: &ModelCard) -> ModelCard {
    ModelCard { calibration: None, ..card.clone() }
}

fn data_note(data: &DataRecipe) -> String {
    match data {
        DataRecipe::Phantom(_) => "SIMULATED IMAGES. Not for clinical use.".to_owned(),
        _ => "Research use only; not for clinical use.".to_owned(),
    }
}

/// Returns the options for every report of these views.
fn options_for(views: &LabelSet, calibration: Option<&zoo::ProbabilityCalibration>) -> EvaluationOptions {
    let groupings = views.groupings.iter().filter_map(|name| {
        let groups = views.groups(name).ok()?;
        Some(Grouping { name: name.clone(), group_of_class: groups.of_views })
    });
    EvaluationOptions {
        groupings: groupings.collect(),
        subset: whole_views(views),
        // Without a threshold every set holds every view, which needs no evaluation.
        conformal: calibration.filter(|fitted| fitted.set_threshold > 0.0).map(|fitted| ConformalSets {
            method: evaluate::calibration::ConformalMethod::Lac,
            miss_rate: 1.0 - fitted.set_coverage,
            threshold: Some(1.0 - fitted.set_threshold),
        }),
        ..EvaluationOptions::new(Level::Loop)
    }
}

/// The views that are no partial labels, where others are: TMED2 is evaluated on PLAX, PSAX, A4C and A2C.
fn whole_views(views: &LabelSet) -> Option<ClassSubset> {
    let whole = views.views.iter().enumerate().filter(|(_, view)| view.may_be.is_empty());
    let (classes, names): (Vec<usize>, Vec<&str>) = whole.map(|(class, view)| (class, view.name.as_str())).unzip();
    (classes.len() < views.views.len()).then(|| ClassSubset { name: names.join(", "), classes })
}
