//! Reading an inventory from the views that SQL clients see.

use std::collections::{BTreeSet, HashMap};

use domain::{Mode, SopUid, StudyUid};
use rusqlite::{Connection, OptionalExtension, Result, Row};

use super::read;
use super::row::{count, named, optional, optional_time, parsed, time};
use crate::{Inventory, InventoryLoop, ModelUsed, NotLabelled, NotLabelledWhy, StoredPrediction, ViewInventory};

/// The predictions of each loop, oldest first.
type Predictions = HashMap<SopUid, Vec<StoredPrediction>>;

/// Returns the inventory of a study, or `None` when there is no such study.
pub(super) fn read(connection: &Connection, study: &StudyUid) -> Result<Option<Inventory>> {
    let mut predictions = Predictions::new();
    for stored in read::predictions(connection, study)? {
        predictions.entry(stored.sop_instance_uid.clone()).or_default().push(stored);
    }
    let models: BTreeSet<ModelUsed> = predictions
        .values()
        .filter_map(|of_loop| of_loop.last())
        .map(|newest| &newest.prediction)
        .map(|said| ModelUsed { model: said.model.clone(), weights_note: said.weights_note.clone() })
        .collect();
    let summary = connection
        .prepare_cached(
            "SELECT last_activity, closed_at, files, waiting FROM study_summary WHERE study_instance_uid = ?1",
        )?
        .query_row([study.as_str()], |row| {
            Ok(Inventory {
                study_instance_uid: study.clone(),
                last_activity: time(row, "last_activity")?,
                closed_at: optional_time(row, "closed_at")?,
                files: count(row, 2)?,
                unfinished_jobs: count(row, 3)?,
                models: models.into_iter().collect(),
                views: Vec::new(),
                missing: Vec::new(),
                not_labelled: Vec::new(),
            })
        })
        .optional()?;
    let Some(mut inventory) = summary else { return Ok(None) };
    inventory.views = views(connection, study, &mut predictions)?;
    inventory.missing = view_names(connection, "study_missing_view", study)?;
    inventory.not_labelled = loops_without_view(connection, study, &mut predictions)?;
    inventory.not_labelled.extend(files_without_loop(connection, study)?);
    Ok(Some(inventory))
}

/// Returns the views that a complete study has, in the order of its label set.
pub(super) fn label_set(connection: &Connection, study: &StudyUid) -> Result<Vec<String>> {
    view_names(connection, "study_label_set", study)
}

fn view_names(connection: &Connection, table: &'static str, study: &StudyUid) -> Result<Vec<String>> {
    connection
        .prepare_cached(&format!("SELECT view FROM {table} WHERE study_instance_uid = ?1 ORDER BY position"))?
        .query_map([study.as_str()], |row| row.get(0))?
        .collect()
}

fn views(connection: &Connection, study: &StudyUid, predictions: &mut Predictions) -> Result<Vec<ViewInventory>> {
    let mut query = connection.prepare_cached(
        "SELECT ranked_loop.*
         FROM ranked_loop
         LEFT JOIN study_label_set USING (study_instance_uid, view)
         WHERE study_instance_uid = ?1 ORDER BY position IS NULL, position, view, place",
    )?;
    let mut views: Vec<ViewInventory> = Vec::new();
    let mut rows = query.query([study.as_str()])?;
    while let Some(row) = rows.next()? {
        let view: String = row.get("view")?;
        let entry = inventory_loop(row, predictions)?;
        match views.last_mut().filter(|last| last.view == view) {
            Some(last) => last.loops.push(entry),
            None => views.push(ViewInventory { view, best: entry.sop_instance_uid.clone(), loops: vec![entry] }),
        }
    }
    Ok(views)
}

fn inventory_loop(row: &Row<'_>, predictions: &mut Predictions) -> Result<InventoryLoop> {
    let sop_instance_uid: SopUid = parsed(row, "sop_instance_uid")?;
    Ok(InventoryLoop {
        confidence: row.get("confidence")?,
        reviewed: row.get("reviewed")?,
        frames: row.get("frames")?,
        mode: named(row, "mode", Mode::from_name)?,
        acquired: row.get("acquired")?,
        predictions: predictions.remove(&sop_instance_uid).unwrap_or_default(),
        sop_instance_uid,
    })
}

fn loops_without_view(
    connection: &Connection,
    study: &StudyUid,
    predictions: &mut Predictions,
) -> Result<Vec<NotLabelled>> {
    let why = |outcome: &str| match outcome {
        "abstained" => Some(NotLabelledWhy::Abstained),
        "reviewed" => Some(NotLabelledWhy::Reviewed),
        "skipped" => Some(NotLabelledWhy::Skipped),
        _ => None,
    };
    connection
        .prepare_cached(
            "SELECT * FROM loop_label WHERE study_instance_uid = ?1 AND view IS NULL
             ORDER BY acquired IS NULL, acquired, sop_instance_uid",
        )?
        .query_map([study.as_str()], |row| {
            let sop_instance_uid: SopUid = parsed(row, "sop_instance_uid")?;
            Ok(NotLabelled {
                why: named(row, "outcome", why)?,
                reason: row.get("reason")?,
                mode: Some(named(row, "mode", Mode::from_name)?),
                predictions: predictions.remove(&sop_instance_uid).unwrap_or_default(),
                sop_instance_uid: Some(sop_instance_uid),
            })
        })?
        .collect()
}

/// Returns the files of a study that failed or were refused.
fn files_without_loop(connection: &Connection, study: &StudyUid) -> Result<Vec<NotLabelled>> {
    connection
        .prepare_cached(
            "SELECT sop_instance_uid, state = 'failed' AS failed, error_message FROM job
             WHERE study_instance_uid = ?1 AND (state = 'failed' OR error_kind = 'conflicting_content')
             ORDER BY job_id",
        )?
        .query_map([study.as_str()], |row| {
            Ok(NotLabelled {
                sop_instance_uid: optional(row, "sop_instance_uid")?,
                why: if row.get("failed")? { NotLabelledWhy::Failed } else { NotLabelledWhy::Conflict },
                reason: row.get("error_message")?,
                mode: None,
                predictions: Vec::new(),
            })
        })?
        .collect()
}
