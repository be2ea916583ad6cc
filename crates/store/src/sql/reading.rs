//! Loops that wait for a person, and reviews.

use domain::LoopId;
use jiff::Timestamp;
use serde_json::json as json_object;

use super::row::{count, json, parsed};
use super::{Result, Row, Session, SessionExt as _, params, study};
use crate::{LoopTask, Review, ReviewQueue, ReviewedView, UnreadTask};

/// Studies whose loops are offered for review: older ones are found in the list of studies.
const REVIEWED_STUDIES: u32 = 500;
/// Unread loops that are offered at once.
const MAX_UNREAD: u32 = 2000;

/// The newest review of each loop by a first reader that was not taken back.
const FIRST: &str = "SELECT loop_id, view, not_sure, reviewer FROM review WHERE review_id IN (
    SELECT max(review_id) FROM review JOIN loop USING (loop_id, pixel_sha256)
    WHERE withdrawn_at IS NULL AND role = 'reader' GROUP BY loop_id)";

/// The newest one by a second reader.
const SECOND: &str = "SELECT loop_id, view, not_sure, reviewer FROM review WHERE review_id IN (
    SELECT max(review_id) FROM review JOIN loop USING (loop_id, pixel_sha256)
    WHERE withdrawn_at IS NULL AND role = 'second_reader' GROUP BY loop_id)";

/// The newest studies, and a column of the number that a loop has in its study.
fn newest_studies() -> String {
    format!(
        "WITH newest AS MATERIALIZED (
            SELECT study_id, study_instance_uid, last_activity,
                (SELECT count(DISTINCT loop_id) FROM review JOIN loop USING (loop_id)
                    WHERE loop.study_id = study.study_id AND withdrawn_at IS NULL) AS read_in_study
            FROM study ORDER BY last_activity DESC LIMIT {REVIEWED_STUDIES})"
    )
}

const NUMBER: &str = "(SELECT count(*) FROM loop AS earlier WHERE earlier.study_id = loop.study_id
    AND earlier.loop_id <= loop.loop_id)";

/// Returns loops that wait for a reader.
pub(super) fn queue(session: &dyn Session, queue: ReviewQueue, reviewer: &str, limit: u32) -> Result<Vec<LoopTask>> {
    let (candidates, reason) = match queue {
        ReviewQueue::First => {
            let unread = unread_loops(session)?;
            return Ok(unread.into_iter().map(|unread| unread.task).take(limit as usize).collect());
        }
        ReviewQueue::Second => (
            format!(
                "JOIN ({FIRST}) AS first USING (loop_id)
                 WHERE first.reviewer <> ?2 AND NOT EXISTS (SELECT 1 FROM ({SECOND}) AS second
                    WHERE second.loop_id = loop.loop_id)"
            ),
            "'read once'",
        ),
        ReviewQueue::Adjudication => (
            format!(
                "JOIN ({FIRST}) AS first USING (loop_id) JOIN ({SECOND}) AS second USING (loop_id)
                 WHERE CAST(?2 AS TEXT) IS NOT NULL AND (first.view IS DISTINCT FROM second.view OR first.not_sure <> second.not_sure)
                    AND NOT EXISTS (SELECT 1 FROM review WHERE review.loop_id = loop.loop_id
                        AND withdrawn_at IS NULL AND role = 'adjudicator')"
            ),
            "first.reviewer || ': ' || CASE WHEN first.not_sure THEN 'not sure' ELSE coalesce(first.view, 'no view') END || ', '
                || second.reviewer || ': '
                || CASE WHEN second.not_sure THEN 'not sure' ELSE coalesce(second.view, 'no view') END",
        ),
    };
    let sql = format!(
        "{newest}
         SELECT loop.sop_instance_uid, newest.study_instance_uid, newest.study_id, {NUMBER} AS number, {reason} AS reason
         FROM newest JOIN loop USING (study_id) {candidates}
         ORDER BY last_activity DESC, newest.study_id DESC, loop_id LIMIT ?1",
        newest = newest_studies()
    );
    session.query_all(&sql, params![limit, reviewer], task)
}

