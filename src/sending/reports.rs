//! The reports of studies that were closed.

use daemon::{SendSettings, Settings};
use domain::StudyUid;
use jiff::Timestamp;
use protocol::Protocol;
use store::{DueReport, LabelStore as _, NewOutboxItem, Outbox as _, OutboxKind, Store, StoreError};

use crate::reporting::{ReportFailure, ReportRevision, ReportSource};
use crate::{notifying, protocols};

/// Reason of the rows that wait for a configuration that lets them out.
pub const NOT_VALIDATED: &str =
    "the model was not validated on patients: send.allow_unvalidated = true lets its reports out";

/// Makes the report of every study that is due, and queues it for each destination if it says something new, with what
/// people are to be told of the study.
///
/// # Errors
/// The database. A study that cannot be reported is named in the log and left.
pub fn make_due(
    source: ReportSource<'_>,
    settings: &Settings,
    protocol: &Protocol,
    now: Timestamp,
) -> Result<(), StoreError> {
    let store = source.store;
    for due in store.due_reports()? {
        let study = &due.study_instance_uid;
        if now.duration_since(due.since) > settings.send.max_age {
            store.settle_due(&due, None, &[], now)?;
            continue;
        }
        let revision = match source.next_revision(study) {
            Ok(revision) => Some(revision),
            Err(ReportFailure::Store(error)) => return Err(error),
            Err(error) => {
                tracing::warn!(%study, %error, "the study cannot be reported");
                None
            }
        };
        let mut items = messages(source, settings, protocol, study, revision.as_ref(), now)?;
        let is_wanted = |revision: &&ReportRevision| !revision.is_known && !settings.send.destinations.is_empty();
        let news = revision.as_ref().filter(is_wanted);
        match news.map(|revision| documents(revision, &settings.send)).transpose() {
            Ok(documents) => items.extend(documents.unwrap_or_default()),
            Err(error) => {
                tracing::error!(%study, %error, "the study's report cannot be written");
                settle(store, &due, None, &items, now)?;
                continue;
            }
        }
        settle(store, &due, news, &items, now)?;
    }
    Ok(())
}

fn messages(
    source: ReportSource<'_>,
    settings: &Settings,
    protocol: &Protocol,
    study: &StudyUid,
    revision: Option<&ReportRevision>,
    now: Timestamp,
) -> Result<Vec<NewOutboxItem>, StoreError> {
    let inventory = source.store.inventory(study)?;
    let completeness = protocols::judge(source.store, &inventory, protocol)?;
    let attributes = revision.map(|revision| &revision.prepared.report.attributes);
    let told = notifying::of_study(&settings.notify, &inventory, &completeness, attributes, now);
    Ok(told.iter().flat_map(|message| notifying::items(&settings.notify, message)).collect())
}

fn settle(
    store: &Store,
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

fn documents(revision: &ReportRevision, settings: &SendSettings) -> Result<Vec<NewOutboxItem>, ReportFailure> {
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
