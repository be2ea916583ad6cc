//! Reports and outbox in SQLite.

use domain::{LoopId, StudyUid};
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, Result, Row, params};
use serde_json::json;

use super::row::{named, optional, optional_time, parsed, time, time_text};
use super::{SqliteStore, study};
use crate::{
    DueReport, NewOutboxItem, Outbox, OutboxItem, OutboxKind, OutboxRow, OutboxState, StoreError, StoredReport,
};

/// Makes the report of a loop's study due if it is closed: what the loop shows may have changed.
pub(super) fn make_due(connection: &Connection, loop_id: LoopId, now: Timestamp) -> Result<()> {
    connection.execute(
        "INSERT INTO report_due (study_id, since) SELECT study_id, ?2 FROM study
         WHERE study_id = (SELECT study_id FROM loop WHERE loop_id = ?1) AND closed_at NOT NULL
         ON CONFLICT (study_id) DO UPDATE SET since = excluded.since",
        params![loop_id.0, time_text(now)],
    )?;
    Ok(())
}

impl Outbox for SqliteStore {
    fn due_reports(&self) -> Result<Vec<DueReport>, StoreError> {
        self.read("list due reports", |connection| {
            connection
                .prepare_cached(
                    "SELECT study_instance_uid, since FROM report_due JOIN study USING (study_id)
                     WHERE closed_at NOT NULL ORDER BY since, study_id",
                )?
                .query_map([], |row| {
                    Ok(DueReport { study_instance_uid: parsed(row, "study_instance_uid")?, since: time(row, "since")? })
                })?
                .collect()
        })
    }

    fn newest_report(&self, study: &StudyUid) -> Result<Option<StoredReport>, StoreError> {
        self.report_before(study, u32::MAX)
    }

    fn report_before(&self, study: &StudyUid, revision: u32) -> Result<Option<StoredReport>, StoreError> {
        self.read("look up a report", |connection| {
            connection
                .prepare_cached(
                    "SELECT report.* FROM report JOIN study USING (study_id)
                     WHERE study_instance_uid = ?1 AND revision < ?2 ORDER BY revision DESC LIMIT 1",
                )?
                .query_row(params![study.as_str(), revision], stored_report)
                .optional()
        })
    }

    fn settle_due(
        &self,
        due: &DueReport,
        report: Option<&StoredReport>,
        items: &[NewOutboxItem],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write("settle a due report", |transaction| {
            let uid = &due.study_instance_uid;
            let settled = transaction.execute(
                "DELETE FROM report_due WHERE since = ?2
                 AND study_id = (SELECT study_id FROM study WHERE study_instance_uid = ?1 AND closed_at NOT NULL)",
                params![uid.as_str(), time_text(due.since)],
            )?;
            if settled == 0 {
                return Ok(false);
            }
            if let Some(report) = report {
                insert_report(transaction, uid, report, now)?;
                let details = json!({ "revision": report.revision });
                study::audit(transaction, now, "study_reported", Some(uid), None, &details)?;
            }
            insert_items(transaction, Some(uid), items, now)?;
            Ok(true)
        })
    }

    fn queue_messages(
        &self,
        study: Option<&StudyUid>,
        items: &[NewOutboxItem],
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        self.write("queue messages", |transaction| Ok(insert_items(transaction, study, items, now)?))
    }

    fn newest_arrival(&self) -> Result<Option<Timestamp>, StoreError> {
        self.read("look up the newest file", |connection| {
            connection
                .prepare_cached("SELECT enqueued_at FROM job ORDER BY job_id DESC LIMIT 1")?
                .query_row([], |row| time(row, "enqueued_at"))
                .optional()
        })
    }

    fn next_to_send(
        &self,
        destinations: &[String],
        longest: SignedDuration,
        now: Timestamp,
    ) -> Result<Option<OutboxItem>, StoreError> {
        let latest = now.saturating_add(longest).unwrap_or(Timestamp::MAX);
        self.read("look for something to send", |connection| {
            connection
                .prepare_cached(
                    "SELECT * FROM outbox WHERE state = 'pending' AND payload NOT NULL
                         AND destination IN (SELECT value FROM json_each(?1))
                         AND (not_before IS NULL OR not_before <= ?2 OR not_before > ?3)
                     ORDER BY outbox_id LIMIT 1",
                )?
                .query_row(params![json!(destinations).to_string(), time_text(now), time_text(latest)], |row| {
                    Ok(OutboxItem {
                        outbox_id: row.get("outbox_id")?,
                        destination: row.get("destination")?,
                        kind: named(row, "kind", OutboxKind::from_name)?,
                        object_uid: row.get("object_uid")?,
                        payload: row.get("payload")?,
                        attempts: row.get("attempts")?,
                    })
                })
                .optional()
        })
    }

