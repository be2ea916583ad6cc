//! Loops that wait for a person, and reviews.

use domain::LoopId;
use jiff::Timestamp;
use serde_json::json as json_object;

use super::counting::{self, COUNTING, MODELS_DIFFER, SEVERAL_VIEWS};
use super::row::{count, json, parsed};
use super::{Result, Row, Session, SessionExt as _, params, study};
use crate::reading_order::in_reading_order;
use crate::{LoopTask, ReadingProgress, Review, ReviewQueue, ReviewedView, UnreadTask};

/// Doubtful loops that are ranked at once.
const MAX_DOUBTFUL: u32 = 900;
/// Loops drawn at random that are ranked with them, the newest.
const MAX_DRAWN: u32 = 100;

/// Returns the condition on which a row of `review`, called `name`, is the newest of its role about the pixels that its row of
/// `loop` has. `role` is a condition too.
fn counts(name: &str, role: &str) -> String {
    format!(
        "{name}.{role} AND {name}.withdrawn_at IS NULL AND {name}.pixel_sha256 = loop.pixel_sha256
         AND NOT EXISTS (SELECT 1 FROM review AS newer WHERE newer.loop_id = {name}.loop_id
             AND newer.review_id > {name}.review_id AND newer.{role} AND newer.withdrawn_at IS NULL
             AND newer.pixel_sha256 = {name}.pixel_sha256)"
    )
}

const FIRST: &str = "role = 'reader'";
const SECOND: &str = "role = 'second_reader'";
const DECIDING: &str = "role <> 'second_reader'";

const NUMBER: &str = "(SELECT count(*) FROM loop AS earlier WHERE earlier.study_id = loop.study_id
    AND earlier.loop_id <= loop.loop_id)";

/// Returns loops that wait for a reader.
pub(super) fn queue(session: &dyn Session, queue: ReviewQueue, reviewer: &str, limit: u32) -> Result<Vec<LoopTask>> {
    // The reviews come first, newest first: SQLite keeps the order of a CROSS JOIN, and would begin with all loops otherwise.
    let (first, second) = (counts("first", FIRST), counts("second", SECOND));
    let (candidates, reason) = match queue {
        ReviewQueue::First => {
            return Ok(unread_loops(session, limit)?.into_iter().map(|unread| unread.task).collect());
        }
        ReviewQueue::Second => (
            format!(
                "review AS first CROSS JOIN loop CROSS JOIN study
                 WHERE loop.loop_id = first.loop_id AND study.study_id = loop.study_id
                     AND first.reviewer <> ?2 AND {first}
                     AND NOT EXISTS (SELECT 1 FROM review AS second WHERE second.loop_id = loop.loop_id AND {second})
                 ORDER BY first.review_id DESC"
            ),
            "'read once'",
        ),
        ReviewQueue::Adjudication => (
            format!(
                "review AS second CROSS JOIN loop CROSS JOIN study CROSS JOIN review AS first
                 WHERE loop.loop_id = second.loop_id AND study.study_id = loop.study_id
                     AND first.loop_id = loop.loop_id AND {first} AND {second}
                     AND CAST(?2 AS TEXT) IS NOT NULL
                     AND (first.view IS DISTINCT FROM second.view OR first.not_sure <> second.not_sure)
                     AND NOT EXISTS (SELECT 1 FROM review WHERE review.loop_id = loop.loop_id
                         AND withdrawn_at IS NULL AND role = 'adjudicator')
                 ORDER BY second.review_id DESC"
            ),
            "first.reviewer || ': ' || CASE WHEN first.not_sure THEN 'not sure' ELSE coalesce(first.view, 'no view') END || ', '
                || second.reviewer || ': '
                || CASE WHEN second.not_sure THEN 'not sure' ELSE coalesce(second.view, 'no view') END",
        ),
    };
    let sql = format!(
        "SELECT loop.sop_instance_uid, study_instance_uid, study.study_id, {NUMBER} AS number, {reason} AS reason
         FROM {candidates} LIMIT ?1"
    );
    session.query_all(&sql, params![limit, reviewer], task)
}

/// Returns loops that nobody has read and that a person should read, those that teach most first.
pub(super) fn unread_loops(session: &dyn Session, limit: u32) -> Result<Vec<UnreadTask>> {
    let read = reviewed_views(session)?.into_iter().map(|row| (row.view, row.loops)).collect();
    Ok(in_reading_order(doubtful_loops(session)?, &read, limit as usize))
}

