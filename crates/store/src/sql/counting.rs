//! The prediction of a loop that counts, and what follows from it: the loops that a person should read, and the studies that
//! lack a view.

use std::collections::BTreeSet;

use domain::LoopId;
use jiff::Timestamp;

use super::{Result, Session, SessionExt as _, Value, params};

/// Key of the prediction of a row of `loop` that counts: of the pipeline that was preferred last, else the newest. The view
/// `loop_label` has the same text.
pub(super) const COUNTING: &str = "(
    SELECT newest.prediction_id FROM prediction AS newest
    LEFT JOIN preferred_pipeline ON preferred_pipeline.name = newest.pipeline
    WHERE newest.loop_id = loop.loop_id AND newest.pixel_sha256 = loop.pixel_sha256
    ORDER BY coalesce(preferred_pipeline.turn, 0) DESC, newest.prediction_id DESC LIMIT 1)";

/// True where another model gives a loop another view than `prediction`.
pub(super) const MODELS_DIFFER: &str = "EXISTS (
    SELECT 1 FROM prediction AS other WHERE other.loop_id = loop.loop_id
        AND other.pixel_sha256 = loop.pixel_sha256 AND other.view <> prediction.view)";

/// True where the set of `prediction` holds a second view.
pub(super) const SEVERAL_VIEWS: &str =
    "EXISTS (SELECT 1 FROM json_each(prediction.prediction_set) WHERE CAST(key AS TEXT) = '1')";

/// True where the loops of a row of `study` do not show all views of its label set. That is what `study_missing_view` says,
/// except that files which still wait are not looked at: the column would change with every one of them.
const LACKS_VIEWS: &str = "(
    EXISTS (
        SELECT view FROM study_label_set WHERE study_label_set.study_instance_uid = study.study_instance_uid
        EXCEPT SELECT view FROM loop_label WHERE loop_label.study_instance_uid = study.study_instance_uid)
    AND (
        NOT EXISTS (SELECT 1 FROM loop WHERE loop.study_id = study.study_id AND not_tte IS NOT NULL)
        OR EXISTS (SELECT 1 FROM loop_label WHERE loop_label.study_instance_uid = study.study_instance_uid
            AND state = 'labelled' AND not_tte IS NULL)))";

/// Prefers the predictions of a pipeline to those of others. What that changes is due for new reports.
pub(super) fn prefer(session: &dyn Session, pipeline: &str, now: Timestamp) -> Result<()> {
    let latest: Option<String> =
        session
            .query_optional("SELECT name FROM preferred_pipeline ORDER BY turn DESC LIMIT 1", &[], |row| row.get(0))?;
    if latest.as_deref() == Some(pipeline) {
        return Ok(());
    }
    session.execute(
        "INSERT INTO preferred_pipeline (name, turn)
             SELECT CAST(?1 AS TEXT), coalesce(max(turn), 0) + 1 FROM preferred_pipeline WHERE TRUE
         ON CONFLICT (name) DO UPDATE SET turn = excluded.turn",
        params![pipeline],
    )?;
    let of_several_models = "loop_id IN (SELECT loop_id FROM prediction GROUP BY loop_id HAVING count(*) > 1)";
    session.execute(
        &format!(
            "INSERT INTO report_due (study_id, since) SELECT study_id, ?1 FROM study WHERE closed_at IS NOT NULL
                 AND study_id IN (SELECT study_id FROM loop WHERE {of_several_models})
             ON CONFLICT (study_id) DO UPDATE SET since = excluded.since"
        ),
        params![now],
    )?;
    let mut studies = judge(session, of_several_models, &[])?;
    // The label set of a study is that of the preferred pipeline, whichever of its loops that one has labelled.
    let of_several_pipelines = "SELECT study_id FROM loop JOIN prediction USING (loop_id)
        GROUP BY study_id HAVING min(pipeline) <> max(pipeline)";
    studies.extend(session.query_all(of_several_pipelines, &[], |row| row.get::<i64>(0))?);
    studies.into_iter().try_for_each(|study_id| judge_study(session, study_id))
}

/// Judges whether a person should read a loop and whether its study lacks a view, after news of the loop.
pub(super) fn judge_loop(session: &dyn Session, loop_id: LoopId) -> Result<()> {
    let studies = judge(session, "loop_id = ?1", params![loop_id.0])?;
    studies.into_iter().try_for_each(|study_id| judge_study(session, study_id))
}

/// Sets the column `to_read` of the loops of a condition, and returns their studies.
fn judge(session: &dyn Session, condition: &str, values: &[Value]) -> Result<BTreeSet<i64>> {
    let sql = format!(
        "UPDATE loop SET to_read = (
             SELECT CASE
                 WHEN EXISTS (SELECT 1 FROM review WHERE review.loop_id = loop.loop_id
                     AND withdrawn_at IS NULL AND review.pixel_sha256 = loop.pixel_sha256) THEN NULL
                 WHEN prediction.view IS NULL THEN 2.0 - prediction.confidence
                 WHEN {SEVERAL_VIEWS} OR {MODELS_DIFFER} THEN 1.0 - prediction.confidence
                 WHEN loop.loop_id * 2654435761 % 50 = 0 THEN -1.0
             END
             FROM prediction WHERE prediction.prediction_id = {COUNTING})
         WHERE {condition} RETURNING study_id"
    );
    let mut studies = BTreeSet::new();
    session.query(&sql, values, &mut |row| {
        studies.insert(row.get(0)?);
        Ok(())
    })?;
    Ok(studies)
}

/// Sets the column `lacks_views` of a study.
pub(super) fn judge_study(session: &dyn Session, study_id: i64) -> Result<()> {
    // Two transactions that do not see each other's loop would both find the view of the other lacking.
    session.lock("study", &study_id.to_be_bytes())?;
    let sql = format!("SELECT lacks_views, {LACKS_VIEWS} FROM study WHERE study_id = ?1");
    let (before, lacks_views): (bool, bool) =
        session.query_one(&sql, params![study_id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if before != lacks_views {
        session.execute("UPDATE study SET lacks_views = ?2 WHERE study_id = ?1", params![study_id, lacks_views])?;
    }
    Ok(())
}