    fn sent(&self, outbox_id: i64, status: &str, now: Timestamp) -> Result<(), StoreError> {
        self.write("record what was sent", |transaction| {
            transaction.execute(
                "UPDATE outbox SET state = 'sent', attempts = attempts + 1, not_before = NULL, status = ?2,
                     finished_at = ?3, payload = NULL WHERE outbox_id = ?1",
                params![outbox_id, status, time_text(now)],
            )?;
            Ok(())
        })
    }

    fn not_sent(
        &self,
        outbox_id: i64,
        status: &str,
        next_try: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let state = if next_try.is_some() { OutboxState::Pending } else { OutboxState::Failed };
        let not_before = next_try.map(time_text);
        let finished_at = not_before.is_none().then(|| time_text(now));
        self.write("record what was not sent", |transaction| {
            transaction.execute(
                "UPDATE outbox SET state = ?2, attempts = attempts + 1, not_before = ?3, status = ?4, finished_at = ?5
                 WHERE outbox_id = ?1",
                params![outbox_id, state.as_str(), not_before, status, finished_at],
            )?;
            Ok(())
        })
    }

    fn release_held(&self) -> Result<usize, StoreError> {
        self.write("let out what was held", |transaction| {
            Ok(transaction.execute("UPDATE outbox SET state = 'pending', status = NULL WHERE state = 'held'", [])?)
        })
    }

    fn retry_outbox(&self) -> Result<Vec<i64>, StoreError> {
        self.write("send again what failed", |transaction| {
            let keys: Vec<i64> = transaction
                .prepare_cached(
                    "UPDATE outbox SET state = 'pending', not_before = NULL, finished_at = NULL
                     WHERE (state = 'failed' OR (state = 'pending' AND not_before NOT NULL))
                     RETURNING outbox_id",
                )?
                .query_map([], |row| row.get(0))?
                .collect::<Result<_>>()?;
            Ok(keys)
        })
    }

    fn outbox(&self) -> Result<Vec<OutboxRow>, StoreError> {
        self.read("list the outbox", |connection| {
            connection.prepare_cached("SELECT * FROM outbox ORDER BY outbox_id")?.query_map([], outbox_row)?.collect()
        })
    }
}

fn insert_report(connection: &Connection, study: &StudyUid, report: &StoredReport, now: Timestamp) -> Result<()> {
    connection.execute(
        "INSERT INTO report (study_id, revision, content_sha256, content_time, report_uid, report_series_uid,
             key_objects_uid, key_objects_series_uid, created_at)
         SELECT study_id, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 FROM study WHERE study_instance_uid = ?1",
        params![
            study.as_str(),
            report.revision,
            report.content_sha256.to_string(),
            time_text(report.content_time),
            report.report_uid.as_str(),
            report.report_series_uid.as_str(),
            report.key_objects_uid.as_str(),
            report.key_objects_series_uid.as_str(),
            time_text(now)
        ],
    )?;
    Ok(())
}

fn insert_items(
    connection: &Connection,
    study: Option<&StudyUid>,
    items: &[NewOutboxItem],
    now: Timestamp,
) -> Result<usize> {
    let mut inserted = 0;
    for item in items {
        let state = if item.held.is_some() { OutboxState::Held } else { OutboxState::Pending };
        inserted += connection.execute(
            "INSERT INTO outbox (destination, kind, study_instance_uid, object_uid, payload, state, status, queued_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (destination, object_uid) DO NOTHING",
            params![
                item.destination,
                item.kind.as_str(),
                study.map(StudyUid::as_str),
                item.object_uid,
                item.payload,
                state.as_str(),
                item.held,
                time_text(now)
            ],
        )?;
    }
    Ok(inserted)
}

fn stored_report(row: &Row<'_>) -> Result<StoredReport> {
    Ok(StoredReport {
        revision: row.get("revision")?,
        content_sha256: parsed(row, "content_sha256")?,
        content_time: time(row, "content_time")?,
        report_uid: parsed(row, "report_uid")?,
        report_series_uid: parsed(row, "report_series_uid")?,
        key_objects_uid: parsed(row, "key_objects_uid")?,
        key_objects_series_uid: parsed(row, "key_objects_series_uid")?,
    })
}

fn outbox_row(row: &Row<'_>) -> Result<OutboxRow> {
    Ok(OutboxRow {
        outbox_id: row.get("outbox_id")?,
        destination: row.get("destination")?,
        kind: named(row, "kind", OutboxKind::from_name)?,
        state: named(row, "state", OutboxState::from_name)?,
        study_instance_uid: optional(row, "study_instance_uid")?,
        object_uid: row.get("object_uid")?,
        attempts: row.get("attempts")?,
        not_before: optional_time(row, "not_before")?,
        status: row.get("status")?,
        queued_at: time(row, "queued_at")?,
        finished_at: optional_time(row, "finished_at")?,
    })
}
