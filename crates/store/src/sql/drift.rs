//! Counts of loops by week and scanner.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};

use super::counting::COUNTING;
use super::row::{count, parsed};
use super::{Result, Row, Session, SessionExt as _, params};
use crate::{DriftCount, DriftCounts};

/// Loops that are read; more are sampled, since a large archive would take a quarter of a minute.
const MAX_LOOPS: u64 = 20_000;

/// Returns counts of the loops that arrived since a time.
pub(super) fn counts(session: &dyn Session, since: Timestamp) -> Result<DriftCounts> {
    let loops =
        session.query_one("SELECT count(*) FROM loop WHERE created_at >= ?1", params![since], |row| count(row, 0))?;
    let one_in = loops.div_ceil(MAX_LOOPS).max(1);
    let sql = format!(
        "SELECT
            substr(CAST(loop.created_at AS TEXT), 1, 10) AS day,
            trim(coalesce(loop.manufacturer, '') || ' ' || coalesce(loop.scanner_model, '')) AS scanner,
            prediction.view, prediction.ecg_source, count(*) AS loops, sum(prediction.confidence) AS confidence,
            count(review.review_id) AS reviewed,
            count(CASE WHEN review.view IS NOT DISTINCT FROM prediction.view THEN review.review_id END) AS agreed
        FROM loop
        JOIN prediction ON prediction.prediction_id = {COUNTING}
        LEFT JOIN review ON review.review_id = (
            SELECT max(newest.review_id) FROM review AS newest
            WHERE newest.loop_id = loop.loop_id AND newest.pixel_sha256 = loop.pixel_sha256
                AND withdrawn_at IS NULL AND role = 'reader' AND NOT not_sure)
        WHERE loop.created_at >= ?1 AND loop.loop_id * 2654435761 % 4294967296 % ?2 = 0
        GROUP BY day, scanner, prediction.view, prediction.ecg_source"
    );
    let mut rows: BTreeMap<_, DriftCount> = BTreeMap::new();
    session.query(&sql, params![since, one_in as i64], &mut |row| {
        let number = |column: &str| row.get::<i64>(column).map(i64::unsigned_abs);
        let day = DriftCount {
            week: week_of(row)?,
            scanner: row.get("scanner")?,
            view: row.get("view")?,
            ecg_source: row.get("ecg_source")?,
            loops: number("loops")?,
            confidence: row.get("confidence")?,
            reviewed: number("reviewed")?,
            agreed: number("agreed")?,
        };
        match rows.entry((day.week.clone(), day.scanner.clone(), day.view.clone(), day.ecg_source.clone())) {
            Entry::Vacant(place) => drop(place.insert(day)),
            Entry::Occupied(mut place) => {
                let week = place.get_mut();
                week.loops += day.loops;
                week.confidence += day.confidence;
                week.reviewed += day.reviewed;
                week.agreed += day.agreed;
            }
        }
        Ok(())
    })?;
    Ok(DriftCounts { one_in, rows: rows.into_values().collect() })
}

/// Returns the Monday of the row's day: databases have no function for it in common.
fn week_of(row: &Row<'_>) -> Result<String> {
    let day: Date = parsed(row, "day")?;
    let monday = day.saturating_sub(day.weekday().to_monday_zero_offset().days());
    Ok(monday.to_string())
}
