//! The lists of the page in SQLite.

use domain::LoopId;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Result, Row, params};
use serde_json::json;

use super::row::{optional_time, parsed, time, time_text};
use super::{SqliteStore, study};
use crate::page::StudyProgress;
use crate::{LoopTask, PageStore, Review, ReviewQueue, StoreError, StudyFilter, StudyRow};

/// Studies whose loops are offered for review: older ones are found in the list of studies.
const REVIEWED_STUDIES: u32 = 500;

impl PageStore for SqliteStore {
    fn study_page(
        &self,
        filter: &StudyFilter,
        limit: u32,
        offset: u32,
    ) -> std::result::Result<Vec<StudyRow>, StoreError> {
        self.read("list a page of studies", |connection| {
            let snapshot = connection.unchecked_transaction()?;
            study_page(&snapshot, filter, limit, offset)
        })
    }

    fn review_queue(
        &self,
        queue: ReviewQueue,
        reviewer: &str,
        limit: u32,
    ) -> std::result::Result<Vec<LoopTask>, StoreError> {
        self.read("list loops to review", |connection| review_queue(connection, queue, reviewer, limit))
    }

    fn withdraw_last_review(&self, reviewer: &str, now: Timestamp) -> std::result::Result<Option<Review>, StoreError> {
        self.write("take a review back", |transaction| Ok(withdraw_last_review(transaction, reviewer, now)?))
    }

    fn paired_reviews(&self) -> std::result::Result<Vec<[Option<String>; 2]>, StoreError> {
        self.read("list reviews by two readers", |connection| {
            let sql = format!(
                "SELECT first.view, second.view FROM ({FIRST}) AS first JOIN ({SECOND}) AS second USING (loop_id)
                WHERE NOT first.not_sure AND NOT second.not_sure"
            );
            connection.prepare_cached(&sql)?.query_map([], |row| Ok([row.get(0)?, row.get(1)?]))?.collect()
        })
    }
}

/// The newest review of each loop by a first reader that was not taken back.
const FIRST: &str = "SELECT loop_id, view, not_sure, reviewer, max(review_id) AS review_id
    FROM review JOIN loop USING (loop_id, pixel_sha256)
    WHERE withdrawn_at IS NULL AND role = 'reader' GROUP BY loop_id";

/// The newest one by a second reader.
const SECOND: &str = "SELECT loop_id, view, not_sure, reviewer, max(review_id) AS review_id
    FROM review JOIN loop USING (loop_id, pixel_sha256)
    WHERE withdrawn_at IS NULL AND role = 'second_reader' GROUP BY loop_id";

fn study_page(connection: &Connection, filter: &StudyFilter, limit: u32, offset: u32) -> Result<Vec<StudyRow>> {
    let progress = match filter.progress {
        None => "TRUE",
        Some(StudyProgress::Open) => "closed_at IS NULL",
        Some(StudyProgress::Closed) => "closed_at NOT NULL",
        Some(StudyProgress::ToReview) => {
            "EXISTS (SELECT 1 FROM loop_label WHERE loop_label.study_instance_uid = study.study_instance_uid
                AND state = 'unsure' AND NOT reviewed)"
        }
        Some(StudyProgress::Incomplete) => {
            "EXISTS (SELECT 1 FROM study_missing_view
                WHERE study_missing_view.study_instance_uid = study.study_instance_uid)"
        }
        Some(StudyProgress::Failed) => {
            "EXISTS (SELECT 1 FROM job WHERE job.study_instance_uid = study.study_instance_uid
                AND file_state = 'failed')"
        }
    };
    let text = filter.text.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let (number, day, prefix) = match text {
        None => (None, None, None),
        Some(text) => match day(text) {
            Some(day) => (None, Some(day), None),
            None => (text.parse::<u32>().ok(), None, Some(text)),
        },
    };
    let sql = format!(
        "SELECT study_instance_uid FROM study
         WHERE {progress} AND (?3 IS NULL AND ?4 IS NULL
            OR study_id = ?5 OR substr(study_instance_uid, 1, length(?3)) = ?3
            OR EXISTS (SELECT 1 FROM loop WHERE loop.study_id = study.study_id AND substr(acquired, 1, 8) = ?4))
         ORDER BY last_activity DESC, study_id DESC LIMIT ?1 OFFSET ?2"
    );
    let listed: Vec<String> = connection
        .prepare_cached(&sql)?
        .query_map(params![limit, offset, prefix, day, number], |row| row.get(0))?
        .collect::<Result<_>>()?;
    // One study at a time: joined with a list, SQLite computes the view for every study of the database first.
    let mut summary = connection.prepare_cached(
        "SELECT study_summary.*,
            (SELECT study_id FROM study WHERE study_instance_uid = ?1) AS study_id,
            (SELECT min(acquired) FROM loop JOIN study USING (study_id) WHERE study_instance_uid = ?1) AS acquired,
            (SELECT count(*) FROM study_view WHERE study_instance_uid = ?1) AS views
         FROM study_summary WHERE study_instance_uid = ?1",
    )?;
    listed.iter().map(|uid| summary.query_row([uid], study_row)).collect()
}

/// Returns a day such as 2026-11-30 or 20261130 as headers write it.
fn day(text: &str) -> Option<String> {
    let is_day = match text.len() {
        8 => text.starts_with("19") || text.starts_with("20"),
        10 => text.split('-').map(str::len).eq([4, 2, 2]),
        _ => false,
    };
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    (is_day && digits.len() == 8).then_some(digits)
}

