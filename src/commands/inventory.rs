//! `echolabel inventory`: for people.

use domain::{ModelKey, Sha256, SopUid};
use store::{Inventory, NotLabelled, NotLabelledWhy, StoredPrediction};

use super::Outcome;
use crate::cli::{Common, InventoryOptions};
use crate::output;

/// Prints the inventory of one study or of all.
pub fn run(common: &Common, options: &InventoryOptions) -> Outcome {
    let inventories = super::export::inventories(common, options.db.clone(), options.study.as_ref())?;
    if options.json {
        return inventories.iter().try_for_each(output::json_line);
    }
    if inventories.is_empty() {
        return output::line("no study yet");
    }
    inventories.iter().try_for_each(|inventory| print(inventory, options.all_models))
}

/// Prints one study for people, if asked for with every model's prediction.
pub fn print(inventory: &Inventory, models: bool) -> Outcome {
    let is_failed = |found: &&NotLabelled| matches!(found.why, NotLabelledWhy::Failed | NotLabelledWhy::Conflict);
    let failed = inventory.not_labelled.iter().filter(is_failed).count();
    let state = match (inventory.unfinished_jobs, inventory.closed_at) {
        (0, None) if failed > 0 => format!("open, {failed} files failed"),
        (0, Some(closed)) => format!("closed {closed:.0}"),
        (0, None) => "open, all files labelled".to_owned(),
        (unfinished, _) => format!("{unfinished} files still to label"),
    };
    output::line(format_args!("study {} ({state})", inventory.study_instance_uid))?;
    for model in &inventory.models {
        let ModelKey { pipeline, weights_sha256, precision, .. } = &model.model;
        let digest = short(weights_sha256);
        let precision = precision.map(|precision| format!(", {precision}")).unwrap_or_default();
        output::line(format_args!("  pipeline {pipeline}, weights {digest}{precision}"))?;
        if let Some(note) = &model.weights_note {
            output::line(format_args!("  ! {note}"))?;
        }
    }
    for view in &inventory.views {
        let best = view.loops.iter().find(|found| found.sop_instance_uid == view.best);
        let confidence = best.map_or(0.0, |best| best.confidence);
        output::line(format_args!(
            "  {:<14} {} loop{}  best {:.2}  {}",
            view.view,
            view.loops.len(),
            if view.loops.len() == 1 { " " } else { "s" },
            confidence,
            view.best
        ))?;
        if models {
            view.loops.iter().try_for_each(|entry| print_predictions(&entry.predictions))?;
        }
    }
    if !inventory.missing.is_empty() {
        output::line(format_args!("  missing        {}", inventory.missing.join(", ")))?;
    }
    for (why, heading) in [
        (NotLabelledWhy::Abstained, "not sure"),
        (NotLabelledWhy::Skipped, "no view"),
        (NotLabelledWhy::Failed, "failed"),
        (NotLabelledWhy::Conflict, "conflict"),
        (NotLabelledWhy::Reviewed, "reviewed: none"),
    ] {
        for found in inventory.not_labelled.iter().filter(|found| found.why == why) {
            let uid = found.sop_instance_uid.as_ref().map_or("UID unknown", SopUid::as_str);
            let reason = found.reason.as_deref().unwrap_or("no reason given");
            output::line(format_args!("  {heading:<14} {uid}  {reason}"))?;
            if models {
                print_predictions(&found.predictions)?;
            }
        }
    }
    output::line("")
}

/// Prints what each model said of a loop, oldest first.
fn print_predictions(predictions: &[StoredPrediction]) -> Outcome {
    predictions.iter().try_for_each(|stored| {
        let said = &stored.prediction;
        let ModelKey { pipeline, weights_sha256, .. } = &said.model;
        let view = said.view.as_deref().unwrap_or("not sure");
        let (uid, digest) = (&stored.sop_instance_uid, short(weights_sha256));
        output::line(format_args!("    {uid}  {view} {:.2}  by {pipeline}, weights {digest}", said.confidence))
    })
}

/// Returns the first digits of a digest, enough to tell weights apart.
fn short(digest: &Sha256) -> String {
    digest.to_string().chars().take(12).collect()
}
