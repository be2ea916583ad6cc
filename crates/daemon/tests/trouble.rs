//! The database goes away, the clock is set, files cannot be read: the daemon waits and goes on where it was.

mod common;

use std::fs;

use common::{Lab, wait_until};
use daemon::{DaemonEvent, SystemClock, VirtualClock};
use jiff::{SignedDuration, Timestamp};
use store::{JobFilter, Queue as _};

#[test]
fn a_database_that_was_moved_away_is_waited_for() {
    let lab = Lab::new();
    let (database, away) = (lab.settings.database.file().unwrap(), lab.folder.path().join("away.sqlite"));
    lab.while_running(&SystemClock::new(), |store| {
        fs::rename(database, &away).unwrap();
        wait_until("the daemon notices", || {
            lab.count_events(|event| matches!(event, DaemonEvent::DatabaseUnusable { .. })) == 1
        });
        lab.put_loop("a.dcm", "1.2.1", "PLAX");
        fs::rename(&away, database).unwrap();
        wait_until("the loop is labelled", || store.counts().unwrap().done == 1);
    })
    .unwrap();
    assert_eq!(lab.count_events(|event| matches!(event, DaemonEvent::DatabaseUsable)), 1);
    assert_eq!(lab.predictions().into_values().collect::<Vec<_>>(), [1]);
}

#[test]
fn a_stop_is_obeyed_while_the_database_is_away() {
    let lab = Lab::new();
    let outcome = lab.while_running(&SystemClock::new(), |_| {
        fs::remove_file(lab.settings.database.file().unwrap()).unwrap();
        wait_until("the daemon notices", || {
            lab.count_events(|event| matches!(event, DaemonEvent::DatabaseUnusable { .. })) == 1
        });
    });
    assert!(outcome.unwrap_err().is_temporary());
}

#[test]
fn a_database_that_was_replaced_ends_the_run() {
    let lab = Lab::new();
    let outcome = lab.while_running(&SystemClock::new(), |_| {
        let copy = lab.folder.path().join("copy.sqlite");
        fs::copy(lab.settings.database.file().unwrap(), &copy).unwrap();
        fs::rename(&copy, lab.settings.database.file().unwrap()).unwrap();
        // The daemon ends by itself; what stops it afterwards changes nothing.
        std::thread::sleep(std::time::Duration::from_secs(3));
    });
    assert!(matches!(outcome, Err(daemon::DaemonError::Store(store::StoreError::Replaced { .. }))), "{outcome:?}");
}

#[test]
fn a_wall_clock_set_back_or_forward_neither_hurries_nor_delays_a_second_try() {
    for hours in [-1, 1] {
        let lab = Lab::new();
        let clock = VirtualClock::at(Timestamp::now());
        lab.put_loop("a.dcm", "1.2.1", "second-try");
        assert_eq!(lab.once_at(&clock).retrying, 1);
        clock.set_wall(SignedDuration::from_hours(hours));
        assert_eq!(lab.once_at(&clock).left_in_queue, 1, "{hours} h");
        clock.advance(SignedDuration::from_mins(1));
        assert_eq!(lab.once_at(&clock).labelled, 1, "{hours} h");
    }
}

#[test]
fn a_study_closes_although_the_clock_was_set_back() {
    let lab = Lab::new();
    let clock = VirtualClock::at(Timestamp::now());
    lab.put_loop("a.dcm", "1.2.1", "PLAX");
    lab.once_at(&clock);
    clock.set_wall(SignedDuration::from_hours(-100));
    assert_eq!(lab.once_at(&clock).studies_closed, 0);
    clock.advance(lab.settings.study_quiet);
    assert_eq!(lab.once_at(&clock).studies_closed, 1);
}

#[test]
fn a_wait_that_was_written_under_a_wrong_clock_is_shortened_at_the_next_start() {
    let lab = Lab::new();
    let wrong = VirtualClock::at(Timestamp::now() + SignedDuration::from_hours(24 * 365));
    lab.put_loop("a.dcm", "1.2.1", "second-try");
    assert_eq!(lab.once_at(&wrong).retrying, 1);
    let right = VirtualClock::at(Timestamp::now());
    lab.once_at(&right);
    let waits = lab.store().jobs(&JobFilter::default()).unwrap()[0].not_before.unwrap();
    assert!(waits <= Timestamp::now() + lab.settings.retry.backoff.longest, "{waits}");
}
