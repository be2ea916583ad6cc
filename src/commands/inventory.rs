//! `echolabel inventory`: for people.

use anyhow::Context as _;
use domain::{JobId, Mode, ModelKey, Sha256, SopUid, path_tag};
use jiff::Timestamp;
use protocol::{Completeness, ItemState, Protocol, Verdict};
use serde::Serialize;
use store::{
    FileState, Inventory, InventoryLoop, NotLabelled, Queue as _, Store, StoredFile, StoredPrediction, ViewInventory,
};

use super::Outcome;
use crate::cli::{Common, InventoryOptions};
use crate::{output, protocols};

/// Prints the inventory of one study or of all.
pub fn run(common: &Common, options: &InventoryOptions) -> Outcome {
    if options.unreadable {
        return print_unreadable(common, options);
    }
    let since = options.since.map(|time| Timestamp::now().checked_sub(time)).transpose().context("--since")?;
    let store = super::open_store_read_only(common, options.db.clone())?;
    let settings = super::settings(common, daemon::Overrides::default())?;
    let name = options.protocol.as_ref().unwrap_or(&settings.study_protocol);
    let protocol = protocols::named(name, &settings.models)?;
    let mut judged = super::export::inventories(&store, options.study.as_ref(), since)?
        .into_iter()
        .map(|inventory| JudgedStudy::new(&store, inventory, &protocol))
        .collect::<anyhow::Result<Vec<_>>>()?;
    if options.doubtful {
        judged.iter_mut().for_each(|study| keep_doubtful(&mut study.inventory));
    }
    if options.json {
        return judged.iter().try_for_each(output::json_line);
    }
    if judged.is_empty() {
        return output::line(if since.is_some() { "no study since then" } else { "no study yet" });
    }
    judged.iter().try_for_each(|study| print(study, options.all_models))
}

/// A study with what it has and lacks.
#[derive(Serialize)]
pub struct JudgedStudy {
    #[serde(flatten)]
    inventory: Inventory,
    completeness: Completeness,
}

impl JudgedStudy {
    /// Judges a study by a protocol.
    pub fn new(store: &Store, inventory: Inventory, protocol: &Protocol) -> anyhow::Result<Self> {
        Ok(Self { completeness: protocols::judge(store, &inventory, protocol)?, inventory })
    }
}

/// Prints one study for people, if asked for with every model's prediction.
pub fn print(study: &JudgedStudy, models: bool) -> Outcome {
    let inventory = &study.inventory;
    let failed: u64 = [FileState::Failed, FileState::Incomplete, FileState::Conflict]
        .map(|state| inventory.states.get(state))
        .iter()
        .sum();
    let state = match (inventory.unfinished_jobs, inventory.closed_at) {
        (0, None) if failed > 0 => format!("open, {failed} files failed"),
        (0, Some(closed)) => format!("closed {closed:.0}"),
        (0, None) => "open".to_owned(),
        (unfinished, _) => format!("open, {unfinished} files still to label"),
    };
    let date = inventory.acquired.as_deref().and_then(date).map(|date| format!(" of {date}")).unwrap_or_default();
    output::line(format_args!("study {}{date}  {} ({state})", inventory.number, inventory.study_instance_uid))?;
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
        print_view(view)?;
        if models {
            view.loops.iter().try_for_each(|entry| print_predictions(&entry.predictions))?;
        }
    }
    if !inventory.missing.is_empty() {
        output::line(format_args!("  missing        {}", inventory.missing.join(", ")))?;
    }
    if let Some(why) = &inventory.missing_withheld {
        output::line(format_args!("  missing        not listed: {why}"))?;
    }
    output::line(format_args!("  protocol       {}", completeness_text(&study.completeness)))?;
    for entry in &inventory.not_labelled {
        print_not_labelled(entry)?;
        if models {
            print_predictions(&entry.predictions)?;
        }
    }
    let counts: Vec<String> = inventory
        .states
        .iter()
        .filter(|(_, files)| *files > 0)
        .map(|(state, files)| format!("{files} {}", state.words()))
        .collect();
    output::line(format_args!("  files          {}: {}", inventory.files, counts.join(", ")))?;
    output::line("")
}

/// Returns the verdict in words; what is not judged is never called missing.
fn completeness_text(completeness: &Completeness) -> String {
    let part = |words: &str, state: ItemState| {
        let names = completeness.required(state);
        (!names.is_empty()).then(|| format!("{words} {}", names.join(", ")))
    };
    let mut parts = match (completeness.verdict, &completeness.reason) {
        (Verdict::Complete, _) => vec!["complete".to_owned()],
        (Verdict::Lacks, _) => part("lacks", ItemState::Missing).into_iter().collect(),
        (Verdict::CannotJudge, Some(reason)) => vec![format!("cannot judge: {reason}")],
        (Verdict::CannotJudge, None) => vec!["cannot judge all of it, nothing else is missing".to_owned()],
    };
    parts.extend(part("probably", ItemState::Probable));
    parts.extend(part("not judged:", ItemState::NotJudged));
    format!("{}: {}", completeness.protocol, parts.join("; "))
}

