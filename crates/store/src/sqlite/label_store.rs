//! Loops, predictions and reviews in SQLite.

use std::collections::BTreeMap;
use std::path::PathBuf;

use domain::{JobId, LoopId, ModelKey, Precision, Prediction, Sha256, SopUid, StudyUid};
use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension, Row, params};
use serde_json::json;

use super::row::{parsed, time_text};
use super::{SqliteStore, inventory, names, outbox, place, read, study};
use crate::path_form::path_from;
use crate::{
    Inventory, Job, KnownLoop, LabelStore, LoopFacts, LoopFile, Recorded, Review, StoreError, StoredLoop,
    StoredPrediction, Study, StudyName,
};

impl LabelStore for SqliteStore {
    fn record_labelled(
        &self,
        job: &Job,
        facts: &LoopFacts,
        content_sha256: Sha256,
        prediction: &Prediction,
        now: Timestamp,
    ) -> Result<Recorded, StoreError> {
        self.write("record a labelled loop", |transaction| {
            place::labelled(transaction, job, facts, content_sha256, prediction, now)
        })
    }

    fn record_skipped(
        &self,
        job: &Job,
        facts: &LoopFacts,
        content_sha256: Sha256,
        reason: &str,
        now: Timestamp,
    ) -> Result<Recorded, StoreError> {
        self.write("record a skipped loop", |transaction| {
            place::skipped(transaction, job, facts, content_sha256, reason, now)
        })
    }

    fn record_duplicate(&self, job: &Job, known: &KnownLoop, now: Timestamp) -> Result<(), StoreError> {
        self.write("record another copy of a loop", |transaction| {
            place::copy(transaction, job, &known.sop_instance_uid, now)
        })
    }

    fn known_content(&self, content_sha256: Sha256, model: &ModelKey) -> Result<Option<KnownLoop>, StoreError> {
        self.read("look up a loop by its content", |connection| {
            connection
                .query_row(
                    "SELECT sop_instance_uid, study_instance_uid FROM loop JOIN study USING (study_id)
                     WHERE content_sha256 = ?1 AND (skip_reason NOT NULL OR EXISTS (
                         SELECT 1 FROM prediction
                         WHERE prediction.loop_id = loop.loop_id AND pipeline = ?2 AND weights_sha256 = ?3
                             AND pipeline_sha256 IS ?4 AND precision IS ?5
                             AND prediction.pixel_sha256 = loop.pixel_sha256))",
                    params![
                        content_sha256.to_string(),
                        model.pipeline,
                        model.weights_sha256.to_string(),
                        model.pipeline_sha256.map(|digest| digest.to_string()),
                        model.precision.map(Precision::as_str),
                    ],
                    known_loop,
                )
                .optional()
        })
    }

    fn known_loop(&self, sop: &SopUid) -> Result<Option<KnownLoop>, StoreError> {
        self.read("look up a loop", |connection| {
            connection
                .query_row(
                    "SELECT sop_instance_uid, study_instance_uid FROM loop JOIN study USING (study_id)
                     WHERE sop_instance_uid = ?1",
                    [sop.as_str()],
                    known_loop,
                )
                .optional()
        })
    }

    fn keep_label_set(&self, model: &ModelKey, views: &[String], now: Timestamp) -> Result<(), StoreError> {
        let Some(digest) = model.pipeline_sha256 else { return Ok(()) };
        self.write("keep a label set", |transaction| {
            transaction.execute(
                "INSERT INTO pipeline (sha256, name, views, last_used) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (sha256) DO UPDATE SET last_used = max(last_used, excluded.last_used)",
                params![digest.to_string(), model.pipeline, json!(views).to_string(), time_text(now)],
            )?;
            Ok(())
        })
    }

    fn label_set(&self, study: &StudyUid) -> Result<Vec<String>, StoreError> {
        self.read("read a label set", |connection| inventory::label_set(connection, study))
    }

    fn loop_file(&self, sop: &SopUid) -> Result<Option<(JobId, PathBuf)>, StoreError> {
        self.read("look up the file of a loop", |connection| {
            connection
                .query_row(
                    "SELECT job_id, path FROM job JOIN loop USING (loop_id)
                     WHERE loop.sop_instance_uid = ?1 AND file_state = 'loop'",
                    [sop.as_str()],
                    |row| Ok((JobId(row.get("job_id")?), self.paths.revealed(path_from(row.get("path")?)))),
                )
                .optional()
        })
    }

    fn loops_without(&self, model: &ModelKey, study: &StudyUid) -> Result<Vec<LoopFile>, StoreError> {
        self.read("list loops for another model", |connection| {
            read::loops_without(connection, &self.paths, model, study)
        })
    }

