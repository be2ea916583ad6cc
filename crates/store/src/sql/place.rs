//! Putting a loop and what a model said about it in their places.
//!
//! A loop is its SOP Instance UID with its pixels. The same pixels with another header are the same loop: the facts of the
//! file that came last count, and the study that it names.

use domain::{JobId, LoopId, Precision, Prediction, Sha256, SopUid, StudyUid, WeightStatus};
use jiff::Timestamp;
use serde_json::json;

use super::job_table::{JobEnd, end_job, replace_failed};
use super::row::parsed;
use super::{Result, Session, SessionExt as _, WriteError, counting, facts, params, study};
use crate::{DicomIdentity, Job, JobFailure, JobState, LoopFacts, Recorded, StoreError};

/// Places a labelled loop and ends its job.
pub(super) fn labelled(
    session: &dyn Session,
    job: &Job,
    facts: &LoopFacts,
    content_sha256: Sha256,
    prediction: &Prediction,
    now: Timestamp,
) -> Result<Recorded, WriteError> {
    let mut placed = put_loop(session, job, facts, content_sha256, None, now)?;
    if let Placed::At { loop_id, recorded, .. } = &mut placed {
        let is_new = add_prediction(session, *loop_id, prediction, now)?;
        if is_new && *recorded == Recorded::Duplicate {
            *recorded = Recorded::NewPrediction;
        }
        counting::judge_loop(session, *loop_id)?;
    }
    finish(session, job, facts, content_sha256, placed, JobEnd::new(JobState::Done), now)
}

/// Places a loop that no model was asked about and ends its job.
pub(super) fn skipped(
    session: &dyn Session,
    job: &Job,
    facts: &LoopFacts,
    content_sha256: Sha256,
    reason: &str,
    now: Timestamp,
) -> Result<Recorded, WriteError> {
    let placed = put_loop(session, job, facts, content_sha256, Some(reason), now)?;
    if let Placed::At { loop_id, .. } = &placed {
        // Other pixels may have been put in the place of those that were to be read.
        counting::judge_loop(session, *loop_id)?;
    }
    let end = JobEnd { kind: Some("not_a_view"), message: Some(reason), ..JobEnd::new(JobState::Skipped) };
    finish(session, job, facts, content_sha256, placed, end, now)
}

/// Ends the job of a file whose very bytes are those of a known loop.
pub(super) fn copy(session: &dyn Session, job: &Job, sop: &SopUid, now: Timestamp) -> Result<(), WriteError> {
    let known = find_loop(session, sop)?.ok_or_else(|| StoreError::UnknownLoop(sop.clone()))?;
    let is_file = becomes_file(session, job, known.loop_id)?;
    if known.is_older_than(job) {
        facts::read_from(session, known.loop_id, job.job_id)?;
    }
    replace_failed(session, job, sop, Some(known.loop_id))?;
    let identity = DicomIdentity { study_instance_uid: known.study_instance_uid, sop_instance_uid: sop.clone() };
    let end = JobEnd {
        duplicate: !is_file,
        loop_id: Some(known.loop_id),
        content_sha256: Some(known.content_sha256),
        identity: Some(&identity),
        ..JobEnd::new(JobState::Done)
    };
    end_job(session, job, &end, now)
}

/// Place of a loop.
enum Placed {
    At {
        loop_id: LoopId,
        recorded: Recorded,
        /// The job's file is the one of the loop; else it is another copy.
        is_file: bool,
    },
    /// Its UID belongs to other pixels.
    Refused { loop_id: LoopId, first_content_sha256: Sha256 },
}

/// A loop that is in the store.
struct KnownLoop {
    loop_id: LoopId,
    study_id: i64,
    study_instance_uid: StudyUid,
    content_sha256: Sha256,
    /// Empty where an older program recorded it.
    pixel_sha256: String,
    facts_job_id: Option<JobId>,
}