/// Prints a view with its best loop, by the short name that other commands take.
fn print_view(view: &ViewInventory) -> Outcome {
    let plural = if view.loops.len() == 1 { " " } else { "s" };
    let best = view.loops.iter().find(|found| found.sop_instance_uid == view.best);
    let confidence = best.map_or(0.0, |best| best.confidence);
    let name = best.map_or(view.best.as_str(), |best| &best.name);
    let reviewed = if best.is_some_and(|best| best.reviewed) { "  reviewed" } else { "" };
    let standing = best.and_then(|best| best.standing).map(|standing| format!("  {standing}")).unwrap_or_default();
    let second = best.and_then(second_guess).map(|second| format!("  or {second}")).unwrap_or_default();
    let (view_name, loops, modes) = (&view.view, view.loops.len(), other_modes(view));
    output::line(format_args!(
        "  {view_name:<14} {loops} loop{plural}  best {confidence:.2}  {name}{standing}{reviewed}{second}{modes}"
    ))
}

/// Returns the second view of the set that a loop may show, with its probability.
fn second_guess(found: &InventoryLoop) -> Option<String> {
    let said = &found.predictions.last()?.prediction;
    let second = said.prediction_set.iter().find(|view| said.view.as_ref() != Some(view))?;
    let probability = said.probabilities.get(second).copied().unwrap_or_default();
    (!found.reviewed).then(|| format!("{second} {probability:.2}"))
}

/// Keeps the loops that a person should look at.
fn keep_doubtful(inventory: &mut Inventory) {
    for view in &mut inventory.views {
        view.loops.retain(|found| second_guess(found).is_some());
    }
    inventory.views.retain(|view| !view.loops.is_empty());
    for view in &mut inventory.views {
        if let Some(first) = view.loops.first() {
            view.best = first.sop_instance_uid.clone();
        }
    }
    inventory.not_labelled.retain(|file| file.state == FileState::Unsure);
}

/// Returns the day of a DICOM date and time.
fn date(acquired: &str) -> Option<String> {
    Some(format!("{}-{}-{}", acquired.get(0..4)?, acquired.get(4..6)?, acquired.get(6..8)?))
}

/// Returns the modes in which a view was taken besides 2D, as a note.
fn other_modes(view: &ViewInventory) -> String {
    let mut modes: Vec<&str> =
        view.loops.iter().map(|found| found.mode).filter(|mode| *mode != Mode::TwoD).map(Mode::as_str).collect();
    modes.sort_unstable();
    modes.dedup();
    if modes.is_empty() {
        return String::new();
    }
    let has_gray = view.loops.iter().any(|found| found.mode == Mode::TwoD);
    format!("  ({} {})", if has_gray { "also" } else { "only" }, modes.join(", "))
}

/// Prints a file without a view of its own: the mode of its image is what it is a picture of.
fn print_not_labelled(entry: &NotLabelled) -> Outcome {
    let heading = match (entry.state, entry.mode) {
        (FileState::WithoutView, _) if entry.reviewed => "reviewed: none",
        (FileState::WithoutView, Some(mode)) if mode != Mode::TwoD => mode.as_str(),
        (state, _) => state.words(),
    };
    let uid = entry.sop_instance_uid.as_ref().map_or("UID unknown", SopUid::as_str);
    let uid = entry.name.as_deref().unwrap_or(uid);
    let reason = entry.reason.as_deref().map(|reason| format!("  {reason}")).unwrap_or_default();
    output::line(format_args!("  {heading:<14} {uid}  job {}{reason}", entry.job_id))
}

/// Prints the files whose study could not be read.
fn print_unreadable(common: &Common, options: &InventoryOptions) -> Outcome {
    let files = super::open_store(common, options.db.clone())?.files_without_study()?;
    for file in &files {
        let line = UnreadableFile::new(file, options.paths);
        match options.json {
            true => output::json_line(&line)?,
            false => {
                let path = line.path.as_deref().map(|path| format!("  {path}")).unwrap_or_default();
                let reason = file.reason.as_deref().unwrap_or("no reason given");
                let (tag, state) = (&line.path_tag, file.state.words());
                output::line(format_args!("file {tag}  job {:<6} {state:<12} {reason}{path}", file.job_id))?;
            }
        }
    }
    match options.json {
        true => Ok(()),
        false => output::line(format_args!("{} files without a study that can be read", files.len())),
    }
}

/// A file of no study, as it is printed.
#[derive(Serialize)]
struct UnreadableFile<'a> {
    path_tag: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    job_id: JobId,
    state: FileState,
    kind: Option<&'a str>,
    reason: Option<&'a str>,
    taken_at: Timestamp,
}

impl<'a> UnreadableFile<'a> {
    fn new(file: &'a StoredFile, with_path: bool) -> Self {
        Self {
            path_tag: path_tag(&file.path),
            path: with_path.then(|| file.path.display().to_string()),
            job_id: file.job_id,
            state: file.state,
            kind: file.kind.as_deref(),
            reason: file.reason.as_deref(),
            taken_at: file.enqueued_at,
        }
    }
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
