//! The lists of the page.

use jiff::Timestamp;

use super::row::{optional_time, parsed, time};
use super::{Result, Row, Session, SessionExt as _, counting, drift, params, reading};
use crate::page::StudyProgress;
use crate::{
    DriftCounts, LoopTask, PageStore, ReadingProgress, Review, ReviewQueue, ReviewedView, Store, StoreError,
    StudyFilter, StudyRow, UnreadTask,
};

/// Columns of a study in the list. The view `study_summary` says the same, but looks at the study's loops once for each of its
/// columns.
const SUMMARY: &str = "SELECT study.*, shown.views, shown.unsure,
        (SELECT min(acquired) FROM loop WHERE loop.study_id = study.study_id) AS acquired,
        (SELECT count(*) FROM job WHERE job.study_instance_uid = ?1 AND file_state <> 'superseded') AS files,
        (SELECT count(*) FROM job WHERE job.study_instance_uid = ?1 AND file_state = 'failed') AS failed,
        (SELECT count(*) FROM job WHERE job.study_instance_uid = ?1 AND file_state = 'waiting') AS waiting,
        (SELECT missing_withheld FROM study_protocol WHERE study_instance_uid = ?1) AS missing_withheld,
        CASE WHEN lacks_views THEN (SELECT group_concat(view, ', ') FROM (
            SELECT view FROM study_missing_view WHERE study_instance_uid = ?1 ORDER BY position) AS missing)
        END AS missing_views
    FROM study CROSS JOIN (
        SELECT count(DISTINCT view) AS views,
            count(CASE WHEN state = 'unsure' AND EXISTS (SELECT 1 FROM job WHERE job.loop_id = loop_label.loop_id
                AND job.file_state = 'loop') THEN 1 END) AS unsure
        FROM loop_label WHERE study_instance_uid = ?1) AS shown
    WHERE study.study_instance_uid = ?1";

impl PageStore for Store {
    fn study_page(&self, filter: &StudyFilter, limit: u32, offset: u32) -> Result<Vec<StudyRow>, StoreError> {
        self.snapshot("list a page of studies", |session| study_page(session, filter, limit, offset))
    }

    fn review_queue(&self, queue: ReviewQueue, reviewer: &str, limit: u32) -> Result<Vec<LoopTask>, StoreError> {
        self.read("list loops to review", |session| reading::queue(session, queue, reviewer, limit))
    }

    fn withdraw_last_review(&self, reviewer: &str, now: Timestamp) -> Result<Option<Review>, StoreError> {
        self.write("take a review back", |session| Ok(reading::withdraw_last_review(session, reviewer, now)?))
    }

    fn reading_progress(&self, reviewer: &str, since: Timestamp) -> Result<ReadingProgress, StoreError> {
        self.read("count the reviews of a person", |session| reading::progress(session, reviewer, since))
    }

    fn paired_reviews(&self) -> Result<Vec<[Option<String>; 2]>, StoreError> {
        self.read("list reviews by two readers", reading::paired_reviews)
    }

    fn unread_loops(&self, limit: u32) -> Result<Vec<UnreadTask>, StoreError> {
        self.read("list unread loops", |session| reading::unread_loops(session, limit))
    }

    fn prefer_predictions(&self, pipeline: &str, now: Timestamp) -> Result<(), StoreError> {
        self.write("prefer a pipeline", |session| Ok(counting::prefer(session, pipeline, now)?))
    }

    fn agreement_over_time(&self) -> Result<Vec<bool>, StoreError> {
        self.read("compare reviews with predictions", reading::agreement_over_time)
    }

    fn drift_counts(&self, since: Timestamp) -> Result<DriftCounts, StoreError> {
        self.read("count loops by week", |session| drift::counts(session, since))
    }

    fn reviewed_views(&self) -> Result<Vec<ReviewedView>, StoreError> {
        self.read("count reviewed loops", reading::reviewed_views)
    }
}

fn study_page(session: &dyn Session, filter: &StudyFilter, limit: u32, offset: u32) -> Result<Vec<StudyRow>> {
    let progress = match filter.progress {
        None => "TRUE",
        // Open ones are few, and the newest by their activity would have to be looked for among all.
        Some(StudyProgress::Open) => "study_id IN (SELECT study_id FROM study WHERE closed_at IS NULL)",
        Some(StudyProgress::Closed) => "closed_at IS NOT NULL",
        Some(StudyProgress::ToReview) => {
            "EXISTS (SELECT 1 FROM loop WHERE loop.study_id = study.study_id AND loop.to_read >= 1)"
        }
        Some(StudyProgress::Incomplete) => {
            "lacks_views AND EXISTS (SELECT 1 FROM study_protocol
                WHERE study_protocol.study_instance_uid = study.study_instance_uid AND missing_withheld IS NULL)"
        }
        Some(StudyProgress::Failed) => {
            // Failures are few, and have an index of their own.
            "study_instance_uid IN (SELECT study_instance_uid FROM job WHERE file_state = 'failed')"
        }
    };
    let text = filter.text.as_deref().map(str::trim).filter(|text| !text.is_empty()).unwrap_or_default();
    // Only what is asked for stands in the query: a condition on loops would read them all.
    let (found, text, number) = match (text, day(text)) {
        ("", _) => ("CAST(?3 AS TEXT) IS NOT NULL AND CAST(?4 AS BIGINT) IS NULL", String::new(), None),
        (_, Some(day)) => (
            "CAST(?4 AS BIGINT) IS NULL AND study_id IN (SELECT study_id FROM loop WHERE acquired >= ?3 AND acquired < ?3 || ':')",
            day,
            None,
        ),
        // All that a UID holds sorts before the colon.
        (prefix, None) => (
            "study_id IN (SELECT study_id FROM study WHERE study_instance_uid >= ?3 AND study_instance_uid < ?3 || ':'
                UNION ALL SELECT CAST(?4 AS BIGINT))",
            prefix.to_owned(),
            prefix.parse::<u32>().ok(),
        ),
    };
    let sql = format!(
        "SELECT study_instance_uid FROM study WHERE {progress} AND {found}
         ORDER BY last_activity DESC, study_id DESC LIMIT ?1 OFFSET ?2"
    );
    let listed: Vec<String> = session.query_all(&sql, params![limit, offset, text, number], |row| row.get(0))?;
    listed.iter().map(|uid| session.query_one(SUMMARY, params![uid], study_row)).collect()
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
    let number_of = |column: &str| row.get::<i64>(column).map(i64::unsigned_abs);
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
