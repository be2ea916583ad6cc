//! The prediction of a loop that counts, and the loops that a person should read.

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
    judge(session, of_several_models, &[])
}

/// Judges whether a person should read a loop, after news of it.
pub(super) fn judge_loop(session: &dyn Session, loop_id: LoopId) -> Result<()> {
    judge(session, "loop_id = ?1", params![loop_id.0])
}

/// Sets the column `to_read` of the loops of a condition.
fn judge(session: &dyn Session, condition: &str, values: &[Value]) -> Result<()> {
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
         WHERE {condition}"
    );
    session.execute(&sql, values).map(drop)
}
