//! Rules among many computers: the server's clock, one daemon, one claim a job.

use std::collections::HashSet;
use std::thread;

use domain::JobId;
use jiff::{SignedDuration, Timestamp};
use store::{JobFilter, JobState, LabelStore as _, Queue as _, Retry, Store, StoreError};

use crate::lab::Lab;
use crate::suite::common::{LEASE, digest, facts, file, identity, prediction, sample, study};

/// The time on a computer whose clock is two hours ahead.
fn two_hours_ahead() -> Timestamp {
    Timestamp::now() + SignedDuration::from_hours(2)
}

#[test]
fn leases_and_waits_run_by_the_servers_clock() {
    let Some(lab) = Lab::new() else { return };
    let (right, ahead) = (Store::open(lab.address()).unwrap(), Store::open(lab.address()).unwrap());
    right.enqueue(&file("a", 1), sample(), Some(&identity("1.2", "1.2.1")), Timestamp::now()).unwrap();
    let held = right.claim("right", LEASE, Timestamp::now()).unwrap().unwrap();
    assert_eq!(ahead.recover(false, two_hours_ahead()).unwrap(), 0, "the lease has not run out");
    assert_eq!(ahead.recover(true, two_hours_ahead()).unwrap(), 0, "nor where another computer's daemon starts");
    let failure = store::JobFailure { kind: "read".into(), message: "away".into(), identity: None };
    right.fail(&held, &failure, Retry::At(Timestamp::now() + SignedDuration::from_mins(10)), Timestamp::now()).unwrap();
    assert!(ahead.claim("ahead", LEASE, two_hours_ahead()).unwrap().is_none(), "ten minutes have not passed");
    let row = right.jobs(&JobFilter::default()).unwrap().remove(0);
    assert!(row.enqueued_at < Timestamp::now() + SignedDuration::from_mins(1));
    assert!(ahead.close_quiet_studies(SignedDuration::from_hours(1), two_hours_ahead()).unwrap().is_empty());
}

#[test]
fn a_worker_that_slept_beyond_its_lease_changes_nothing() {
    let Some(lab) = Lab::new() else { return };
    let store = Store::open(lab.address()).unwrap();
    let now = Timestamp::now();
    store.enqueue(&file("a", 1), sample(), None, now).unwrap();
    let late = store.claim("late", SignedDuration::from_millis(1), now).unwrap().unwrap();
    thread::sleep(std::time::Duration::from_millis(20));
    assert_eq!(store.recover(false, now).unwrap(), 1);
    let next = store.claim("next", LEASE, now).unwrap().unwrap();
    let said = prediction("w1", Some("PLAX"), 0.9);
    let refused = store.record_labelled(&late, &facts("1.2", "1.2.3"), digest("c"), &said, now);
    assert!(matches!(refused, Err(StoreError::LeaseLost { job_id }) if job_id == late.job_id), "{refused:?}");
    assert!(store.studies().unwrap().is_empty(), "nothing of it stays");
    store.record_labelled(&next, &facts("1.2", "1.2.3"), digest("c"), &said, now).unwrap();
    assert_eq!(store.jobs(&JobFilter::default()).unwrap()[0].state, JobState::Done);
}

#[test]
fn there_is_one_daemon_and_any_number_of_workers() {
    let Some(lab) = Lab::new() else { return };
    let daemon = Store::open_for_daemon(lab.address()).unwrap();
    assert!(matches!(Store::open_for_daemon(lab.address()), Err(StoreError::InUse { .. })));
    assert_eq!(Store::open(lab.address()).unwrap().counts().unwrap().pending, 0);
    drop(daemon);
    // The server lets the lock go when it notices that the connection has ended.
    let again = (0..200).find_map(|_| {
        thread::sleep(std::time::Duration::from_millis(20));
        Store::open_for_daemon(lab.address()).ok()
    });
    assert!(again.is_some());
}

