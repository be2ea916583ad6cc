//! Reports that are due, and the outbox.

use super::common::{at, digest, facts, label, prediction, sop, study};
use crate::lab::new_store;
use jiff::SignedDuration;
use store::{LabelStore as _, NewOutboxItem, Outbox as _, OutboxKind, OutboxState, Review, Store, StoredReport};

const QUIET: SignedDuration = SignedDuration::from_secs(60);

fn closed_study(store: &Store) {
    label(store, &facts("1.2", "1.2.3"), "a", &prediction("w", Some("PLAX"), 0.9), 0);
    assert_eq!(store.close_quiet_studies(QUIET, at(100)).unwrap(), [study("1.2")]);
}

fn report(revision: u32) -> StoredReport {
    StoredReport {
        revision,
        content_sha256: digest(&format!("content {revision}")),
        content_time: at(0),
        report_uid: sop(&format!("2.25.1.{revision}")),
        report_series_uid: "2.25.2".parse().unwrap(),
        key_objects_uid: sop(&format!("2.25.3.{revision}")),
        key_objects_series_uid: "2.25.4".parse().unwrap(),
    }
}

fn item(destination: &str, uid: &str, held: Option<&str>) -> NewOutboxItem {
    NewOutboxItem {
        destination: destination.to_owned(),
        kind: OutboxKind::Report,
        object_uid: uid.to_owned(),
        payload: vec![1, 2, 3],
        held: held.map(str::to_owned),
    }
}

#[test]
fn a_closed_study_is_due_until_it_is_settled_and_again_after_a_review() {
    let Some((_folder, store)) = new_store() else { return };
    closed_study(&store);
    let due = store.due_reports().unwrap();
    assert_eq!((due.len(), due[0].since), (1, at(100)));
    assert!(store.settle_due(&due[0], Some(&report(1)), &[item("pacs", "2.25.1.1", None)], at(101)).unwrap());
    assert!(store.due_reports().unwrap().is_empty());
    assert_eq!(store.newest_report(&study("1.2")).unwrap(), Some(report(1)));
    assert!(!store.settle_due(&due[0], Some(&report(2)), &[], at(102)).unwrap(), "it was settled");

    store.add_review(&Review::new(sop("1.2.3"), None, "Kim", at(103))).unwrap();
    let again = store.due_reports().unwrap();
    assert_eq!(again[0].since, at(103));
    assert!(store.settle_due(&again[0], Some(&report(2)), &[], at(104)).unwrap());
    assert_eq!(store.newest_report(&study("1.2")).unwrap(), Some(report(2)));
    assert_eq!(store.report_before(&study("1.2"), 2).unwrap(), Some(report(1)));
}

#[test]
fn a_study_that_reopens_meanwhile_is_not_settled() {
    let Some((_folder, store)) = new_store() else { return };
    closed_study(&store);
    let due = store.due_reports().unwrap().remove(0);
    label(&store, &facts("1.2", "1.2.4"), "b", &prediction("w", Some("PLAX"), 0.9), 101);
    assert!(!store.settle_due(&due, Some(&report(1)), &[item("pacs", "2.25.1.1", None)], at(102)).unwrap());
    assert!(store.outbox().unwrap().is_empty() && store.newest_report(&study("1.2")).unwrap().is_none());
    assert!(store.due_reports().unwrap().is_empty(), "it is open");
    store.close_quiet_studies(QUIET, at(200)).unwrap();
    assert_eq!(store.due_reports().unwrap()[0].since, at(200));
}

#[test]
fn what_is_sent_leaves_the_database_and_what_fails_waits_or_stops() {
    let Some((_folder, store)) = new_store() else { return };
    let destinations = ["pacs".to_owned()];
    let next = |now| store.next_to_send(&destinations, SignedDuration::from_secs(100), now).unwrap();
    let items = [item("pacs", "a", None), item("pacs", "b", None), item("other", "a", None), item("pacs", "a", None)];
    assert_eq!(store.queue_messages(None, &items, at(0)).unwrap(), 3, "one is there already");

    let first = next(at(1)).unwrap();
    assert_eq!((first.object_uid.as_str(), first.payload.as_slice(), first.attempts), ("a", &[1, 2, 3][..], 0));
    store.not_sent(first.outbox_id, "away", Some(at(10)), at(1)).unwrap();
    let second = next(at(2)).unwrap();
    assert_eq!(second.object_uid, "b", "the first waits");
    store.not_sent(second.outbox_id, "refused", None, at(2)).unwrap();
    assert_eq!(next(at(3)), None, "nobody sends to the other destination");
    assert_eq!(next(at(10)).unwrap().attempts, 1);
    assert!(next(at(-1000)).is_some(), "a wait that a wrong clock wrote is over");
    store.sent(first.outbox_id, "0000", at(11)).unwrap();

    let states: Vec<OutboxState> = store.outbox().unwrap().iter().map(|row| row.state).collect();
    assert_eq!(states, [OutboxState::Sent, OutboxState::Failed, OutboxState::Pending]);
    assert_eq!(store.retry_outbox().unwrap(), [second.outbox_id]);
    assert_eq!(next(at(12)).unwrap().object_uid, "b");
}

#[test]
fn what_is_held_is_let_out() {
    let Some((_folder, store)) = new_store() else { return };
    store.queue_messages(None, &[item("pacs", "a", Some("not validated"))], at(0)).unwrap();
    let row = store.outbox().unwrap().remove(0);
    assert_eq!((row.state, row.status.as_deref()), (OutboxState::Held, Some("not validated")));
    let destinations = ["pacs".to_owned()];
    assert_eq!(store.next_to_send(&destinations, QUIET, at(1)).unwrap(), None);
    assert_eq!(store.release_held().unwrap(), 1);
    assert!(store.next_to_send(&destinations, QUIET, at(1)).unwrap().is_some());
}
