//! The reports of studies that were closed.

use daemon::SendSettings;
use domain::StudyUid;
use jiff::Timestamp;
use store::{DueReport, NewOutboxItem, Outbox as _, OutboxKind, SqliteStore, StoreError};

use crate::reporting::{ReportFailure, ReportRevision, ReportSource};

/// Reason of the rows that wait for a configuration that lets them out.
pub const NOT_VALIDATED: &str =
    "the model was not validated on patients: send.allow_unvalidated = true lets its reports out";

/// Makes the report of every study that is due, and queues it for each destination if it says something new.
///
/// # Errors
/// The database. A study that cannot be reported is named in the log and left.
pub fn make_due(source: ReportSource<'_>, settings: &SendSettings, now: Timestamp) -> Result<(), StoreError> {
    let store = source.store;
    for due in store.due_reports()? {
        let study = &due.study_instance_uid;
        if now.duration_since(due.since) > settings.max_age {
            store.settle_due(&due, None, &[], now)?;
            continue;
        }
        match source.next_revision(study).and_then(|revision| Ok((items(&revision, settings)?, revision))) {
            Ok((_, revision)) if revision.is_known => settle(store, &due, None, &[], now)?,
            Ok((items, revision)) => settle(store, &due, Some(&revision), &items, now)?,
            Err(ReportFailure::Store(error)) => return Err(error),
            Err(error) => {
                tracing::warn!(%study, %error, "the study cannot be reported");
                store.settle_due(&due, None, &[], now)?;
            }
        }
    }
    Ok(())
}

fn settle(
    store: &SqliteStore,
    due: &DueReport,
    revision: Option<&ReportRevision>,
    items: &[NewOutboxItem],
    now: Timestamp,
) -> Result<(), StoreError> {
    let study: &StudyUid = &due.study_instance_uid;
    // A study that got a file or label in between is due again, with that in it.
    if store.settle_due(due, revision.map(ReportRevision::row).as_ref(), items, now)?
        && let Some(revision) = revision
    {
        let number = revision.prepared.report.revision.number;
        tracing::info!(%study, revision = number, queued = items.len(), "study reported");
    }
    Ok(())
}

fn items(revision: &ReportRevision, settings: &SendSettings) -> Result<Vec<NewOutboxItem>, ReportFailure> {
    let documents = revision.documents()?;
    let row = revision.row();
    let held = (!revision.prepared.is_validated && !settings.allow_unvalidated).then(|| NOT_VALIDATED.to_owned());
    let report = (OutboxKind::Report, row.report_uid, Some(documents.report));
    let key_objects = (OutboxKind::KeyObjects, row.key_objects_uid, documents.key_objects);
    let mut items = Vec::new();
    for destination in &settings.destinations {
        for (kind, uid, payload) in [&report, &key_objects] {
            items.extend(payload.iter().map(|payload| NewOutboxItem {
                destination: destination.name.clone(),
                kind: *kind,
                object_uid: uid.to_string(),
                payload: payload.clone(),
                held: held.clone(),
            }));
        }
    }
    Ok(items)
}
