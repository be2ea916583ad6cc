//! Reading an inventory from the views that SQL clients see.

use std::collections::{BTreeSet, HashMap};

use domain::{Mode, SopUid, StudyUid, WeightStatus, path_tag};

use super::row::{count, json, named, optional_named, optional_time, parsed, time};
use super::{Result, Row, Session, SessionExt as _, names, params, read};
use crate::{
    FileState, Inventory, InventoryLoop, ModelUsed, NotLabelled, PathForm, StateCounts, StoredFile, StoredPrediction,
    ViewInventory,
};

/// The predictions of each loop, oldest first.
type Predictions = HashMap<SopUid, Vec<StoredPrediction>>;

/// Returns the inventory of a study, or `None` when there is no such study.
pub(super) fn read(session: &dyn Session, paths: &PathForm, study: &StudyUid) -> Result<Option<Inventory>> {
    let mut predictions = Predictions::new();
    for stored in read::predictions(session, study)? {
        predictions.entry(stored.sop_instance_uid.clone()).or_default().push(stored);
    }
    let models: BTreeSet<ModelUsed> = predictions
        .values()
        .filter_map(|of_loop| of_loop.last())
        .map(|newest| &newest.prediction)
        .map(|said| ModelUsed { model: said.model.clone(), weights_note: said.weights_note.clone() })
        .collect();
    let summary = session.query_optional(
        "SELECT study.last_activity, study.closed_at, files, waiting, missing_withheld, study_id,
                 (SELECT min(acquired) FROM loop WHERE loop.study_id = study.study_id) AS acquired
             FROM study_summary JOIN study USING (study_instance_uid) WHERE study_instance_uid = ?1",
        params![study.as_str()],
        |row| {
            Ok(Inventory {
                study_instance_uid: study.clone(),
                number: row.get("study_id")?,
                acquired: row.get("acquired")?,
                last_activity: time(row, "last_activity")?,
                closed_at: optional_time(row, "closed_at")?,
                files: count(row, 2)?,
                states: StateCounts::for_study(),
                unfinished_jobs: count(row, 3)?,
                models: models.into_iter().collect(),
                views: Vec::new(),
                missing: Vec::new(),
                missing_withheld: row.get("missing_withheld")?,
                not_labelled: Vec::new(),
            })
        },
    )?;
    let Some(mut inventory) = summary else { return Ok(None) };
    let names = short_names(session, study, inventory.number)?;
    inventory.views = views(session, study, &names, &mut predictions)?;
    inventory.missing = view_names(session, "study_missing_view", study)?;
    let files = read::files(session, paths, study)?;
    files.iter().for_each(|file| inventory.states.add(file.state, 1));
    inventory.not_labelled = not_labelled(session, study, files, &names, &mut predictions)?;
    Ok(Some(inventory))
}

/// Returns the views that a complete study has, in the order of its label set; without a prediction in the study, those
/// of the pipeline that was used last.
pub(super) fn label_set(session: &dyn Session, study: &StudyUid) -> Result<Vec<String>> {
    let of_study = view_names(session, "study_label_set", study)?;
    if !of_study.is_empty() {
        return Ok(of_study);
    }
    let last_used =
        session.query_optional("SELECT views FROM pipeline ORDER BY last_used DESC LIMIT 1", &[], |row| {
            json(row, "views")
        })?;
    Ok(last_used.unwrap_or_default())
}

fn view_names(session: &dyn Session, table: &'static str, study: &StudyUid) -> Result<Vec<String>> {
    session.query_all(
        &format!("SELECT view FROM {table} WHERE study_instance_uid = ?1 ORDER BY position"),
        params![study.as_str()],
        |row| row.get(0),
    )
}

/// Short names of loops.
type Names = HashMap<SopUid, String>;

fn short_names(session: &dyn Session, study: &StudyUid, number: i64) -> Result<Names> {
    let loops = names::numbered_loops(session, study)?;
    Ok(loops.into_iter().zip(1..).map(|(sop, of_loop)| (sop, format!("{number}/{of_loop}"))).collect())
}

