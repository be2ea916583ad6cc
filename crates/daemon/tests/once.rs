//! `run_once`: what becomes of every kind of file.

mod common;

use std::collections::BTreeMap;
use std::fs;

use common::{Lab, loop_text, study};
use daemon::{Clock, DaemonError, DaemonEvent, Shutdown, Summary, SystemClock, VirtualClock};
use jiff::{SignedDuration, Timestamp};
use store::{JobFilter, LabelStore, Queue};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

fn one_each<const N: usize>(sops: [&str; N]) -> BTreeMap<String, usize> {
    sops.map(|sop| (sop.to_owned(), 1)).into()
}

#[test]
fn every_file_is_labelled_once_and_a_restart_labels_nothing() {
    let lab = Lab::new();
    lab.put_loop("a.dcm", "1.2.1", "PLAX");
    lab.put_loop("study/series/b.dcm", "1.2.2", "A4C");
    for name in ["DICOMDIR", ".hidden", "c.dcm.part", "d.tmp", ".snapshot/old.dcm"] {
        lab.put_loop(name, "9.9", "PLAX");
    }
    let summary = lab.once();
    assert_eq!(summary, Summary { taken: 2, labelled: 2, ..Summary::default() });
    assert!(summary.all_well());
    assert_eq!(lab.once(), Summary::default());
    assert_eq!(lab.predictions(), one_each(["1.2.1", "1.2.2"]));
    assert!(lab.labeller.calls.lock().unwrap().values().all(|&calls| calls == 1));
}

#[test]
fn no_event_shows_a_path() {
    let lab = Lab::new();
    lab.put_loop("DOE^JANE/a.dcm", "1.2.1", "PLAX");
    lab.put_loop("DOE^JANE/b.dcm", "1.2.2", "broken");
    lab.put("DOE^JANE/notes.txt", "hello");
    lab.put("DOE^JANE/half.dcm", "LOOP 1.2 1.2.3");
    lab.once();
    let events = format!("{:?}", lab.events.lock().unwrap());
    assert!(events.contains("LoopFailed") && events.contains("FileIncomplete"), "{events}");
    assert!(!events.contains("DOE") && !events.contains("inbox"), "{events}");
    let jobs = lab.store().jobs(&JobFilter::default()).unwrap();
    assert!(jobs.iter().all(|job| !job.error_message.as_deref().unwrap_or_default().contains("DOE")), "{jobs:?}");
}

#[test]
fn a_half_written_file_is_taken_when_the_rest_is_there() {
    let lab = Lab::new();
    lab.put("a.dcm", "LOOP 1.2 1.2.1");
    let summary = lab.once();
    assert_eq!(summary, Summary { incomplete: 1, ..Summary::default() });
    assert!(!summary.all_well());
    assert_eq!(lab.jobs(), [("failed".to_owned(), Some("incomplete".to_owned()))], "counted from now on");
    assert_eq!(lab.once(), Summary { incomplete: 1, ..Summary::default() }, "and looked at again");
    lab.put_loop("a.dcm", "1.2.1", "PLAX");
    assert_eq!(lab.once(), Summary { taken: 1, labelled: 1, ..Summary::default() });
    assert_eq!(lab.store().counts().unwrap().failed, 0);
}

#[test]
fn what_is_not_dicom_is_read_once() {
    let lab = Lab::new();
    lab.put("notes.txt", "hello");
    assert_eq!(lab.once().not_dicom, 1);
    assert_eq!(lab.once(), Summary::default());
    assert_eq!(lab.checks.lock().unwrap().len(), 1);
    lab.put_loop("notes.txt", "1.2.1", "PLAX");
    assert_eq!(lab.once().labelled, 1);
}

#[test]
fn copies_and_moves_are_labelled_once() {
    let lab = Lab::new();
    let first = lab.put_loop("a.dcm", "1.2.1", "PLAX");
    lab.once();
    fs::copy(&first, lab.path("again.dcm")).unwrap();
    fs::rename(&first, lab.path("moved.dcm")).unwrap();
    assert_eq!(lab.once(), Summary { taken: 2, duplicates: 2, ..Summary::default() });
    assert_eq!(lab.predictions(), one_each(["1.2.1"]));
    assert_eq!(lab.labeller.calls.lock().unwrap()["1.2.1"], 1);
}

