//! `run`: files that come in while the daemon is at work.

mod common;

use std::fs;
use std::io::Write;

use common::{Lab, loop_text, wait_until};
use daemon::{DaemonEvent, SystemClock, VirtualClock};
use jiff::{SignedDuration, Timestamp};
use store::{LabelStore, Queue, Store};

fn labelled(store: &Store) -> u64 {
    store.studies().unwrap().iter().map(|study| study.loops).sum()
}

#[test]
fn bursts_of_new_sub_folders_are_seen_whole() {
    let mut lab = Lab::new();
    lab.settings.inbox.rescan = SignedDuration::from_millis(500);
    let summary = lab
        .while_running(&SystemClock::new(), |store| {
            for study in 0..20 {
                for number in 0..5 {
                    lab.put_loop(&format!("s{study}/deep/{number}.dcm"), &format!("1.{study}.{number}"), "PLAX");
                }
            }
            wait_until("all are labelled", || labelled(store) == 100);
        })
        .unwrap();
    assert_eq!((summary.labelled, summary.taken, summary.left_in_queue), (100, 100, 0));
}

#[test]
fn a_file_renamed_into_place_and_a_folder_moved_in_need_no_walk() {
    let mut lab = Lab::new();
    lab.settings.inbox.rescan = SignedDuration::from_hours(24);
    let outside = lab.folder.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("b.dcm"), loop_text("1.2.2", "PLAX")).unwrap();
    lab.while_running(&SystemClock::new(), |store| {
        lab.put_loop("first.dcm", "1.2.0", "PLAX");
        wait_until("events come", || labelled(store) == 1);
        let upload = lab.put_loop("a.dcm.part", "1.2.1", "PLAX");
        fs::rename(upload, lab.path("a.dcm")).unwrap();
        fs::rename(&outside, lab.path("moved-in")).unwrap();
        wait_until("both are labelled", || labelled(store) == 3);
    })
    .unwrap();
}

#[test]
fn without_events_the_walk_finds_everything() {
    let mut lab = Lab::new();
    lab.settings.inbox.polling = daemon::Polling::Always;
    lab.settings.inbox.rescan = SignedDuration::from_millis(300);
    lab.while_running(&SystemClock::new(), |store| {
        lab.put_loop("study/a.dcm", "1.2.1", "PLAX");
        wait_until("it is labelled", || labelled(store) == 1);
    })
    .unwrap();
}

#[test]
fn a_file_that_grows_slowly_is_taken_when_it_is_whole() {
    let mut lab = Lab::new();
    lab.settings.inbox.rescan = SignedDuration::from_millis(300);
    lab.while_running(&SystemClock::new(), |store| {
        // Under another name first: an empty file would be taken for one that is not DICOM.
        fs::rename(lab.put("a.dcm.part", "LOOP 1.2 "), lab.path("a.dcm")).unwrap();
        let mut file = fs::File::options().append(true).open(lab.path("a.dcm")).unwrap();
        for part in ["1.2.1 ", "PLAX "] {
            let checks = lab.checks.lock().unwrap().len();
            file.write_all(part.as_bytes()).unwrap();
            wait_until("it is looked at", || lab.checks.lock().unwrap().len() > checks);
        }
        assert_eq!(store.counts().unwrap().unfinished(), 0);
        file.write_all(b"END").unwrap();
        wait_until("it is labelled", || labelled(store) == 1);
    })
    .unwrap();
}

#[test]
fn shutdown_finishes_what_runs_and_keeps_what_waits() {
    let mut lab = Lab::new();
    lab.settings.labelling.workers = 1;
    for number in 0..3 {
        lab.put_loop(&format!("{number}.dcm"), &format!("1.2.{number}"), "wait");
    }
    let gate = lab.labeller.gate.lock().unwrap();
    let started = |event: &DaemonEvent| matches!(event, DaemonEvent::JobStarted { .. });
    let summary = std::thread::scope(|scope| {
        let (asked, when_asked) = std::sync::mpsc::channel();
        let running = scope.spawn({
            let lab = &lab;
            move || {
                lab.while_running(&SystemClock::new(), |store| {
                    wait_until("one runs and two wait", || {
                        lab.count_events(started) == 1 && store.counts().unwrap().pending == 2
                    });
                    asked.send(()).unwrap();
                })
            }
        });
        when_asked.recv().unwrap();
        wait_until("the daemon is stopping", || lab.count_events(|event| *event == DaemonEvent::Stopping) == 1);
        drop(gate);
        running.join().unwrap().unwrap()
    });
    assert_eq!((summary.labelled, summary.left_in_queue), (1, 2));
    assert_eq!(lab.once().labelled, 2);
}

#[test]
fn labelling_waits_for_the_window_and_the_study_for_its_quiet_time() {
    let mut lab = Lab::new();
    lab.settings.labelling.window = Some("22:00-06:00".parse().unwrap());
    lab.settings.labelling.time_zone = jiff::tz::TimeZone::UTC;
    lab.put_loop("a.dcm", "1.2.1", "PLAX");
    let noon: Timestamp = "2030-01-01T12:00:00Z".parse().unwrap();
    let clock = VirtualClock::at(noon);
    let window = |open| move |event: &DaemonEvent| *event == DaemonEvent::WindowChanged { open };
    lab.while_running(&clock, |store| {
        wait_until("it is queued", || store.counts().unwrap().pending == 1);
        wait_until("the window is known to be closed", || lab.count_events(window(false)) == 1);
        assert_eq!(lab.count_events(|event| matches!(event, DaemonEvent::JobStarted { .. })), 0);
        clock.advance(SignedDuration::from_hours(10));
        wait_until("it is labelled", || labelled(store) == 1);
        wait_until("the window is known to be open", || lab.count_events(window(true)) == 1);
        assert_eq!(store.studies().unwrap()[0].closed_at, None);
        clock.advance(SignedDuration::from_mins(10));
        wait_until("the study is closed", || store.studies().unwrap()[0].closed_at.is_some());
    })
    .unwrap();
}
