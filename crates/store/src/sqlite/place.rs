//! Putting a loop and what a model said about it in their places.

use domain::{LoopId, Precision, Prediction, Sha256};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::json;

use super::database::WriteError;
use super::job_table::{JobEnd, end_job};
use super::row::{parsed, time_text};
use super::study;
use crate::{DicomIdentity, Job, JobState, LoopFacts, Recorded};

/// Places a labelled loop and ends its job.
pub(super) fn labelled(
    connection: &Connection,
    job: &Job,
    facts: &LoopFacts,
    content_sha256: Sha256,
    prediction: &Prediction,
    now: Timestamp,
) -> Result<Recorded, WriteError> {
    let mut placed = put_loop(connection, facts, content_sha256, None, now)?;
    if let Placed::At { loop_id, recorded } = &mut placed {
        let is_new = add_prediction(connection, *loop_id, prediction, now)?;
        if is_new && *recorded == Recorded::Duplicate {
            *recorded = Recorded::NewPrediction;
        }
    }
    finish(connection, job, facts, content_sha256, placed, JobEnd::new(JobState::Done), now)
}

/// Places a loop that no model was asked about and ends its job.
pub(super) fn skipped(
    connection: &Connection,
    job: &Job,
    facts: &LoopFacts,
    content_sha256: Sha256,
    reason: &str,
    now: Timestamp,
) -> Result<Recorded, WriteError> {
    let placed = put_loop(connection, facts, content_sha256, Some(reason), now)?;
    let end = JobEnd { kind: Some("not_a_view"), message: Some(reason), ..JobEnd::new(JobState::Skipped) };
    finish(connection, job, facts, content_sha256, placed, end, now)
}

/// Place of a loop.
enum Placed {
    At {
        loop_id: LoopId,
        recorded: Recorded,
    },
    /// Its UID belongs to other bytes.
    Refused {
        loop_id: LoopId,
        first_content_sha256: Sha256,
    },
}

/// Puts a loop in its place, unless its SOP Instance UID is taken.
fn put_loop(
    connection: &Connection,
    facts: &LoopFacts,
    content_sha256: Sha256,
    skip_reason: Option<&str>,
    now: Timestamp,
) -> rusqlite::Result<Placed> {
    let first: Option<(LoopId, Sha256)> = connection
        .query_row(
            "SELECT loop_id, content_sha256 FROM loop WHERE sop_instance_uid = ?1",
            [facts.sop_instance_uid.as_str()],
            |row| Ok((LoopId(row.get(0)?), parsed(row, "content_sha256")?)),
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
    content_sha256: Sha256,
    skip_reason: Option<&str>,
    now: Timestamp,
) -> rusqlite::Result<LoopId> {
    connection.execute(
        "INSERT INTO loop (study_id, sop_instance_uid, series_instance_uid, content_sha256, transfer_syntax,
             manufacturer, mode, rows, columns, frames, frame_time_ms, acquired, skip_reason, created_at)
         SELECT study_id, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14
         FROM study WHERE study_instance_uid = ?1",
        params![
            facts.study_instance_uid.as_str(),
            facts.sop_instance_uid.as_str(),
            facts.series_instance_uid.as_str(),
            content_sha256.to_string(),
            facts.transfer_syntax,
            facts.manufacturer,
            facts.mode.as_str(),
            facts.rows,
            facts.columns,
            facts.frames,
            facts.frame_time_ms,
            facts.acquired,
            skip_reason,
            time_text(now),
        ],
    )?;
    Ok(LoopId(connection.last_insert_rowid()))
}

/// Adds a prediction to a loop; returns false when it has one of this key: the first one stays.
pub(super) fn add_prediction(
    connection: &Connection,
    loop_id: LoopId,
    prediction: &Prediction,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let added = connection.execute(
        "INSERT INTO prediction (loop_id, pipeline, pipeline_sha256, weights_sha256, precision, weights_note, view,
             confidence, abstained, reason, probabilities, prediction_set, energy, clips, frames_used, ecg_source,
             timings_ms, findings, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)
         ON CONFLICT (loop_id, pipeline, weights_sha256, pipeline_sha256, precision) DO NOTHING",
        params![
            loop_id.0,
            prediction.model.pipeline,
            prediction.model.pipeline_sha256.map(|digest| digest.to_string()),
            prediction.model.weights_sha256.to_string(),
            prediction.model.precision.map(Precision::as_str),
            prediction.weights_note,
            prediction.view,
            prediction.confidence,
            prediction.abstained,
            prediction.reason,
            json!(prediction.probabilities).to_string(),
            json!(prediction.prediction_set).to_string(),
            prediction.energy,
            prediction.clips,
            prediction.frames_used,
            prediction.ecg_source.as_str(),
            json!(prediction.timings).to_string(),
            json!(prediction.findings).to_string(),
            time_text(now),
        ],
    )?;
    if added == 1 {
        connection
            .execute("UPDATE loop SET skip_reason = NULL WHERE loop_id = ?1 AND skip_reason NOT NULL", [loop_id.0])?;
    }
    Ok(added == 1)
}

/// Ends the job as planned, or as a conflict when the loop was refused.
fn finish(
    connection: &Connection,
    job: &Job,
    facts: &LoopFacts,
    content_sha256: Sha256,
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
