//! Loops, predictions and reviews.

use std::collections::BTreeMap;
use std::path::PathBuf;

use domain::{JobId, LoopId, ModelKey, Precision, Prediction, Sha256, SopUid, StudyUid};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::row::parsed;
use super::{Result, Row, SessionExt as _, counting, inventory, names, outbox, params, place, read, study};
use crate::path_form::path_from;
use crate::{
    Inventory, Job, KnownLoop, LabelStore, LoopFacts, LoopFile, Recorded, Review, Store, StoreError, StoredLoop,
    StoredPrediction, Study, StudyName,
};

impl LabelStore for Store {
    fn record_labelled(
        &self,
        job: &Job,
        facts: &LoopFacts,
        content_sha256: Sha256,
        prediction: &Prediction,
        now: Timestamp,
    ) -> Result<Recorded, StoreError> {
        self.write("record a labelled loop", |session| {
            session.lock("object", facts.sop_instance_uid.as_str().as_bytes())?;
            place::labelled(session, job, facts, content_sha256, prediction, session.now(now)?)
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
        self.write("record a skipped loop", |session| {
            session.lock("object", facts.sop_instance_uid.as_str().as_bytes())?;
            place::skipped(session, job, facts, content_sha256, reason, session.now(now)?)
        })
    }

    fn record_duplicate(&self, job: &Job, known: &KnownLoop, now: Timestamp) -> Result<(), StoreError> {
        self.write("record another copy of a loop", |session| {
            session.lock("object", known.sop_instance_uid.as_str().as_bytes())?;
            place::copy(session, job, &known.sop_instance_uid, session.now(now)?)
        })
    }

    fn known_content(&self, content_sha256: Sha256, model: &ModelKey) -> Result<Option<KnownLoop>, StoreError> {
        self.read("look up a loop by its content", |session| {
            session.query_optional(
                "SELECT sop_instance_uid, study_instance_uid FROM loop JOIN study USING (study_id)
                     WHERE content_sha256 = ?1 AND (skip_reason IS NOT NULL OR EXISTS (
                         SELECT 1 FROM prediction
                         WHERE prediction.loop_id = loop.loop_id AND pipeline = ?2 AND weights_sha256 = ?3
                             AND pipeline_sha256 IS NOT DISTINCT FROM ?4 AND precision IS NOT DISTINCT FROM ?5
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
        })
    }

    fn known_loop(&self, sop: &SopUid) -> Result<Option<KnownLoop>, StoreError> {
        self.read("look up a loop", |session| {
            session.query_optional(
                "SELECT sop_instance_uid, study_instance_uid FROM loop JOIN study USING (study_id)
                     WHERE sop_instance_uid = ?1",
                params![sop.as_str()],
                known_loop,
            )
        })
    }

    fn keep_label_set(&self, model: &ModelKey, views: &[String], now: Timestamp) -> Result<(), StoreError> {
        let Some(digest) = model.pipeline_sha256 else { return Ok(()) };
        self.write("keep a label set", |session| {
            let now = session.now(now)?;
            session.execute(
                "INSERT INTO pipeline (sha256, name, views, last_used) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (sha256) DO UPDATE SET last_used = CASE
                     WHEN pipeline.last_used > excluded.last_used THEN pipeline.last_used ELSE excluded.last_used END",
                params![digest.to_string(), model.pipeline, json!(views).to_string(), now],
            )?;
            Ok(())
        })
    }

    fn label_set(&self, study: &StudyUid) -> Result<Vec<String>, StoreError> {
        self.read("read a label set", |session| inventory::label_set(session, study))
    }

    fn loop_file(&self, sop: &SopUid) -> Result<Option<(JobId, PathBuf)>, StoreError> {
        self.read("look up the file of a loop", |session| {
            session.query_optional(
                "SELECT job_id, path FROM job JOIN loop USING (loop_id)
                     WHERE loop.sop_instance_uid = ?1 AND file_state = 'loop'",
                params![sop.as_str()],
                |row| Ok((JobId(row.get("job_id")?), self.paths().revealed(path_from(row.get("path")?)))),
            )
        })
    }

    fn loops_without(&self, model: &ModelKey, study: &StudyUid) -> Result<Vec<LoopFile>, StoreError> {
        self.read("list loops for another model", |session| read::loops_without(session, self.paths(), model, study))
    }

    fn add_prediction(&self, sop: &SopUid, prediction: &Prediction, now: Timestamp) -> Result<bool, StoreError> {
        self.write("record another prediction", |session| {
            let now = session.now(now)?;
            let loop_id = session
                .query_optional("SELECT loop_id FROM loop WHERE sop_instance_uid = ?1", params![sop.as_str()], |row| {
                    row.get(0)
                })?
                .map(LoopId)
                .ok_or_else(|| StoreError::UnknownLoop(sop.clone()))?;
            let is_new = place::add_prediction(session, loop_id, prediction, now)?;
            if is_new {
                counting::judge_loop(session, loop_id)?;
                outbox::make_due(session, loop_id, now)?;
            }
            Ok(is_new)
        })
    }

    fn close_quiet_studies(&self, quiet: SignedDuration, now: Timestamp) -> Result<Vec<StudyUid>, StoreError> {
        self.write("close quiet studies", |session| {
            let now = session.now(now)?;
            // An activity in the future was written before the clock was set back; counted from now it ends some day.
            session.execute(
                "UPDATE study SET last_activity = ?1 WHERE closed_at IS NULL AND last_activity > ?1",
                params![now],
            )?;
            let closed: Vec<StudyUid> = session.query_all(
                "UPDATE study SET closed_at = ?1
                     WHERE closed_at IS NULL AND last_activity <= ?2 AND NOT EXISTS (
                         SELECT 1 FROM job WHERE job.study_instance_uid = study.study_instance_uid
                             AND job.file_state = 'waiting')
                     RETURNING study_instance_uid",
                params![now, now - quiet],
                |row| parsed(row, "study_instance_uid"),
            )?;
            session.execute(
                "INSERT INTO report_due (study_id, since) SELECT study_id, closed_at FROM study WHERE closed_at = ?1
                 ON CONFLICT (study_id) DO UPDATE SET since = excluded.since",
                params![now],
            )?;
            for uid in &closed {
                study::audit(session, now, "study_closed", Some(uid), None, &json!(null))?;
            }
            Ok(closed)
        })
    }

    fn studies(&self) -> Result<Vec<Study>, StoreError> {
        self.read("list studies", read::studies)
    }

    fn studies_named(&self, name: &StudyName) -> Result<Vec<StudyUid>, StoreError> {
        self.read("find a study", |session| names::studies(session, name))
    }

    fn loops_named(&self, uid_prefix: &str) -> Result<Vec<SopUid>, StoreError> {
        self.read("find a loop", |session| names::loops(session, uid_prefix))
    }

    fn numbered_loops(&self, study: &StudyUid) -> Result<Vec<SopUid>, StoreError> {
        self.read("number loops", |session| names::numbered_loops(session, study))
    }

    fn loops(&self, study: &StudyUid) -> Result<Vec<StoredLoop>, StoreError> {
        self.read("list loops", |session| read::loops(session, study))
    }

    fn predictions(&self, study: &StudyUid) -> Result<Vec<StoredPrediction>, StoreError> {
        self.read("list predictions", |session| read::predictions(session, study))
    }

    fn paths(&self, study: &StudyUid) -> Result<BTreeMap<SopUid, Vec<PathBuf>>, StoreError> {
        self.read("list paths", |session| read::paths(session, self.paths(), study))
    }

    fn add_review(&self, review: &Review) -> Result<(), StoreError> {
        self.write("keep a review", |session| {
            let loop_id = session
                .query_optional(
                    "INSERT INTO review (loop_id, view, reviewer, comment, created_at, role, not_sure, pixel_sha256)
                     SELECT loop_id, ?2, ?3, ?4, ?5, ?6, ?7, pixel_sha256 FROM loop WHERE sop_instance_uid = ?1
                     RETURNING loop_id",
                    params![
                        review.sop_instance_uid.as_str(),
                        review.view,
                        review.reviewer,
                        review.comment,
                        review.created_at,
                        review.role.as_str(),
                        review.not_sure,
                    ],
                    |row| row.get(0).map(LoopId),
                )?
                .ok_or_else(|| StoreError::UnknownLoop(review.sop_instance_uid.clone()))?;
            counting::judge_loop(session, loop_id)?;
            outbox::make_due(session, loop_id, review.created_at)?;
            Ok(())
        })
    }

    fn reviews(&self, study: &StudyUid) -> Result<Vec<Review>, StoreError> {
        self.read("list reviews", |session| read::reviews(session, study))
    }

    fn inventory(&self, study: &StudyUid) -> Result<Inventory, StoreError> {
        // One snapshot: the daemon may commit between two queries.
        let inventory = self.snapshot("read a study", |session| inventory::read(session, self.paths(), study))?;
        inventory.ok_or_else(|| StoreError::UnknownStudy(study.clone()))
    }
}

fn known_loop(row: &Row<'_>) -> Result<KnownLoop> {
    Ok(KnownLoop {
        sop_instance_uid: parsed(row, "sop_instance_uid")?,
        study_instance_uid: parsed(row, "study_instance_uid")?,
    })
}