#[test]
fn other_bytes_under_a_known_uid_are_a_conflict() {
    let lab = Lab::new();
    lab.put_loop("a.dcm", "1.2.1", "PLAX");
    lab.once();
    lab.put_loop("b.dcm", "1.2.1", "A4C");
    let summary = lab.once();
    assert_eq!((summary.conflicts, summary.labelled), (1, 0));
    assert_eq!(lab.store().predictions(&study("1.2")).unwrap()[0].prediction.view.as_deref(), Some("PLAX"));
}

#[test]
fn a_failure_or_panic_stops_nobody_else() {
    let lab = Lab::new();
    for (name, what) in [("a", "broken"), ("b", "panic"), ("c", "PLAX"), ("d", "doppler"), ("e", "report")] {
        lab.put_loop(name, &format!("1.2.{}", name.as_bytes()[0]), what);
    }
    let summary = lab.once();
    assert_eq!(summary, Summary { taken: 5, labelled: 1, skipped: 2, failed: 2, ..Summary::default() });
    let kinds: Vec<_> = lab.jobs().into_iter().map(|(state, kind)| (state, kind.unwrap_or_default())).collect();
    let expected =
        [("failed", "fake"), ("failed", "panic"), ("done", ""), ("skipped", "not_a_view"), ("skipped", "no_image")];
    assert_eq!(kinds, expected.map(|(state, kind)| (state.to_owned(), kind.to_owned())));
    let inventory = lab.store().inventory(&study("1.2")).unwrap();
    assert_eq!(inventory.not_labelled.len(), 4, "Doppler, broken, panic and the report: {inventory:?}");
    assert_eq!(lab.once(), Summary::default(), "permanent failures are kept, not tried again");
}

#[test]
fn a_temporary_failure_is_tried_again_after_its_wait() {
    let lab = Lab::new();
    let clock = VirtualClock::at(Timestamp::now());
    lab.put_loop("a.dcm", "1.2.1", "second-try");
    lab.put_loop("b.dcm", "1.2.2", "never");
    let summary = lab.once_at(&clock);
    assert_eq!(summary, Summary { taken: 2, retrying: 2, left_in_queue: 2, ..Summary::default() });
    assert!(!summary.all_well());
    assert_eq!(lab.once_at(&clock).left_in_queue, 2, "too early");
    clock.advance(MINUTE);
    let summary = lab.once_at(&clock);
    assert_eq!((summary.labelled, summary.retrying), (1, 1));
    clock.advance(MINUTE);
    assert_eq!(lab.once_at(&clock).left_in_queue, 1, "the second wait is twice as long");
    clock.advance(MINUTE);
    let summary = lab.once_at(&clock);
    assert_eq!((summary.failed, summary.left_in_queue), (1, 0));
    assert_eq!(lab.labeller.calls.lock().unwrap()["1.2.2"], 3);
}

/// Queues without labelling: the window is a minute long and twelve hours away.
fn queue_only(lab: &mut Lab, clock: &VirtualClock) -> Summary {
    let settings = &mut lab.settings.labelling;
    settings.time_zone = jiff::tz::TimeZone::UTC;
    let opens = clock.now().to_zoned(settings.time_zone.clone()).time().wrapping_add(SignedDuration::from_hours(12));
    let closes = opens.wrapping_add(MINUTE);
    settings.window = Some(format!("{}-{}", opens.strftime("%H:%M"), closes.strftime("%H:%M")).parse().unwrap());
    lab.with(&lab.store(), clock, |daemon| daemon.run_once(true, &Shutdown::new())).unwrap()
}

#[test]
fn outside_the_window_files_only_queue() {
    let mut lab = Lab::new();
    let clock = VirtualClock::at(Timestamp::now());
    lab.put_loop("a.dcm", "1.2.1", "PLAX");
    let expected = Summary { taken: 1, left_in_queue: 1, ..Summary::default() };
    assert_eq!(queue_only(&mut lab, &clock), expected);
    assert_eq!(lab.once_at(&clock).labelled, 1, "without honour_window the hour does not matter");
}

#[test]
fn a_file_deleted_before_its_turn_is_given_up_and_welcome_back() {
    let mut lab = Lab::new();
    let clock = VirtualClock::at(Timestamp::now());
    let path = lab.put_loop("a.dcm", "1.2.1", "PLAX");
    queue_only(&mut lab, &clock);
    let kept = lab.folder.path().join("kept");
    fs::rename(&path, &kept).unwrap();
    assert_eq!(lab.once_at(&clock).retrying, 1);
    clock.advance(MINUTE);
    assert_eq!(lab.once_at(&clock).retrying, 1);
    clock.advance(2 * MINUTE);
    assert_eq!(lab.once_at(&clock).failed, 1);
    assert_eq!(lab.jobs(), [("failed".to_owned(), Some("file_vanished".to_owned()))]);
    fs::rename(&kept, &path).unwrap();
    assert_eq!(lab.once_at(&clock).labelled, 1);
    assert_eq!(lab.jobs(), [("done".to_owned(), None)]);
}

