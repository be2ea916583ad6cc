//! Loops, predictions and reviews in SQLite.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::json;

use super::database::WriteError;
use super::queue::{JobEnd, end_job};
use super::row::time_text;
use super::{Store, read, study};
use crate::{
    DicomIdentity, Inventory, Job, JobState, KnownLoop, LabelStore, LoopFacts, ModelKey, Prediction, Recorded, Review,
    StoreError, StoredLoop, StoredPrediction, Study, inventory,
};

impl LabelStore for Store {
    fn record_labelled(
        &self,
        job: &Job,
        facts: &LoopFacts,
        content_sha256: &str,
        prediction: &Prediction,
        now: Timestamp,
    ) -> Result<Recorded, StoreError> {
        self.write("record a labelled loop", |transaction| {
            let mut recorded = put_loop(transaction, facts, content_sha256, None, now)?;
            if let Placed::At { loop_id, recorded: so_far } = &mut recorded
                && insert_prediction(transaction, *loop_id, prediction, now)?
                && *so_far == Recorded::Duplicate
            {
                *so_far = Recorded::NewPrediction;
                transaction.execute("UPDATE loop SET skip_reason = NULL WHERE loop_id = ?1", [*loop_id])?;
            }
            finish(transaction, job, facts, content_sha256, recorded, JobEnd::new(JobState::Done), now)
        })
    }

    fn record_skipped(
        &self,
        job: &Job,
        facts: &LoopFacts,
        content_sha256: &str,
        reason: &str,
        now: Timestamp,
    ) -> Result<Recorded, StoreError> {
        self.write("record a skipped loop", |transaction| {
            let recorded = put_loop(transaction, facts, content_sha256, Some(reason), now)?;
            let end = JobEnd { kind: Some("not_a_view"), message: Some(reason), ..JobEnd::new(JobState::Skipped) };
            finish(transaction, job, facts, content_sha256, recorded, end, now)
        })
    }

    fn record_duplicate(&self, job: &Job, known: &KnownLoop, now: Timestamp) -> Result<(), StoreError> {
        self.write("record another copy of a loop", |transaction| {
            let (loop_id, content): (i64, String) = transaction
                .query_row(
                    "SELECT loop_id, content_sha256 FROM loop WHERE sop_instance_uid = ?1",
                    [&known.sop_instance_uid],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )
                .optional()?
                .ok_or_else(|| StoreError::UnknownLoop(known.sop_instance_uid.clone()))?;
            let identity = DicomIdentity {
                study_instance_uid: known.study_instance_uid.clone(),
                sop_instance_uid: known.sop_instance_uid.clone(),
            };
            let end = JobEnd {
                duplicate: true,
                loop_id: Some(loop_id),
                content_sha256: Some(&content),
                identity: Some(&identity),
                ..JobEnd::new(JobState::Done)
            };
            end_job(transaction, job, &end, now)
        })
    }

    fn known_content(&self, content_sha256: &str, model: &ModelKey) -> Result<Option<KnownLoop>, StoreError> {
        self.read("look up a loop by its content", |connection| {
            connection
                .query_row(
                    "SELECT sop_instance_uid, study_instance_uid FROM loop JOIN study USING (study_id)
                     WHERE content_sha256 = ?1 AND (skip_reason NOT NULL OR EXISTS (
                         SELECT 1 FROM prediction
                         WHERE prediction.loop_id = loop.loop_id AND pipeline = ?2 AND weights_sha256 = ?3))",
                    params![content_sha256, model.pipeline, model.weights_sha256],
                    |row| Ok(KnownLoop { sop_instance_uid: row.get(0)?, study_instance_uid: row.get(1)? }),
                )
                .optional()
        })
    }

    fn known_loop(&self, sop_instance_uid: &str) -> Result<Option<KnownLoop>, StoreError> {
        self.read("look up a loop", |connection| {
            connection
                .query_row(
                    "SELECT sop_instance_uid, study_instance_uid FROM loop JOIN study USING (study_id)
                     WHERE sop_instance_uid = ?1",
                    [sop_instance_uid],
                    |row| Ok(KnownLoop { sop_instance_uid: row.get(0)?, study_instance_uid: row.get(1)? }),
                )
                .optional()
        })
    }

