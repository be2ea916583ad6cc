//! Evaluation of a whole pipeline on simulated studies whose truth is known.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use evaluate::{
    DecisionCounts, Decisions, Evaluation, EvaluationOptions, LoopDecision, Prediction, Predictions, RunHeader, Truth,
    inventory_metrics,
};
use serde::Deserialize;

use super::{options_for, report};
use crate::cli::{Common, EvalOptions};
use crate::commands::{Outcome, open_view_pipeline, settings};
use crate::output;

/// The part of `truth.json` that an evaluation needs.
#[derive(Deserialize)]
struct StudyTruth {
    study_instance_uid: String,
    loops: Vec<LoopTruth>,
}

#[derive(Deserialize)]
struct LoopTruth {
    file: String,
    view: Option<String>,
}

/// Labels every loop under the folder and compares with each study's `truth.json`.
pub fn run(common: &Common, options: &EvalOptions) -> Outcome {
    let pipeline = open_view_pipeline(&settings(common, daemon::Overrides::default())?)?;
    let views = pipeline.label_set().context("the pipeline knows no views")?.clone();
    let (mut rows, mut decided, mut loops) = (Vec::new(), Vec::new(), Vec::new());
    let studies = studies_in(&options.source)?;
    let bar = crate::progress::bar(studies.iter().map(|(_, truth)| truth.loops.len() as u64).sum(), "labelling");
    for (folder, truth) in &studies {
        for (number, of_loop) in truth.loops.iter().enumerate() {
            bar.inc(1);
            let path = folder.join(&of_loop.file);
            let label = pipeline.label(&path).with_context(|| path.display().to_string())?;
            let class = of_loop.view.as_deref().and_then(|view| views.index_of(view));
            let decision = label.prediction.view.as_deref().and_then(|view| views.index_of(view));
            let known_truth = class.map_or(Truth::Outside, Truth::Class);
            loops.push(LoopDecision { study: &truth.study_instance_uid, truth: known_truth, label: decision });
            // A loop that was refused before the model saw it counts above and has no row.
            if label.prediction.probabilities.is_empty() {
                continue;
            }
            let probability = |view: &zoo::View| label.prediction.probabilities.get(&view.name).copied().unwrap_or(0.0);
            decided.push(decision);
            rows.push(Prediction {
                patient: truth.study_instance_uid.clone(),
                study: truth.study_instance_uid.clone(),
                loop_name: format!("{} {}", number + 1, of_loop.file),
                beat: None,
                clip: None,
                truth: known_truth,
                probabilities: views.views.iter().map(probability).collect(),
                energy: label.prediction.energy,
                features: None,
                experts: Vec::new(),
                weight: 1.0,
            });
        }
    }
    bar.finish_and_clear();
    let predictions = Predictions::new(views.view_names(), rows)?;
    let mut more = count_lines(&DecisionCounts::from_loops(loops.iter().copied()));
    if let Some(metrics) = inventory_metrics(loops) {
        let exact = format!("{:.1} % ({} studies)", 100.0 * metrics.exact, metrics.studies);
        more.push(("inventory of given labels".to_owned(), exact));
    }
    for (name, value) in &more {
        output::line(format_args!("{name:<28} {value}"))?;
    }
    let header = RunHeader {
        title: format!("{} on simulated studies", pipeline.name()),
        model: pipeline.card().summary.clone(),
        weights: pipeline.key().weights_sha256.to_string(),
        data: format!("{} studies of echolabel phantom", studies.len()),
        data_fingerprint: report::fingerprint(&predictions)?,
        data_note: "SIMULATED IMAGES. Not for clinical use.".to_owned(),
        seed: 42,
        date: report::today(),
        more,
    };
    let folder = options.out.clone().unwrap_or_else(|| options.source.join("report"));
    let more = EvaluationOptions {
        decisions: Some(Decisions { classes: decided, rule: "as the pipeline does".to_owned() }),
        ..options_for(&views, pipeline.card().calibration.as_ref())
    };
    report::write(&folder, &predictions, &Evaluation::new(&predictions, header, more)?)
}

/// The counts as header lines, which `tools/shipped_weights.py` reads.
fn count_lines(counts: &DecisionCounts) -> Vec<(String, String)> {
    let line = |name: &str, part: usize, whole: usize| {
        let share = 100.0 * part as f64 / whole.max(1) as f64;
        (name.to_owned(), format!("{share:.1} % ({part} of {whole})"))
    };
    vec![
        line("views labelled correctly", counts.views_correct, counts.views),
        line("views without a label", counts.views_unlabelled, counts.views),
        line("other loops without a label", counts.others_unlabelled, counts.others),
    ]
}

/// The folders under `folder`, itself included, that hold a `truth.json`.
fn studies_in(folder: &Path) -> anyhow::Result<Vec<(PathBuf, StudyTruth)>> {
    let mut folders = vec![folder.to_owned()];
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            folders.push(path);
        }
    }
    folders.sort();
    let mut studies = Vec::new();
    for folder in folders {
        let path = folder.join("truth.json");
        if path.is_file() {
            let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            let truth = serde_json::from_str(&text).with_context(|| path.display().to_string())?;
            studies.push((folder, truth));
        }
    }
    anyhow::ensure!(
        !studies.is_empty(),
        "{}: no folder with a truth.json in it; `echolabel phantom --out DIR` makes such studies",
        folder.display()
    );
    Ok(studies)
}
