//! The daemon dies at every call it makes to its store, before and after the call takes effect; then it starts again.

#[path = "common/dying.rs"]
mod dying;

mod common;

use std::sync::atomic::{AtomicI64, Ordering};

use common::Lab;
use daemon::{DaemonError, Shutdown, SystemClock};
use dying::Dying;
use store::Queue;

fn filled_lab() -> Lab {
    let lab = Lab::new();
    for number in 0..2 {
        lab.put_loop(&format!("study/{number}.dcm"), &format!("1.2.{number}"), "PLAX");
    }
    lab.put_loop("study/copy.dcm", "1.2.0", "PLAX");
    lab.put_loop("study/doppler.dcm", "1.2.8", "doppler");
    lab.put_loop("study/broken.dcm", "1.2.9", "broken");
    lab.put("study/notes.txt", "hello");
    lab
}

/// Runs until the store dies; false when the run came to its end before that.
fn dies(lab: &Lab, calls: i64, after_commit: bool) -> bool {
    let store = Dying { store: lab.store(), calls_left: AtomicI64::new(calls), after_commit };
    match lab.with(&store, &SystemClock::new(), |daemon| daemon.run_once(false, &Shutdown::new())) {
        Err(DaemonError::Store(_)) => true,
        Ok(_) => false,
        Err(error) => panic!("{error}"),
    }
}

fn nothing_is_lost_or_there_twice(lab: &Lab, moment: &str) {
    lab.once();
    let expected = [("1.2.0", 1), ("1.2.1", 1), ("1.2.8", 0)];
    assert_eq!(lab.predictions(), expected.map(|(sop, count)| (sop.to_owned(), count)).into(), "{moment}");
    let mut states: Vec<_> = lab.jobs().into_iter().map(|(state, _)| state).collect();
    states.sort();
    let expected = ["done", "done", "done", "failed", "skipped", "skipped"];
    assert_eq!(states, expected, "{moment}");
}

#[test]
fn whenever_it_dies_nothing_is_lost_and_nothing_is_there_twice() {
    for after_commit in [false, true] {
        let mut calls = 0;
        loop {
            let lab = filled_lab();
            let died = dies(&lab, calls, after_commit);
            nothing_is_lost_or_there_twice(&lab, &format!("call {calls}, after commit: {after_commit}"));
            if !died {
                break;
            }
            calls += 1;
        }
        assert!(calls > 25, "the run has dozens of calls to die at, not {calls}");
    }
}

#[test]
fn it_may_die_again_and_again() {
    let lab = filled_lab();
    let mut deaths = 0;
    while dies(&lab, 13 + deaths % 6, deaths % 2 == 0) {
        deaths += 1;
        assert!(deaths < 90, "each life gets a little further");
    }
    assert!(deaths >= 2, "two lives are too short for all there is to do");
    nothing_is_lost_or_there_twice(&lab, "after many deaths");
}

#[test]
fn a_file_in_hand_at_two_deaths_is_labelled_apart_and_never_given_up() {
    let lab = Lab::new();
    let store = lab.store();
    let now = jiff::Timestamp::now();
    for number in 0..2 {
        let name = format!("study/{number}.dcm");
        lab.put_loop(&name, &format!("1.2.{number}"), "PLAX");
        store.enqueue(&lab.file_identity(&name), domain::Sha256::from([0; 32]), None, now).unwrap();
    }
    // Ten times the program dies with both in hand.
    for _ in 0..10 {
        while store.claim("worker", jiff::SignedDuration::from_secs(60), now).unwrap().is_some() {}
        assert_eq!(store.recover(true, now).unwrap(), 2);
    }
    lab.once();
    assert_eq!(lab.predictions(), [("1.2.0".to_owned(), 1), ("1.2.1".to_owned(), 1)].into());
    assert_eq!(lab.labeller.isolated.load(Ordering::SeqCst), 2);
}
