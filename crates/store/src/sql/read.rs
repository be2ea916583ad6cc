//! Reading studies, loops, predictions and reviews back.

use std::collections::BTreeMap;
use std::path::PathBuf;

use domain::{EcgSource, JobId, Mode, ModelKey, Precision, Prediction, Sha256, SopUid, StudyUid, WeightStatus};

use super::row::{count, json, named, optional, optional_json, optional_named, optional_time, parsed, time};
use super::{Result, Row, Session, SessionExt as _, params};
use crate::path_form::path_from;
use crate::{
    FileState, JobFailure, LoopFacts, LoopFile, PathForm, Review, ReviewRole, StoredFile, StoredLoop, StoredPrediction,
    Study,
};

pub(super) fn studies(session: &dyn Session) -> Result<Vec<Study>> {
    session.query_all(
        "SELECT (SELECT count(*) FROM loop WHERE loop.study_id = study.study_id), study.*
         FROM study ORDER BY last_activity DESC, study_id DESC",
        &[],
        |row| {
            Ok(Study {
                study_instance_uid: parsed(row, "study_instance_uid")?,
                first_seen: time(row, "first_seen")?,
                last_activity: time(row, "last_activity")?,
                closed_at: optional_time(row, "closed_at")?,
                loops: count(row, 0)?,
            })
        },
    )
}

pub(super) fn loops(session: &dyn Session, study: &StudyUid) -> Result<Vec<StoredLoop>> {
    session.query_all(
        "SELECT loop.*, study_instance_uid FROM loop JOIN study USING (study_id)
         WHERE study_instance_uid = ?1 ORDER BY acquired IS NULL, acquired, loop_id",
        params![study.as_str()],
        stored_loop,
    )
}

pub(super) fn predictions(session: &dyn Session, study: &StudyUid) -> Result<Vec<StoredPrediction>> {
    session.query_all(
        "SELECT prediction.*, sop_instance_uid
         FROM prediction JOIN loop USING (loop_id) JOIN study USING (study_id)
         LEFT JOIN preferred_pipeline ON preferred_pipeline.name = prediction.pipeline
         WHERE study_instance_uid = ?1 AND prediction.pixel_sha256 = loop.pixel_sha256
         ORDER BY coalesce(preferred_pipeline.turn, 0), prediction_id",
        params![study.as_str()],
        stored_prediction,
    )
}

pub(super) fn reviews(session: &dyn Session, study: &StudyUid) -> Result<Vec<Review>> {
    session.query_all(
        "SELECT review.*, sop_instance_uid FROM review JOIN loop USING (loop_id) JOIN study USING (study_id)
         WHERE study_instance_uid = ?1 AND review.pixel_sha256 = loop.pixel_sha256 ORDER BY review_id",
        params![study.as_str()],
        review,
    )
}

/// Reads a row of the review table joined with that of its loop.
pub(super) fn review(row: &Row<'_>) -> Result<Review> {
    Ok(Review {
        sop_instance_uid: parsed(row, "sop_instance_uid")?,
        view: row.get("view")?,
        not_sure: row.get("not_sure")?,
        role: named(row, "role", ReviewRole::from_name)?,
        reviewer: row.get("reviewer")?,
        comment: row.get("comment")?,
        created_at: time(row, "created_at")?,
        withdrawn_at: optional_time(row, "withdrawn_at")?,
    })
}

pub(super) fn paths(
    session: &dyn Session,
    form: &PathForm,
    study: &StudyUid,
) -> Result<BTreeMap<SopUid, Vec<PathBuf>>> {
    let sql = "SELECT loop.sop_instance_uid, path FROM job JOIN loop USING (loop_id) JOIN study USING (study_id)
         WHERE study.study_instance_uid = ?1 AND file_state IN ('loop', 'duplicate') AND error_kind IS DISTINCT FROM ?2
         ORDER BY file_state = 'loop' DESC, job_id DESC";
    let mut paths: BTreeMap<SopUid, Vec<PathBuf>> = BTreeMap::new();
    session.query(sql, params![study.as_str(), JobFailure::REPLACED], &mut |row| {
        paths.entry(parsed(row, "sop_instance_uid")?).or_default().push(form.revealed(path_from(row.get("path")?)));
        Ok(())
    })?;
    Ok(paths)
}

pub(super) fn files_without_study(session: &dyn Session, paths: &PathForm) -> Result<Vec<StoredFile>> {
    session.query_all("SELECT * FROM file_state WHERE study_instance_uid IS NULL ORDER BY job_id", &[], |row| {
        stored_file(row, paths)
    })
}

/// Returns the files of a study, in the order of their arrival.
pub(super) fn files(session: &dyn Session, paths: &PathForm, study: &StudyUid) -> Result<Vec<StoredFile>> {
    session.query_all(
        "SELECT * FROM file_state WHERE study_instance_uid = ?1 ORDER BY job_id",
        params![study.as_str()],
        |row| stored_file(row, paths),
    )
}