impl KnownLoop {
    /// Returns whether the job's file came after the one that the facts are of. Keys of jobs are in the order of
    /// arrival, ends of jobs are not.
    fn is_older_than(&self, job: &Job) -> bool {
        self.facts_job_id.is_none_or(|facts_job_id| facts_job_id <= job.job_id)
    }

    fn has_pixels_of(&self, facts: &LoopFacts, content_sha256: Sha256) -> bool {
        self.content_sha256 == content_sha256
            || facts.pixel_sha256.is_some_and(|digest| digest.to_string() == self.pixel_sha256)
    }
}

fn find_loop(session: &dyn Session, sop: &SopUid) -> Result<Option<KnownLoop>> {
    session.query_optional(
        "SELECT loop.*, study_instance_uid FROM loop JOIN study USING (study_id) WHERE sop_instance_uid = ?1",
        params![sop.as_str()],
        |row| {
            Ok(KnownLoop {
                loop_id: LoopId(row.get("loop_id")?),
                study_id: row.get("study_id")?,
                study_instance_uid: parsed(row, "study_instance_uid")?,
                content_sha256: parsed(row, "content_sha256")?,
                pixel_sha256: row.get("pixel_sha256")?,
                facts_job_id: row.get::<Option<i64>>("facts_job_id")?.map(JobId),
            })
        },
    )
}

/// Puts a loop in its place, unless its SOP Instance UID is taken.
fn put_loop(
    session: &dyn Session,
    job: &Job,
    facts: &LoopFacts,
    content_sha256: Sha256,
    skip_reason: Option<&str>,
    now: Timestamp,
) -> Result<Placed> {
    let Some(known) = find_loop(session, &facts.sop_instance_uid)? else {
        let reopened_study = study::touch(session, &facts.study_instance_uid, now)?;
        let loop_id = insert_loop(session, job, facts, content_sha256, skip_reason, now)?;
        return Ok(Placed::At { loop_id, recorded: Recorded::NewLoop { reopened_study }, is_file: true });
    };
    let loop_id = known.loop_id;
    if !known.has_pixels_of(facts, content_sha256) {
        if !job.replaces_loop {
            return Ok(Placed::Refused { loop_id, first_content_sha256: known.content_sha256 });
        }
        let reopened_study = study::touch(session, &facts.study_instance_uid, now)?;
        make_copies(session, loop_id, "a person chose another file of this UID")?;
        facts::replace(session, loop_id, job.job_id, facts, content_sha256, skip_reason, now)?;
        counting::judge_study(session, known.study_id)?;
        return Ok(Placed::At { loop_id, recorded: Recorded::NewLoop { reopened_study }, is_file: true });
    }
    if !known.is_older_than(job) {
        let is_file = becomes_file(session, job, loop_id)?;
        return Ok(Placed::At { loop_id, recorded: Recorded::Duplicate, is_file });
    }
    let moves = known.study_instance_uid != facts.study_instance_uid;
    if moves {
        study::touch(session, &facts.study_instance_uid, now)?;
        make_copies(session, loop_id, &format!("a later header put the loop into study {}", facts.study_instance_uid))?;
    }
    facts::update(session, loop_id, job.job_id, &known.study_instance_uid, facts, content_sha256, now)?;
    if moves {
        counting::judge_study(session, known.study_id)?;
    }
    let is_file = moves || becomes_file(session, job, loop_id)?;
    Ok(Placed::At { loop_id, recorded: if moves { Recorded::Moved } else { Recorded::Duplicate }, is_file })
}

/// Returns whether the job's file becomes the one of its loop: where the loop has none, or an older version of this one.
fn becomes_file(session: &dyn Session, job: &Job, loop_id: LoopId) -> Result<bool> {
    session.execute(
        "UPDATE job SET state = 'skipped', error_kind = ?3,
             error_message = 'a later version of the file came with the same loop'
         WHERE loop_id = ?1 AND path = (SELECT path FROM job WHERE job_id = ?2) AND job_id <> ?2
             AND file_state IN ('loop', 'duplicate')",
        params![loop_id.0, job.job_id.0, JobFailure::SUPERSEDED],
    )?;
    session.query_one(
        "SELECT NOT EXISTS (SELECT 1 FROM job WHERE loop_id = ?1 AND job_id <> ?2 AND file_state = 'loop')",
        params![loop_id.0, job.job_id.0],
        |row| row.get(0),
    )
}