/// Returns loops that nobody has read: those that the model was not sure of, those that models differ about, and one in
/// fifty others.
pub(super) fn unread_loops(session: &dyn Session) -> Result<Vec<UnreadTask>> {
    let sql = format!(
        "{newest}
         SELECT * FROM (
             SELECT loop.sop_instance_uid, newest.study_instance_uid, newest.study_id, newest.last_activity, loop.loop_id,
                read_in_study, prediction.probabilities, {NUMBER} AS number,
                CASE
                    WHEN prediction.view IS NULL THEN coalesce(prediction.reason, 'the model is not sure')
                    WHEN EXISTS (SELECT 1 FROM prediction AS other WHERE other.loop_id = loop.loop_id
                        AND other.pixel_sha256 = loop.pixel_sha256 AND other.view <> prediction.view)
                    THEN 'two models differ'
                    WHEN EXISTS (SELECT 1 FROM json_each(prediction.prediction_set) WHERE CAST(key AS TEXT) = '1')
                    THEN 'may also be '
                        || (SELECT value FROM json_each(prediction.prediction_set) WHERE CAST(key AS TEXT) = '1')
                    WHEN loop.loop_id * 2654435761 % 50 = 0 THEN 'drawn at random'
                END AS reason
             FROM newest JOIN loop USING (study_id)
             JOIN prediction ON prediction.prediction_id = (
                SELECT max(newest.prediction_id) FROM prediction AS newest
                WHERE newest.loop_id = loop.loop_id AND newest.pixel_sha256 = loop.pixel_sha256)
             WHERE NOT EXISTS (SELECT 1 FROM review WHERE review.loop_id = loop.loop_id
                AND withdrawn_at IS NULL AND review.pixel_sha256 = loop.pixel_sha256)) AS task
         WHERE reason IS NOT NULL
         ORDER BY last_activity DESC, study_id DESC, loop_id LIMIT {MAX_UNREAD}",
        newest = newest_studies()
    );
    session.query_all(&sql, &[], |row| {
        Ok(UnreadTask {
            task: task(row)?,
            study: row.get("study_id")?,
            probabilities: json(row, "probabilities")?,
            read_in_study: row.get::<i64>("read_in_study")?.unsigned_abs(),
        })
    })
}

fn task(row: &Row<'_>) -> Result<LoopTask> {
    let (study, number) = (row.get::<i64>("study_id")?, row.get::<i64>("number")?);
    Ok(LoopTask {
        sop_instance_uid: parsed(row, "sop_instance_uid")?,
        study_instance_uid: parsed(row, "study_instance_uid")?,
        name: format!("{study}/{number}"),
        reason: row.get("reason")?,
    })
}

/// Returns what the first and the second reader said of each loop that has both.
pub(super) fn paired_reviews(session: &dyn Session) -> Result<Vec<[Option<String>; 2]>> {
    let sql = format!(
        "SELECT first.view, second.view FROM ({FIRST}) AS first JOIN ({SECOND}) AS second USING (loop_id)
         WHERE NOT first.not_sure AND NOT second.not_sure"
    );
    session.query_all(&sql, &[], |row| Ok([row.get(0)?, row.get(1)?]))
}

/// Returns of each review by a first reader whether it says what the model had said before it.
pub(super) fn agreement_over_time(session: &dyn Session) -> Result<Vec<bool>> {
    // What a person says after a model has learned from it is no test of that model.
    let sql = "SELECT review.view IS NOT DISTINCT FROM prediction.view FROM review
        JOIN prediction ON prediction.prediction_id = (
            SELECT max(before.prediction_id) FROM prediction AS before
            WHERE before.loop_id = review.loop_id AND before.pixel_sha256 = review.pixel_sha256
                AND before.created_at <= review.created_at)
        WHERE review.withdrawn_at IS NULL AND NOT review.not_sure AND review.role = 'reader'
        ORDER BY review.review_id";
    session.query_all(sql, &[], |row| row.get(0))
}

/// Returns the number of reviewed loops of each view.
pub(super) fn reviewed_views(session: &dyn Session) -> Result<Vec<ReviewedView>> {
    // From the reviews on: there are few beside the loops.
    let sql = "SELECT review.view, count(*), count(DISTINCT loop.study_id)
        FROM review JOIN loop USING (loop_id)
        WHERE review_id IN (SELECT max(review_id) FROM review JOIN loop USING (loop_id, pixel_sha256)
                WHERE withdrawn_at IS NULL AND role <> 'second_reader' GROUP BY loop_id)
            AND NOT not_sure AND review.view IS NOT NULL
        GROUP BY review.view ORDER BY review.view";
    session.query_all(sql, &[], |row| {
        Ok(ReviewedView { view: row.get(0)?, loops: count(row, 1)?, studies: count(row, 2)? })
    })
}

/// Takes back the last review of a reader.
pub(super) fn withdraw_last_review(session: &dyn Session, reviewer: &str, now: Timestamp) -> Result<Option<Review>> {
    let last = session.query_optional(
        "SELECT review.*, sop_instance_uid, study_instance_uid FROM review
             JOIN loop USING (loop_id) JOIN study USING (study_id)
             WHERE reviewer = ?1 AND withdrawn_at IS NULL ORDER BY review_id DESC LIMIT 1",
        params![reviewer],
        |row| {
            let (review_id, loop_id) = (row.get::<i64>("review_id")?, LoopId(row.get("loop_id")?));
            Ok((review_id, loop_id, parsed(row, "study_instance_uid")?, super::read::review(row)?))
        },
    )?;
    let Some((review_id, loop_id, study_uid, review)) = last else { return Ok(None) };
    session.execute("UPDATE review SET withdrawn_at = ?2 WHERE review_id = ?1", params![review_id, now])?;
    super::outbox::make_due(session, loop_id, now)?;
    let details = json_object!({ "review_id": review_id });
    study::audit(session, now, "review_withdrawn", Some(&study_uid), Some(&review.sop_instance_uid), &details)?;
    Ok(Some(Review { withdrawn_at: Some(now), ..review }))
}