    fn add_prediction(&self, sop: &SopUid, prediction: &Prediction, now: Timestamp) -> Result<bool, StoreError> {
        self.write("record another prediction", |transaction| {
            let loop_id = transaction
                .query_row("SELECT loop_id FROM loop WHERE sop_instance_uid = ?1", [sop.as_str()], |row| row.get(0))
                .optional()?
                .map(LoopId)
                .ok_or_else(|| StoreError::UnknownLoop(sop.clone()))?;
            let is_new = place::add_prediction(transaction, loop_id, prediction, now)?;
            if is_new {
                outbox::make_due(transaction, loop_id, now)?;
            }
            Ok(is_new)
        })
    }

    fn close_quiet_studies(&self, quiet: SignedDuration, now: Timestamp) -> Result<Vec<StudyUid>, StoreError> {
        self.write("close quiet studies", |transaction| {
            // An activity in the future was written before the clock was set back; counted from now it ends some day.
            transaction.execute(
                "UPDATE study SET last_activity = ?1 WHERE closed_at IS NULL AND last_activity > ?1",
                [time_text(now)],
            )?;
            let closed: Vec<StudyUid> = transaction
                .prepare_cached(
                    "UPDATE study SET closed_at = ?1
                     WHERE closed_at IS NULL AND last_activity <= ?2 AND NOT EXISTS (
                         SELECT 1 FROM job WHERE job.study_instance_uid = study.study_instance_uid
                             AND job.file_state = 'waiting')
                     RETURNING study_instance_uid",
                )?
                .query_map([time_text(now), time_text(now - quiet)], |row| parsed(row, "study_instance_uid"))?
                .collect::<Result<_, _>>()?;
            transaction.execute(
                "INSERT INTO report_due (study_id, since) SELECT study_id, closed_at FROM study WHERE closed_at = ?1
                 ON CONFLICT (study_id) DO UPDATE SET since = excluded.since",
                [time_text(now)],
            )?;
            for uid in &closed {
                study::audit(transaction, now, "study_closed", Some(uid), None, &json!(null))?;
            }
            Ok(closed)
        })
    }

    fn studies(&self) -> Result<Vec<Study>, StoreError> {
        self.read("list studies", read::studies)
    }

    fn studies_named(&self, name: &StudyName) -> Result<Vec<StudyUid>, StoreError> {
        self.read("find a study", |connection| names::studies(connection, name))
    }

    fn loops_named(&self, uid_prefix: &str) -> Result<Vec<SopUid>, StoreError> {
        self.read("find a loop", |connection| names::loops(connection, uid_prefix))
    }

    fn numbered_loops(&self, study: &StudyUid) -> Result<Vec<SopUid>, StoreError> {
        self.read("number loops", |connection| names::numbered_loops(connection, study))
    }

    fn loops(&self, study: &StudyUid) -> Result<Vec<StoredLoop>, StoreError> {
        self.read("list loops", |connection| read::loops(connection, study))
    }

    fn predictions(&self, study: &StudyUid) -> Result<Vec<StoredPrediction>, StoreError> {
        self.read("list predictions", |connection| read::predictions(connection, study))
    }

    fn paths(&self, study: &StudyUid) -> Result<BTreeMap<SopUid, Vec<PathBuf>>, StoreError> {
        self.read("list paths", |connection| read::paths(connection, &self.paths, study))
    }

    fn add_review(&self, review: &Review) -> Result<(), StoreError> {
        self.write("keep a review", |transaction| {
            let loop_id = transaction
                .prepare_cached(
                    "INSERT INTO review (loop_id, view, reviewer, comment, created_at, role, not_sure, pixel_sha256)
                     SELECT loop_id, ?2, ?3, ?4, ?5, ?6, ?7, pixel_sha256 FROM loop WHERE sop_instance_uid = ?1
                     RETURNING loop_id",
                )?
                .query_row(
                    params![
                        review.sop_instance_uid.as_str(),
                        review.view,
                        review.reviewer,
                        review.comment,
                        time_text(review.created_at),
                        review.role.as_str(),
                        review.not_sure,
                    ],
                    |row| row.get(0).map(LoopId),
                )
                .optional()?
                .ok_or_else(|| StoreError::UnknownLoop(review.sop_instance_uid.clone()))?;
            outbox::make_due(transaction, loop_id, review.created_at)?;
            Ok(())
        })
    }

    fn reviews(&self, study: &StudyUid) -> Result<Vec<Review>, StoreError> {
        self.read("list reviews", |connection| read::reviews(connection, study))
    }

    fn inventory(&self, study: &StudyUid) -> Result<Inventory, StoreError> {
        let inventory = self.read("read a study", |connection| {
            // One snapshot: the daemon may commit between two queries.
            let snapshot = connection.unchecked_transaction()?;
            inventory::read(&snapshot, &self.paths, study)
        })?;
        inventory.ok_or_else(|| StoreError::UnknownStudy(study.clone()))
    }
}

fn known_loop(row: &Row<'_>) -> rusqlite::Result<KnownLoop> {
    Ok(KnownLoop {
        sop_instance_uid: parsed(row, "sop_instance_uid")?,
        study_instance_uid: parsed(row, "study_instance_uid")?,
    })
}