pub(super) fn stored_file(row: &Row<'_>, paths: &PathForm) -> Result<StoredFile> {
    Ok(StoredFile {
        job_id: JobId(row.get("job_id")?),
        path: paths.revealed(path_from(row.get("path")?)),
        state: named(row, "state", FileState::from_name)?,
        kind: row.get("kind")?,
        reason: row.get("reason")?,
        study_instance_uid: optional(row, "study_instance_uid")?,
        sop_instance_uid: optional(row, "sop_instance_uid")?,
        enqueued_at: time(row, "enqueued_at")?,
        finished_at: optional_time(row, "finished_at")?,
    })
}

pub(super) fn loops_without(
    session: &dyn Session,
    paths: &PathForm,
    model: &ModelKey,
    study: &StudyUid,
) -> Result<Vec<LoopFile>> {
    let (pipeline_sha256, precision) = (model.pipeline_sha256.map(|it| it.to_string()), model.precision);
    let key = params![
        study.as_str(),
        model.pipeline,
        model.weights_sha256.to_string(),
        pipeline_sha256,
        precision.map(Precision::as_str)
    ];
    session.query_all("SELECT loop.sop_instance_uid, coalesce(job.content_sha256, loop.content_sha256) AS content_sha256, job.path
         FROM loop JOIN study USING (study_id) JOIN job ON job.loop_id = loop.loop_id AND job.file_state = 'loop'
         WHERE study.study_instance_uid = ?1 AND NOT EXISTS (
             SELECT 1 FROM prediction
             WHERE prediction.loop_id = loop.loop_id AND pipeline = ?2 AND weights_sha256 = ?3
                 AND pipeline_sha256 IS NOT DISTINCT FROM ?4 AND precision IS NOT DISTINCT FROM ?5 AND prediction.pixel_sha256 = loop.pixel_sha256)
         ORDER BY loop.loop_id", key, |row| {
            Ok(LoopFile {
                sop_instance_uid: parsed(row, "sop_instance_uid")?,
                path: paths.revealed(path_from(row.get("path")?)),
                content_sha256: parsed(row, "content_sha256")?,
            })
        })
}

fn stored_loop(row: &Row<'_>) -> Result<StoredLoop> {
    Ok(StoredLoop {
        facts: LoopFacts {
            study_instance_uid: parsed(row, "study_instance_uid")?,
            series_instance_uid: parsed(row, "series_instance_uid")?,
            sop_instance_uid: parsed(row, "sop_instance_uid")?,
            transfer_syntax: row.get("transfer_syntax")?,
            manufacturer: row.get("manufacturer")?,
            scanner_model: row.get("scanner_model")?,
            mode: named(row, "mode", Mode::from_name)?,
            rows: row.get("rows")?,
            columns: row.get("columns")?,
            frames: row.get("frames")?,
            frame_time_ms: row.get("frame_time_ms")?,
            acquired: row.get("acquired")?,
            pixel_sha256: row.get::<String>("pixel_sha256")?.parse().ok(),
            not_tte: row.get("not_tte")?,
        },
        content_sha256: parsed(row, "content_sha256")?,
        skip_reason: row.get("skip_reason")?,
        created_at: time(row, "created_at")?,
    })
}

fn stored_prediction(row: &Row<'_>) -> Result<StoredPrediction> {
    Ok(StoredPrediction {
        prediction_id: row.get("prediction_id")?,
        sop_instance_uid: parsed(row, "sop_instance_uid")?,
        prediction: Prediction {
            model: ModelKey {
                pipeline: row.get("pipeline")?,
                pipeline_sha256: optional::<Sha256>(row, "pipeline_sha256")?,
                weights_sha256: parsed(row, "weights_sha256")?,
                precision: optional_named(row, "precision", Precision::from_name)?,
            },
            weights_note: row.get("weights_note")?,
            weights_status: optional_named(row, "weights_status", WeightStatus::from_name)?,
            view: row.get("view")?,
            confidence: row.get("confidence")?,
            abstained: row.get("abstained")?,
            reason: row.get("reason")?,
            probabilities: json(row, "probabilities")?,
            prediction_set: optional_json(row, "prediction_set")?.unwrap_or_default(),
            energy: row.get("energy")?,
            clips: row.get("clips")?,
            frames_used: row.get("frames_used")?,
            frame_indexes: optional_json(row, "frame_indexes")?.unwrap_or_default(),
            ecg_source: named(row, "ecg_source", EcgSource::from_name)?,
            timings: json(row, "timings_ms")?,
            findings: optional_json(row, "findings")?.unwrap_or_default(),
        },
        created_at: time(row, "created_at")?,
    })
}