fn views(
    session: &dyn Session,
    study: &StudyUid,
    names: &Names,
    predictions: &mut Predictions,
) -> Result<Vec<ViewInventory>> {
    let sql = "SELECT ranked_loop.*
        FROM ranked_loop
        LEFT JOIN study_label_set USING (study_instance_uid, view)
        WHERE study_instance_uid = ?1 ORDER BY position IS NULL, position, view, place";
    let mut views: Vec<ViewInventory> = Vec::new();
    session.query(sql, params![study.as_str()], &mut |row| {
        let view: String = row.get("view")?;
        let entry = inventory_loop(row, names, predictions)?;
        match views.last_mut().filter(|last| last.view == view) {
            Some(last) => last.loops.push(entry),
            None => views.push(ViewInventory { view, best: entry.sop_instance_uid.clone(), loops: vec![entry] }),
        }
        Ok(())
    })?;
    Ok(views)
}

fn inventory_loop(row: &Row<'_>, names: &Names, predictions: &mut Predictions) -> Result<InventoryLoop> {
    let sop_instance_uid: SopUid = parsed(row, "sop_instance_uid")?;
    Ok(InventoryLoop {
        name: names.get(&sop_instance_uid).cloned().unwrap_or_default(),
        confidence: row.get("confidence")?,
        standing: optional_named(row, "standing", WeightStatus::from_name)?,
        reviewed: row.get("reviewed")?,
        frames: row.get("frames")?,
        mode: named(row, "mode", Mode::from_name)?,
        acquired: row.get("acquired")?,
        predictions: predictions.remove(&sop_instance_uid).unwrap_or_default(),
        sop_instance_uid,
    })
}

/// A loop without a view.
struct Unlabelled {
    mode: Mode,
    reason: Option<String>,
    reviewed: bool,
}

fn loops_without_view(session: &dyn Session, study: &StudyUid) -> Result<HashMap<SopUid, Unlabelled>> {
    let loops = session.query_all(
        "SELECT * FROM loop_label WHERE study_instance_uid = ?1 AND view IS NULL",
        params![study.as_str()],
        |row| {
            let mode = named(row, "mode", Mode::from_name)?;
            let (reason, reviewed) = (row.get("reason")?, row.get("reviewed")?);
            Ok((parsed(row, "sop_instance_uid")?, Unlabelled { mode, reason, reviewed }))
        },
    )?;
    Ok(loops.into_iter().collect())
}

/// Returns the files of a study that are not the one of a labelled loop.
fn not_labelled(
    session: &dyn Session,
    study: &StudyUid,
    files: Vec<StoredFile>,
    names: &Names,
    predictions: &mut Predictions,
) -> Result<Vec<NotLabelled>> {
    let mut loops = loops_without_view(session, study)?;
    let is_loop = |state| matches!(state, FileState::Unsure | FileState::WithoutView);
    Ok(files
        .into_iter()
        .filter(|file| file.state != FileState::Labelled)
        .map(|file| {
            let sop = file.sop_instance_uid;
            let found = sop.as_ref().filter(|_| is_loop(file.state)).and_then(|sop| loops.remove(sop));
            let said = sop.as_ref().filter(|_| found.is_some()).and_then(|sop| predictions.remove(sop));
            NotLabelled {
                job_id: file.job_id,
                path_tag: path_tag(&file.path),
                name: sop.as_ref().filter(|_| found.is_some()).and_then(|sop| names.get(sop)).cloned(),
                state: file.state,
                reviewed: found.as_ref().is_some_and(|found| found.reviewed),
                mode: found.as_ref().map(|found| found.mode),
                reason: found.and_then(|found| found.reason).or(file.reason),
                predictions: said.unwrap_or_default(),
                sop_instance_uid: sop,
            }
        })
        .collect())
}