    fn requeue_for(&self, model: &ModelKey, now: Timestamp) -> Result<u64, StoreError> {
        self.write("queue loops for another model", |transaction| {
            let queued = transaction.execute(
                "UPDATE job SET state = 'pending', attempts = 0, interruptions = 0, not_before = ?3, finished_at = NULL
                 WHERE state = 'done' AND NOT duplicate AND loop_id IN (
                     SELECT loop_id FROM loop WHERE skip_reason IS NULL AND NOT EXISTS (
                         SELECT 1 FROM prediction
                         WHERE prediction.loop_id = loop.loop_id AND pipeline = ?1 AND weights_sha256 = ?2))",
                params![model.pipeline, model.weights_sha256, time_text(now)],
            )?;
            Ok(queued as u64)
        })
    }

    fn close_quiet_studies(&self, quiet: SignedDuration, now: Timestamp) -> Result<Vec<String>, StoreError> {
        self.write("close quiet studies", |transaction| {
            let closed: Vec<String> = transaction
                .prepare_cached(
                    "UPDATE study SET closed_at = ?1
                     WHERE closed_at IS NULL AND last_activity <= ?2 AND NOT EXISTS (
                         SELECT 1 FROM job WHERE job.study_instance_uid = study.study_instance_uid
                             AND job.state IN ('pending', 'running'))
                     RETURNING study_instance_uid",
                )?
                .query_map([time_text(now), time_text(now - quiet)], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            for uid in &closed {
                study::audit(transaction, now, "study_closed", Some(uid), None, &json!(null))?;
            }
            Ok(closed)
        })
    }

    fn studies(&self) -> Result<Vec<Study>, StoreError> {
        self.read("list studies", |connection| read::studies(connection, None))
    }

    fn loops(&self, study_instance_uid: &str) -> Result<Vec<StoredLoop>, StoreError> {
        self.read("list loops", |connection| read::loops(connection, study_instance_uid))
    }

    fn predictions(&self, study_instance_uid: &str) -> Result<Vec<StoredPrediction>, StoreError> {
        self.read("list predictions", |connection| read::predictions(connection, study_instance_uid))
    }

    fn paths(&self, study_instance_uid: &str) -> Result<BTreeMap<String, PathBuf>, StoreError> {
        self.read("list paths", |connection| read::paths(connection, study_instance_uid))
    }

    fn add_review(&self, review: &Review) -> Result<(), StoreError> {
        self.write("keep a review", |transaction| {
            let added = transaction.execute(
                "INSERT INTO review (loop_id, view, reviewer, comment, created_at)
                 SELECT loop_id, ?2, ?3, ?4, ?5 FROM loop WHERE sop_instance_uid = ?1",
                params![
                    review.sop_instance_uid,
                    review.view,
                    review.reviewer,
                    review.comment,
                    time_text(review.created_at)
                ],
            )?;
            if added == 1 { Ok(()) } else { Err(StoreError::UnknownLoop(review.sop_instance_uid.clone()).into()) }
        })
    }

    fn reviews(&self, study_instance_uid: &str) -> Result<Vec<Review>, StoreError> {
        self.read("list reviews", |connection| read::reviews(connection, study_instance_uid))
    }

    fn inventory(&self, study_instance_uid: &str, label_set: &[String]) -> Result<Inventory, StoreError> {
        let material = self.read("read a study", |connection| {
            // One snapshot: the daemon may commit between two queries.
            let snapshot = connection.unchecked_transaction()?;
            read::material(&snapshot, study_instance_uid)
        })?;
        material
            .map(|material| inventory::build(material, label_set))
            .ok_or_else(|| StoreError::UnknownStudy(study_instance_uid.to_owned()))
    }
}

/// Where a loop went.
enum Placed {
    At {
        loop_id: i64,
        recorded: Recorded,
    },
    /// Its UID belongs to other bytes.
    Refused {
        loop_id: i64,
        first_content_sha256: String,
    },
}

/// Puts a loop in its place, unless its SOP Instance UID is taken.
fn put_loop(
    connection: &Connection,
    facts: &LoopFacts,
    content_sha256: &str,
    skip_reason: Option<&str>,
    now: Timestamp,
) -> rusqlite::Result<Placed> {
    let first: Option<(i64, String)> = connection
        .query_row(
            "SELECT loop_id, content_sha256 FROM loop WHERE sop_instance_uid = ?1",
            [&facts.sop_instance_uid],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    match first {
        Some((loop_id, first_content_sha256)) if first_content_sha256 != content_sha256 => {
            Ok(Placed::Refused { loop_id, first_content_sha256 })
        }
        Some((loop_id, _)) => Ok(Placed::At { loop_id, recorded: Recorded::Duplicate }),
        None => {
            let reopened_study = study::touch(connection, &facts.study_instance_uid, now)?;
            let loop_id = insert_loop(connection, facts, content_sha256, skip_reason, now)?;
            Ok(Placed::At { loop_id, recorded: Recorded::NewLoop { reopened_study } })
        }
    }
}

fn insert_loop(
    connection: &Connection,
    facts: &LoopFacts,
    content_sha256: &str,
    skip_reason: Option<&str>,
    now: Timestamp,
) -> rusqlite::Result<i64> {
    connection.execute(
        "INSERT INTO loop (study_id, sop_instance_uid, series_instance_uid, content_sha256, transfer_syntax,
             manufacturer, mode, rows, columns, frames, frame_time_ms, acquired, skip_reason, created_at)
         SELECT study_id, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14
         FROM study WHERE study_instance_uid = ?1",
        params![
            facts.study_instance_uid,
            facts.sop_instance_uid,
            facts.series_instance_uid,
            content_sha256,
            facts.transfer_syntax,
            facts.manufacturer,
            facts.mode,
            facts.rows,
            facts.columns,
            facts.frames,
            facts.frame_time_ms,
            facts.acquired,
            skip_reason,
            time_text(now),
        ],
    )?;
    Ok(connection.last_insert_rowid())
}

/// False when this model has spoken about the loop before: its first word stands.
fn insert_prediction(
    connection: &Connection,
    loop_id: i64,
    prediction: &Prediction,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let added = connection.execute(
        "INSERT INTO prediction (loop_id, pipeline, weights_sha256, weights_note, view, confidence, abstained, reason,
             probabilities, clips, frames_used, ecg_source, timings_ms, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
         ON CONFLICT (loop_id, pipeline, weights_sha256) DO NOTHING",
        params![
            loop_id,
            prediction.model.pipeline,
            prediction.model.weights_sha256,
            prediction.weights_note,
            prediction.view,
            prediction.confidence,
            prediction.abstained,
            prediction.reason,
            json!(prediction.probabilities).to_string(),
            prediction.clips,
            prediction.frames_used,
            prediction.ecg_source,
            json!(prediction.timings_ms).to_string(),
            time_text(now),
        ],
    )?;
    Ok(added == 1)
}

/// Ends the job as planned, or as a conflict when the loop was refused.
fn finish(
    connection: &Connection,
    job: &Job,
    facts: &LoopFacts,
    content_sha256: &str,
    placed: Placed,
    planned: JobEnd<'_>,
    now: Timestamp,
) -> Result<Recorded, WriteError> {
    let identity = DicomIdentity {
        study_instance_uid: facts.study_instance_uid.clone(),
        sop_instance_uid: facts.sop_instance_uid.clone(),
    };
    let (recorded, end) = match placed {
        Placed::At { loop_id, recorded } => {
            let duplicate = recorded == Recorded::Duplicate;
            (recorded, JobEnd { loop_id: Some(loop_id), duplicate, ..planned })
        }
        Placed::Refused { loop_id, first_content_sha256 } => {
            study::audit(
                connection,
                now,
                "conflicting_content",
                Some(&facts.study_instance_uid),
                Some(&facts.sop_instance_uid),
                &json!({ "job_id": job.job_id, "kept_sha256": first_content_sha256, "refused_sha256": content_sha256 }),
            )?;
            let end = JobEnd {
                kind: Some("conflicting_content"),
                message: Some("a loop with the same SOP Instance UID but other content came first and was kept"),
                loop_id: Some(loop_id),
                ..JobEnd::new(JobState::Skipped)
            };
            (Recorded::Conflict, end)
        }
    };
    let end = JobEnd { content_sha256: Some(content_sha256), identity: Some(&identity), ..end };
    end_job(connection, job, &end, now)?;
    Ok(recorded)
}