/// Makes the file that a loop has one of its copies.
fn make_copies(session: &dyn Session, loop_id: LoopId, reason: &str) -> Result<usize> {
    session.execute(
        "UPDATE job SET duplicate = TRUE, error_kind = NULL, error_message = ?2
         WHERE loop_id = ?1 AND file_state IN ('loop', 'duplicate')",
        params![loop_id.0, reason],
    )
}

fn insert_loop(
    session: &dyn Session,
    job: &Job,
    facts: &LoopFacts,
    content_sha256: Sha256,
    skip_reason: Option<&str>,
    now: Timestamp,
) -> Result<LoopId> {
    session.query_one(
        "INSERT INTO loop (study_id, sop_instance_uid, series_instance_uid, content_sha256, transfer_syntax,
             manufacturer, mode, rows, columns, frames, frame_time_ms, acquired, skip_reason, created_at,
             facts_job_id, pixel_sha256, not_tte, scanner_model)
         SELECT study_id, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18
         FROM study WHERE study_instance_uid = ?1 RETURNING loop_id",
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
            now,
            job.job_id.0,
            facts::pixel_column(facts),
            facts.not_tte,
            facts.scanner_model,
        ],
        |row| row.get("loop_id").map(LoopId),
    )
}

/// Adds a prediction to a loop; returns false when it has one of this key: the first one stays.
pub(super) fn add_prediction(
    session: &dyn Session,
    loop_id: LoopId,
    prediction: &Prediction,
    now: Timestamp,
) -> Result<bool> {
    let added = session.execute(
        "INSERT INTO prediction (loop_id, pipeline, pipeline_sha256, weights_sha256, precision, weights_note, view,
             confidence, abstained, reason, probabilities, prediction_set, energy, clips, frames_used, ecg_source,
             timings_ms, findings, created_at, weights_status, frame_indexes, pixel_sha256)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21,
             pixel_sha256
         FROM loop WHERE loop_id = ?1
         ON CONFLICT (loop_id, pipeline, weights_sha256, pipeline_sha256, precision, pixel_sha256) DO NOTHING",
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
            now,
            prediction.weights_status.map(WeightStatus::as_str),
            json!(prediction.frame_indexes).to_string(),
        ],
    )?;
    if added == 1 {
        session.execute(
            "UPDATE loop SET skip_reason = NULL WHERE loop_id = ?1 AND skip_reason IS NOT NULL",
            params![loop_id.0],
        )?;
    }
    Ok(added == 1)
}

/// Ends the job as planned, or as a conflict when the loop was refused.
fn finish(
    session: &dyn Session,
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
        Placed::At { loop_id, recorded, is_file } => {
            replace_failed(session, job, &facts.sop_instance_uid, Some(loop_id))?;
            (recorded, JobEnd { loop_id: Some(loop_id), duplicate: !is_file, ..planned })
        }
        Placed::Refused { loop_id, first_content_sha256 } => {
            study::touch(session, &facts.study_instance_uid, now)?;
            study::audit(
                session,
                now,
                JobFailure::CONFLICT,
                Some(&facts.study_instance_uid),
                Some(&facts.sop_instance_uid),
                &json!({ "job_id": job.job_id, "kept_sha256": first_content_sha256, "refused_sha256": content_sha256 }),
            )?;
            let end = JobEnd {
                kind: Some(JobFailure::CONFLICT),
                message: Some("a loop with the same SOP Instance UID but other pixels came first and was kept"),
                loop_id: Some(loop_id),
                ..JobEnd::new(JobState::Skipped)
            };
            (Recorded::Conflict, end)
        }
    };
    let end = JobEnd { content_sha256: Some(content_sha256), identity: Some(&identity), ..end };
    end_job(session, job, &end, now)?;
    Ok(recorded)
}
