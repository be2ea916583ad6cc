//! Reports and outbox.

use domain::{LoopId, StudyUid};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::row::{named, optional, optional_time, parsed, time};
use super::{Result, Row, Session, SessionExt as _, params, study};
use crate::{
    DueReport, NewOutboxItem, Outbox, OutboxItem, OutboxKind, OutboxRow, OutboxState, Store, StoreError, StoredReport,
};

/// Makes the report of a loop's study due if it is closed: what the loop shows may have changed.
pub(super) fn make_due(session: &dyn Session, loop_id: LoopId, now: Timestamp) -> Result<()> {
    session.execute(
        "INSERT INTO report_due (study_id, since) SELECT study_id, ?2 FROM study
         WHERE study_id = (SELECT study_id FROM loop WHERE loop_id = ?1) AND closed_at IS NOT NULL
         ON CONFLICT (study_id) DO UPDATE SET since = excluded.since",
        params![loop_id.0, now],
    )?;
    Ok(())
}

impl Outbox for Store {
    fn due_reports(&self) -> Result<Vec<DueReport>, StoreError> {
        self.read("list due reports", |session| {
            session.query_all(
                "SELECT study_instance_uid, since FROM report_due JOIN study USING (study_id)
                     WHERE closed_at IS NOT NULL ORDER BY since, study_id",
                &[],
                |row| {
                    Ok(DueReport { study_instance_uid: parsed(row, "study_instance_uid")?, since: time(row, "since")? })
                },
            )
        })
    }

    fn newest_report(&self, study: &StudyUid) -> Result<Option<StoredReport>, StoreError> {
        self.report_before(study, u32::MAX)
    }

    fn report_before(&self, study: &StudyUid, revision: u32) -> Result<Option<StoredReport>, StoreError> {
        self.read("look up a report", |session| {
            session.query_optional(
                "SELECT report.* FROM report JOIN study USING (study_id)
                     WHERE study_instance_uid = ?1 AND revision < ?2 ORDER BY revision DESC LIMIT 1",
                params![study.as_str(), revision],
                stored_report,
            )
        })
    }

    fn settle_due(
        &self,
        due: &DueReport,
        report: Option<&StoredReport>,
        items: &[NewOutboxItem],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write("settle a due report", |session| {
            let uid = &due.study_instance_uid;
            let settled = session.execute(
                "DELETE FROM report_due WHERE since = ?2
                 AND study_id = (SELECT study_id FROM study WHERE study_instance_uid = ?1 AND closed_at IS NOT NULL)",
                params![uid.as_str(), due.since],
            )?;
            if settled == 0 {
                return Ok(false);
            }
            if let Some(report) = report {
                insert_report(session, uid, report, now)?;
                let details = json!({ "revision": report.revision });
                study::audit(session, now, "study_reported", Some(uid), None, &details)?;
            }
            insert_items(session, Some(uid), items, now)?;
            Ok(true)
        })
    }

    fn queue_messages(
        &self,
        study: Option<&StudyUid>,
        items: &[NewOutboxItem],
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        self.write("queue messages", |session| Ok(insert_items(session, study, items, now)?))
    }

    fn newest_arrival(&self) -> Result<Option<Timestamp>, StoreError> {
        self.read("look up the newest file", |session| {
            session.query_optional("SELECT enqueued_at FROM job ORDER BY job_id DESC LIMIT 1", &[], |row| {
                time(row, "enqueued_at")
            })
        })
    }

    fn next_to_send(
        &self,
        destinations: &[String],
        longest: SignedDuration,
        now: Timestamp,
    ) -> Result<Option<OutboxItem>, StoreError> {
        let latest = now.saturating_add(longest).unwrap_or(Timestamp::MAX);
        self.read("look for something to send", |session| {
            session.query_optional(
                "SELECT * FROM outbox WHERE state = 'pending' AND payload IS NOT NULL
                         AND destination IN (SELECT value FROM json_each(?1))
                         AND (not_before IS NULL OR not_before <= ?2 OR not_before > ?3)
                     ORDER BY outbox_id LIMIT 1",
                params![json!(destinations).to_string(), now, latest],
                |row| {
                    Ok(OutboxItem {
                        outbox_id: row.get("outbox_id")?,
                        destination: row.get("destination")?,
                        kind: named(row, "kind", OutboxKind::from_name)?,
                        object_uid: row.get("object_uid")?,
                        payload: row.get("payload")?,
                        attempts: row.get("attempts")?,
                    })
                },
            )
        })
    }

    fn sent(&self, outbox_id: i64, status: &str, now: Timestamp) -> Result<(), StoreError> {
        self.write("record what was sent", |session| {
            session.execute(
                "UPDATE outbox SET state = 'sent', attempts = attempts + 1, not_before = NULL, status = ?2,
                     finished_at = ?3, payload = NULL WHERE outbox_id = ?1",
                params![outbox_id, status, now],
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
        let not_before = next_try;
        let finished_at = not_before.is_none().then_some(now);
        self.write("record what was not sent", |session| {
            session.execute(
                "UPDATE outbox SET state = ?2, attempts = attempts + 1, not_before = ?3, status = ?4, finished_at = ?5
                 WHERE outbox_id = ?1",
                params![outbox_id, state.as_str(), not_before, status, finished_at],
            )?;
            Ok(())
        })
    }

    fn release_held(&self) -> Result<usize, StoreError> {
        self.write("let out what was held", |session| {
            Ok(session.execute("UPDATE outbox SET state = 'pending', status = NULL WHERE state = 'held'", &[])?)
        })
    }

    fn retry_outbox(&self) -> Result<Vec<i64>, StoreError> {
        self.write("send again what failed", |session| {
            let keys: Vec<i64> = session.query_all(
                "UPDATE outbox SET state = 'pending', not_before = NULL, finished_at = NULL
                     WHERE (state = 'failed' OR (state = 'pending' AND not_before IS NOT NULL))
                     RETURNING outbox_id",
                &[],
                |row| row.get(0),
            )?;
            Ok(keys)
        })
    }

    fn outbox(&self) -> Result<Vec<OutboxRow>, StoreError> {
        self.read("list the outbox", |session| {
            session.query_all("SELECT * FROM outbox ORDER BY outbox_id", &[], outbox_row)
        })
    }
}

fn insert_report(session: &dyn Session, study: &StudyUid, report: &StoredReport, now: Timestamp) -> Result<()> {
    session.execute(
        "INSERT INTO report (study_id, revision, content_sha256, content_time, report_uid, report_series_uid,
             key_objects_uid, key_objects_series_uid, created_at)
         SELECT study_id, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 FROM study WHERE study_instance_uid = ?1",
        params![
            study.as_str(),
            report.revision,
            report.content_sha256.to_string(),
            report.content_time,
            report.report_uid.as_str(),
            report.report_series_uid.as_str(),
            report.key_objects_uid.as_str(),
            report.key_objects_series_uid.as_str(),
            now
        ],
    )?;
    Ok(())
}

fn insert_items(
    session: &dyn Session,
    study: Option<&StudyUid>,
    items: &[NewOutboxItem],
    now: Timestamp,
) -> Result<usize> {
    let mut inserted = 0;
    for item in items {
        let state = if item.held.is_some() { OutboxState::Held } else { OutboxState::Pending };
        inserted += session.execute(
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
                now
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