#[test]
fn a_batch_is_of_whole_studies_and_no_job_is_in_two() {
    let Some(lab) = Lab::new() else { return };
    let store = Store::open(lab.address()).unwrap();
    let now = Timestamp::now();
    for number in 0..60_u64 {
        let uids = identity(&format!("1.{}", number % 20), &format!("2.{number}"));
        store.enqueue(&file(&number.to_string(), number), sample(), Some(&uids), now).unwrap();
    }
    let batches: Vec<Vec<store::Job>> = thread::scope(|scope| {
        let workers: Vec<_> = (0..6)
            .map(|worker| {
                let store = &store;
                scope.spawn(move || {
                    let claim = || store.claim_batch(&format!("w{worker}"), LEASE, 5, now).unwrap();
                    std::iter::repeat_with(claim).take_while(|batch| !batch.is_empty()).collect::<Vec<_>>()
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    let claimed: Vec<JobId> = batches.iter().flatten().map(|job| job.job_id).collect();
    assert_eq!((claimed.len(), claimed.iter().collect::<HashSet<_>>().len()), (60, 60));
}

#[test]
fn copies_that_many_workers_finish_at_once_are_one_loop() {
    let Some(lab) = Lab::new() else { return };
    let store = Store::open(lab.address()).unwrap();
    let now = Timestamp::now();
    for number in 0..24_u64 {
        store.enqueue(&file(&number.to_string(), number), sample(), None, now).unwrap();
    }
    let said = prediction("w1", Some("PLAX"), 0.9);
    thread::scope(|scope| {
        for worker in 0..8 {
            let (store, said) = (&store, &said);
            scope.spawn(move || {
                while let Some(job) = store.claim(&format!("w{worker}"), LEASE, now).unwrap() {
                    let sop = format!("1.2.{}", job.file.size_bytes % 3);
                    store.record_labelled(&job, &facts("1.2", &sop), digest(&sop), said, now).unwrap();
                }
            });
        }
    });
    assert_eq!(store.counts().unwrap().done, 24);
    assert_eq!((store.loops(&study("1.2")).unwrap().len(), store.predictions(&study("1.2")).unwrap().len()), (3, 3));
    let inventory = store.inventory(&study("1.2")).unwrap();
    assert_eq!((inventory.files, inventory.states.get(store::FileState::Duplicate)), (24, 21));
}

#[test]
fn a_server_that_restarts_is_reached_again() {
    let Some(server) = test_support::PostgresServer::start(&[]) else { return };
    let address: store::PostgresAddress = server.address().parse().unwrap();
    let store = Store::open(store::DatabaseLocation::Postgres(address)).unwrap();
    store.enqueue(&file("a", 1), sample(), None, Timestamp::now()).unwrap();
    server.restart();
    assert_eq!(store.counts().unwrap().pending, 1, "what was committed is there");
}

#[test]
fn another_programs_schema_is_refused_and_an_empty_one_is_no_database() {
    let Some(lab) = Lab::new() else { return };
    assert!(matches!(Store::open_read_only(lab.address()), Err(StoreError::Foreign { .. })));
    lab.client().batch_execute("CREATE TABLE job (id integer)").unwrap();
    assert!(matches!(Store::open(lab.address()), Err(StoreError::Foreign { .. })));
    let Some(newer) = Lab::new() else { return };
    drop(newer.open());
    newer.client().batch_execute("INSERT INTO echolabel_schema VALUES (99)").unwrap();
    assert!(matches!(Store::open(newer.address()), Err(StoreError::NewerSchema { found: 99, .. })));
}

#[test]
fn a_sound_database_has_no_faults_and_is_read_without_writing() {
    let Some(lab) = Lab::new() else { return };
    let store = lab.open();
    assert_eq!(store.check().unwrap(), [""; 0]);
    let reader = Store::open_read_only(lab.address()).unwrap();
    let refused = reader.enqueue(&file("a", 1), sample(), None, Timestamp::now());
    assert!(matches!(&refused, Err(error @ StoreError::ReadOnly { .. }) if error.is_temporary()), "{refused:?}");
    assert!(matches!(store.backup(&lab.folder().join("copy")), Err(StoreError::BackedUpByServer { .. })));
}