#[test]
fn a_file_moved_before_its_turn_is_one_loop_and_no_failure() {
    let mut lab = Lab::new();
    let clock = VirtualClock::at(Timestamp::now());
    let path = lab.put_loop("a.dcm", "1.2.1", "PLAX");
    queue_only(&mut lab, &clock);
    fs::rename(&path, lab.path("b.dcm")).unwrap();
    assert_eq!(lab.once_at(&clock).labelled, 1);
    clock.advance(MINUTE);
    let summary = lab.once_at(&clock);
    assert_eq!((summary.failed, summary.left_in_queue), (0, 0));
    assert_eq!(lab.predictions(), one_each(["1.2.1"]));
    let jobs = lab.jobs();
    assert_eq!((jobs[0].1.as_deref(), jobs[1].0.as_str()), (Some("superseded"), "done"), "one file, one state");
}

#[test]
fn a_file_overwritten_while_it_is_labelled_gets_the_label_of_its_last_bytes() {
    let lab = Lab::new();
    lab.put_loop("a.dcm", "1.2.1", "overwritten");
    lab.once();
    lab.once();
    let predictions = lab.store().predictions(&study("1.2")).unwrap();
    let views: Vec<_> = predictions.iter().map(|said| said.prediction.view.as_deref().unwrap()).collect();
    assert_eq!(views, ["PLAX-after-all"]);
}

#[test]
fn a_late_file_reopens_its_study() {
    let lab = Lab::new();
    let clock = VirtualClock::at(Timestamp::now());
    lab.put_loop("a.dcm", "1.2.1", "PLAX");
    assert_eq!(lab.once_at(&clock).studies_closed, 0);
    clock.advance(lab.settings.study_quiet);
    assert_eq!(lab.once_at(&clock).studies_closed, 1);
    lab.put_loop("b.dcm", "1.2.2", "A4C");
    lab.once_at(&clock);
    assert_eq!(lab.count_events(|event| matches!(event, DaemonEvent::StudyReopened { .. })), 1);
    let studies = lab.store().studies().unwrap();
    assert_eq!((studies.len(), studies[0].loops, studies[0].closed_at), (1, 2, None));
}

#[test]
fn another_model_labels_what_comes_and_leaves_what_was_labelled() {
    let mut lab = Lab::new();
    lab.put_loop("a.dcm", "1.2.1", "PLAX");
    lab.once();
    lab.labeller.weights = 2;
    lab.put_loop("b.dcm", "1.2.2", "A4C");
    assert_eq!(lab.once().labelled, 1);
    let model = daemon::Labeller::model(&lab.labeller);
    let left = lab.store().loops_without(&model, &study("1.2")).unwrap();
    assert_eq!(left.iter().map(|left| left.sop_instance_uid.as_str()).collect::<Vec<_>>(), ["1.2.1"]);
    assert_eq!(lab.store().label_set(&study("1.2")).unwrap(), ["PLAX", "A4C"]);
}

#[test]
fn a_missing_watch_folder_is_a_configuration_error() {
    let lab = Lab::new();
    fs::remove_dir(lab.path("")).unwrap();
    let outcome = lab.with(&lab.store(), &SystemClock::new(), |daemon| daemon.run_once(false, &Shutdown::new()));
    assert!(matches!(outcome, Err(DaemonError::WatchFolder { .. })), "{outcome:?}");
}

#[test]
fn jobs_of_a_daemon_that_died_are_taken_up() {
    let lab = Lab::new();
    lab.put("a.dcm", &loop_text("1.2.1", "PLAX"));
    let mut lab = lab;
    queue_only(&mut lab, &VirtualClock::at(Timestamp::now()));
    let lease = SignedDuration::from_hours(1000);
    lab.store().claim("dead", lease, Timestamp::now()).unwrap().unwrap();
    assert_eq!(lab.once().labelled, 1);
    assert_eq!(lab.count_events(|event| matches!(event, DaemonEvent::Started { recovered: 1, .. })), 1);
}
