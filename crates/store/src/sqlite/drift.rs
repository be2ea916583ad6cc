//! Counts of loops by week and scanner in SQLite.

use jiff::Timestamp;
use rusqlite::{Connection, Result, Row, params};

use super::row::{count, time_text};
use crate::{DriftCount, DriftCounts};

/// Loops that are read; more are sampled, since a large archive would take a quarter of a minute.
const MAX_LOOPS: u64 = 20_000;

/// Returns counts of the loops that arrived since a time.
pub(super) fn counts(connection: &Connection, since: Timestamp) -> Result<DriftCounts> {
    let since = time_text(since);
    let loops =
        connection.query_row("SELECT count(*) FROM loop WHERE created_at >= ?1", [&since], |row| count(row, 0))?;
    let one_in = loops.div_ceil(MAX_LOOPS).max(1);
    let sql = "SELECT
            date(loop.created_at, 'weekday 0', '-6 days') AS week,
            trim(coalesce(loop.manufacturer, '') || ' ' || coalesce(loop.scanner_model, '')) AS scanner,
            prediction.view, prediction.ecg_source, count(*) AS loops, sum(prediction.confidence) AS confidence,
            count(review.review_id) AS reviewed,
            count(iif(review.view IS prediction.view, review.review_id, NULL)) AS agreed
        FROM loop
        JOIN prediction ON prediction.prediction_id = (
            SELECT max(newest.prediction_id) FROM prediction AS newest
            WHERE newest.loop_id = loop.loop_id AND newest.pixel_sha256 = loop.pixel_sha256)
        LEFT JOIN review ON review.review_id = (
            SELECT max(newest.review_id) FROM review AS newest
            WHERE newest.loop_id = loop.loop_id AND newest.pixel_sha256 = loop.pixel_sha256
                AND withdrawn_at IS NULL AND role = 'reader' AND NOT not_sure)
        WHERE loop.created_at >= ?1 AND loop.loop_id * 2654435761 % 4294967296 % ?2 = 0
        GROUP BY week, scanner, prediction.view, prediction.ecg_source
        ORDER BY week, scanner, prediction.view, prediction.ecg_source";
    let number = |row: &Row<'_>, column: &str| row.get::<_, i64>(column).map(i64::unsigned_abs);
    let rows = connection
        .prepare_cached(sql)?
        .query_map(params![since, one_in as i64], |row| {
            Ok(DriftCount {
                week: row.get("week")?,
                scanner: row.get("scanner")?,
                view: row.get("view")?,
                ecg_source: row.get("ecg_source")?,
                loops: number(row, "loops")?,
                confidence: row.get("confidence")?,
                reviewed: number(row, "reviewed")?,
                agreed: number(row, "agreed")?,
            })
        })?
        .collect::<Result<_>>()?;
    Ok(DriftCounts { one_in, rows })
}