/// Returns the loops of all studies that the model is least sure of, and some that were drawn at random.
fn doubtful_loops(session: &dyn Session) -> Result<Vec<UnreadTask>> {
    // The keys first, by the index: what is told of a loop is read for these alone.
    let sql = format!(
        "WITH chosen AS MATERIALIZED (
             SELECT * FROM (SELECT loop_id FROM loop WHERE to_read >= 0
                 ORDER BY to_read DESC, loop_id DESC LIMIT {MAX_DOUBTFUL}) AS doubtful
             UNION ALL SELECT * FROM (SELECT loop_id FROM loop WHERE to_read < 0
                 ORDER BY to_read DESC, loop_id DESC LIMIT {MAX_DRAWN}) AS drawn)
         SELECT loop.sop_instance_uid, study_instance_uid, study.study_id, prediction.probabilities, {NUMBER} AS number,
             (SELECT count(DISTINCT review.loop_id) FROM loop AS of_study CROSS JOIN review
                 WHERE of_study.study_id = loop.study_id AND review.loop_id = of_study.loop_id
                     AND withdrawn_at IS NULL) AS read_in_study,
             CASE
                 WHEN prediction.view IS NULL THEN coalesce(prediction.reason, 'the model is not sure')
                 WHEN {MODELS_DIFFER} THEN 'two models differ'
                 WHEN {SEVERAL_VIEWS} THEN 'may also be '
                     || (SELECT value FROM json_each(prediction.prediction_set) WHERE CAST(key AS TEXT) = '1')
                 ELSE 'drawn at random'
             END AS reason
         FROM chosen JOIN loop USING (loop_id) JOIN study USING (study_id)
         JOIN prediction ON prediction.prediction_id = {COUNTING}
         ORDER BY loop.to_read DESC, loop.loop_id DESC"
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
    let (first, second) = (counts("first", FIRST), counts("second", SECOND));
    let sql = format!(
        "SELECT first.view, second.view FROM review AS second CROSS JOIN loop CROSS JOIN review AS first
         WHERE loop.loop_id = second.loop_id AND first.loop_id = loop.loop_id AND {first} AND {second}
             AND NOT first.not_sure AND NOT second.not_sure"
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
    let deciding = counts("review", DECIDING);
    let sql = format!(
        "SELECT review.view, count(*), count(DISTINCT loop.study_id) FROM review CROSS JOIN loop
         WHERE loop.loop_id = review.loop_id AND {deciding} AND NOT review.not_sure AND review.view IS NOT NULL
         GROUP BY review.view ORDER BY review.view"
    );
    session.query_all(&sql, &[], |row| {
        Ok(ReviewedView { view: row.get(0)?, loops: count(row, 1)?, studies: count(row, 2)? })
    })
}

/// Returns how many reviews a reader has made since a time, and the last one.
pub(super) fn progress(session: &dyn Session, reviewer: &str, since: Timestamp) -> Result<ReadingProgress> {
    let read = session.query_one(
        "SELECT count(*) FROM review WHERE reviewer = ?1 AND withdrawn_at IS NULL AND created_at >= ?2",
        params![reviewer, since],
        |row| count(row, 0),
    )?;
    let last = session.query_optional(
        &format!(
            "SELECT review.*, sop_instance_uid, study_id, {NUMBER} AS number FROM review JOIN loop USING (loop_id)
             WHERE reviewer = ?1 AND withdrawn_at IS NULL ORDER BY review_id DESC LIMIT 1"
        ),
        params![reviewer],
        |row| {
            let name = format!("{}/{}", row.get::<i64>("study_id")?, row.get::<i64>("number")?);
            Ok((name, super::read::review(row)?))
        },
    )?;
    Ok(ReadingProgress { read, last })
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
    counting::judge_loop(session, loop_id)?;
    super::outbox::make_due(session, loop_id, now)?;
    let details = json_object!({ "review_id": review_id });
    study::audit(session, now, "review_withdrawn", Some(&study_uid), Some(&review.sop_instance_uid), &details)?;
    Ok(Some(Review { withdrawn_at: Some(now), ..review }))
}