fn study_row(row: &Row<'_>) -> Result<StudyRow> {
    let number_of = |column: &str| row.get::<_, i64>(column).map(i64::unsigned_abs);
    let missing: Option<String> = row.get("missing_views")?;
    Ok(StudyRow {
        number: row.get("study_id")?,
        study_instance_uid: parsed(row, "study_instance_uid")?,
        acquired: row.get("acquired")?,
        last_activity: time(row, "last_activity")?,
        closed_at: optional_time(row, "closed_at")?,
        files: number_of("files")?,
        views: number_of("views")?,
        unsure: number_of("unsure")?,
        failed: number_of("failed")?,
        waiting: number_of("waiting")?,
        missing: missing.map(|names| names.split(", ").map(str::to_owned).collect()).unwrap_or_default(),
        missing_withheld: row.get("missing_withheld")?,
    })
}

fn review_queue(connection: &Connection, queue: ReviewQueue, reviewer: &str, limit: u32) -> Result<Vec<LoopTask>> {
    let (candidates, reason) = match queue {
        ReviewQueue::First => (
            "JOIN prediction ON prediction.prediction_id = (
                SELECT max(newest.prediction_id) FROM prediction AS newest
                WHERE newest.loop_id = loop.loop_id AND newest.pixel_sha256 = loop.pixel_sha256)
             WHERE ?2 NOT NULL AND NOT EXISTS (SELECT 1 FROM review WHERE review.loop_id = loop.loop_id
                AND withdrawn_at IS NULL AND review.pixel_sha256 = loop.pixel_sha256)"
                .to_owned(),
            "CASE
                WHEN prediction.view IS NULL THEN coalesce(prediction.reason, 'the model is not sure')
                WHEN EXISTS (SELECT 1 FROM prediction AS other WHERE other.loop_id = loop.loop_id
                    AND other.pixel_sha256 = loop.pixel_sha256 AND other.view <> prediction.view)
                THEN 'two models differ'
                WHEN json_array_length(prediction.prediction_set) > 1
                THEN 'may also be ' || json_extract(prediction.prediction_set, '$[1]')
                WHEN loop.loop_id * 2654435761 % 50 = 0 THEN 'drawn at random'
            END",
        ),
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
                 WHERE ?2 NOT NULL AND (first.view IS NOT second.view OR first.not_sure <> second.not_sure)
                    AND NOT EXISTS (SELECT 1 FROM review WHERE review.loop_id = loop.loop_id
                        AND withdrawn_at IS NULL AND role = 'adjudicator')"
            ),
            "first.reviewer || ': ' || iif(first.not_sure, 'not sure', coalesce(first.view, 'no view')) || ', '
                || second.reviewer || ': ' || iif(second.not_sure, 'not sure', coalesce(second.view, 'no view'))",
        ),
    };
    let sql = format!(
        "WITH newest AS MATERIALIZED (
            SELECT study_id, study_instance_uid, last_activity FROM study
            ORDER BY last_activity DESC LIMIT {REVIEWED_STUDIES})
         SELECT * FROM (
             SELECT loop.sop_instance_uid, newest.study_instance_uid, newest.study_id, newest.last_activity, loop.loop_id,
                (SELECT count(*) FROM loop AS earlier WHERE earlier.study_id = loop.study_id
                    AND earlier.loop_id <= loop.loop_id) AS number,
                {reason} AS reason
             FROM newest JOIN loop USING (study_id) {candidates})
         WHERE reason NOT NULL
         ORDER BY last_activity DESC, study_id DESC, loop_id LIMIT ?1"
    );
    connection
        .prepare_cached(&sql)?
        .query_map(params![limit, reviewer], |row| {
            let (study, number) = (row.get::<_, i64>("study_id")?, row.get::<_, i64>("number")?);
            Ok(LoopTask {
                sop_instance_uid: parsed(row, "sop_instance_uid")?,
                study_instance_uid: parsed(row, "study_instance_uid")?,
                name: format!("{study}/{number}"),
                reason: row.get("reason")?,
            })
        })?
        .collect()
}

fn withdraw_last_review(connection: &Connection, reviewer: &str, now: Timestamp) -> Result<Option<Review>> {
    let last = connection
        .query_row(
            "SELECT review.*, sop_instance_uid, study_instance_uid FROM review
             JOIN loop USING (loop_id) JOIN study USING (study_id)
             WHERE reviewer = ?1 AND withdrawn_at IS NULL ORDER BY review_id DESC LIMIT 1",
            [reviewer],
            |row| {
                let (review_id, loop_id) = (row.get::<_, i64>("review_id")?, LoopId(row.get("loop_id")?));
                Ok((review_id, loop_id, parsed(row, "study_instance_uid")?, super::read::review(row)?))
            },
        )
        .optional()?;
    let Some((review_id, loop_id, study_uid, review)) = last else { return Ok(None) };
    connection
        .execute("UPDATE review SET withdrawn_at = ?2 WHERE review_id = ?1", params![review_id, time_text(now)])?;
    super::outbox::make_due(connection, loop_id, now)?;
    let details = json!({ "review_id": review_id });
    study::audit(connection, now, "review_withdrawn", Some(&study_uid), Some(&review.sop_instance_uid), &details)?;
    Ok(Some(Review { withdrawn_at: Some(now), ..review }))
}
