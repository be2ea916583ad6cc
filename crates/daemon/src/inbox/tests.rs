//! The inbox under a clock that is moved by hand.

use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;

use store::{JobFilter, JobState, Queue, Store};
use tempfile::TempDir;

use super::*;
use crate::{DaemonEvent, Overrides, Settings, VirtualClock};

struct Desk {
    folder: TempDir,
    settings: Settings,
    store: Store,
    clock: VirtualClock,
    answer: Mutex<Completeness>,
    checks: Mutex<u32>,
}

const COMPLETE: Completeness = Completeness::Complete { identity: None };

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("inbox")).unwrap();
        let mut settings = Settings::load(None, Overrides::default()).unwrap();
        settings.inbox.stability = SignedDuration::from_secs(5);
        let store = Store::open(&folder.path().join("labels.sqlite")).unwrap();
        let clock = VirtualClock::at(Timestamp::now());
        Self { folder, settings, store, clock, answer: Mutex::new(COMPLETE), checks: Mutex::new(0) }
    }

    fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join("inbox").join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn answer(&self, answer: Completeness) {
        *self.answer.lock().unwrap() = answer;
    }

    fn with_inbox(&self, trust_file_times: bool, work: impl FnOnce(&mut Inbox<'_>)) {
        let observer = |_: &DaemonEvent| {};
        let file_check = |_: &Path| {
            *self.checks.lock().unwrap() += 1;
            self.answer.lock().unwrap().clone()
        };
        let around = InboxContext {
            settings: &self.settings.inbox,
            database: Some(&self.folder.path().join("labels.sqlite")),
            store: &self.store,
            clock: &self.clock,
            file_check: &file_check,
            reporter: &Reporter::new(&observer),
            wake_worker: &|| {},
            is_stopping: &|| false,
        };
        let mut inbox = Inbox::new(around, vec![self.folder.path().join("inbox")]);
        inbox.trust_file_times = trust_file_times;
        work(&mut inbox);
    }

    fn is_known(&self, path: &Path) -> bool {
        let file = stat(path).unwrap().unwrap().identity;
        self.store.knowledge(&file).unwrap() == FileKnowledge::Known
    }

    fn jobs(&self) -> Vec<JobState> {
        self.store.jobs(&JobFilter::default()).unwrap().iter().map(|job| job.state).collect()
    }
}

fn start() -> Timestamp {
    Timestamp::now()
}

fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

#[test]
fn a_new_file_is_taken_after_the_stability_time_not_before() {
    let desk = Desk::new();
    desk.put("a", "1");
    desk.with_inbox(false, |inbox| {
        let now = start();
        inbox.tick(now).unwrap();
        inbox.tick(now + seconds(4)).unwrap();
        assert_eq!((desk.jobs().len(), *desk.checks.lock().unwrap()), (0, 0));
        assert!(inbox.has_unstable());
        inbox.tick(now + seconds(5)).unwrap();
        assert_eq!(desk.jobs(), [JobState::Pending]);
        assert_eq!(inbox.waiting(), 0);
    });
}

#[test]
fn a_file_that_is_said_to_be_whole_is_taken_at_once_and_once() {
    let desk = Desk::new();
    let path = desk.put("a", "1");
    desk.with_inbox(false, |inbox| {
        let now = start();
        inbox.follow(&Hint::Look(path.clone()), now).unwrap();
        assert!(desk.jobs().is_empty(), "it may still be written");
        inbox.follow(&Hint::Whole(path.clone()), now).unwrap();
        inbox.follow(&Hint::Whole(path.clone()), now).unwrap();
        inbox.follow(&Hint::Whole(path.with_file_name("gone")), now).unwrap();
        inbox.tick(now + seconds(60)).unwrap();
        assert_eq!((desk.jobs(), inbox.waiting()), (vec![JobState::Pending], 0));
    });
}

#[test]
fn every_change_starts_the_stability_time_again() {
    let desk = Desk::new();
    let path = desk.put("a", "1");
    desk.with_inbox(false, |inbox| {
        let now = start();
        inbox.tick(now).unwrap();
        desk.put("a", "12");
        inbox.follow(&Hint::Look(path.clone()), now + seconds(4)).unwrap();
        inbox.tick(now + seconds(8)).unwrap();
        assert!(desk.jobs().is_empty());
        inbox.tick(now + seconds(9)).unwrap();
        assert_eq!(desk.jobs(), [JobState::Pending]);
    });
}

#[test]
fn a_file_that_is_old_already_needs_one_look_where_the_file_systems_clock_is_ours() {
    for (trust, jobs) in [(true, 1), (false, 0)] {
        let desk = Desk::new();
        desk.put("a", "1");
        desk.with_inbox(trust, |inbox| inbox.tick(start() + seconds(60)).unwrap());
        assert_eq!(desk.jobs().len(), jobs, "trusting file times: {trust}");
    }
}

#[test]
fn an_old_time_of_writing_on_a_fresh_copy_is_not_believed() {
    let desk = Desk::new();
    let path = desk.put("a", "1");
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(86_400);
    fs::File::options().write(true).open(path).unwrap().set_modified(long_ago).unwrap();
    desk.with_inbox(true, |inbox| inbox.tick(start()).unwrap());
    assert!(desk.jobs().is_empty());
}

#[test]
fn an_incomplete_file_is_looked_at_ever_more_seldom_and_given_up_until_it_changes() {
    let mut desk = Desk::new();
    desk.settings.inbox.stability = SignedDuration::ZERO;
    desk.settings.inbox.incomplete_limit = SignedDuration::from_mins(10);
    desk.answer(Completeness::Incomplete { reason: "cut".to_owned(), identity: None });
    let path = desk.put("a", "1");
    desk.with_inbox(true, |inbox| {
        let now = start();
        for second in 0..599 {
            inbox.tick(now + seconds(second)).unwrap();
        }
        // Looks after 0, 1, 3, 7, 15, 31, 63 s, then every minute.
        assert_eq!(*desk.checks.lock().unwrap(), 15);
        assert!(!desk.is_known(&path), "not given up");
        for second in 599..700 {
            inbox.tick(now + seconds(second)).unwrap();
        }
        assert!(desk.jobs() == [JobState::Failed] && desk.is_known(&path));
        assert_eq!((*desk.checks.lock().unwrap(), inbox.waiting()), (16, 0));

        desk.answer(COMPLETE);
        desk.put("a", "12");
        inbox.follow(&Hint::Look(path.clone()), now + seconds(700)).unwrap();
        assert_eq!(desk.jobs(), [JobState::Skipped, JobState::Pending]);
    });
}

#[test]
fn a_file_that_changes_under_the_check_is_not_taken() {
    let desk = Desk::new();
    let path = desk.put("a", "1");
    let observer = |_: &DaemonEvent| {};
    let file_check = |path: &Path| {
        fs::write(path, "changed while it was being read").unwrap();
        COMPLETE
    };
    let around = InboxContext {
        settings: &desk.settings.inbox,
        database: Some(&desk.folder.path().join("labels.sqlite")),
        store: &desk.store,
        clock: &desk.clock,
        file_check: &file_check,
        reporter: &Reporter::new(&observer),
        wake_worker: &|| {},
        is_stopping: &|| false,
    };
    let mut inbox = Inbox::new(around, vec![desk.folder.path().join("inbox")]);
    let now = start();
    inbox.tick(now).unwrap();
    inbox.tick(now + seconds(5)).unwrap();
    assert!(desk.jobs().is_empty());
    fs::remove_file(path).unwrap();
    inbox.tick(now + seconds(60)).unwrap();
    assert_eq!(inbox.waiting(), 0, "deleted before it was taken: forgotten");
}

#[test]
fn a_check_that_panics_is_an_incomplete_file() {
    let mut desk = Desk::new();
    desk.settings.inbox.stability = SignedDuration::ZERO;
    desk.put("a", "1");
    let observer = |_: &DaemonEvent| {};
    let file_check = |_: &Path| -> Completeness { panic!("as told") };
    let around = InboxContext {
        settings: &desk.settings.inbox,
        database: Some(&desk.folder.path().join("labels.sqlite")),
        store: &desk.store,
        clock: &desk.clock,
        file_check: &file_check,
        reporter: &Reporter::new(&observer),
        wake_worker: &|| {},
        is_stopping: &|| false,
    };
    let mut inbox = Inbox::new(around, vec![desk.folder.path().join("inbox")]);
    inbox.tick(start()).unwrap();
    assert_eq!((inbox.waiting(), desk.jobs()), (1, vec![JobState::Failed]));
}

#[test]
fn a_wall_clock_that_is_set_neither_delays_nor_hurries_a_file() {
    for hours in [-1, 1] {
        for trust in [false, true] {
            let desk = Desk::new();
            desk.clock.set_wall(SignedDuration::from_hours(hours));
            desk.put("a", "1");
            desk.with_inbox(trust, |inbox| {
                let now = desk.clock.steady();
                inbox.tick(now).unwrap();
                inbox.tick(now + seconds(4)).unwrap();
                assert!(desk.jobs().is_empty(), "{hours} h, trust {trust}");
                inbox.tick(now + seconds(5)).unwrap();
                assert_eq!(desk.jobs(), [JobState::Pending], "{hours} h, trust {trust}");
            });
        }
    }
}

#[test]
fn the_database_in_the_watch_folder_is_no_file_of_the_inbox() {
    let mut desk = Desk::new();
    desk.settings.inbox.stability = SignedDuration::ZERO;
    desk.answer(Completeness::Incomplete { reason: "an SQLite file".to_owned(), identity: None });
    let observer = |_: &DaemonEvent| {};
    let file_check = |_: &Path| desk.answer.lock().unwrap().clone();
    let around = InboxContext {
        settings: &desk.settings.inbox,
        database: Some(&desk.put("labels.sqlite", "x")),
        store: &desk.store,
        clock: &desk.clock,
        file_check: &file_check,
        reporter: &Reporter::new(&observer),
        wake_worker: &|| {},
        is_stopping: &|| false,
    };
    desk.put("labels.sqlite-wal", "x");
    let mut inbox = Inbox::new(around, vec![desk.folder.path().join("inbox")]);
    inbox.tick(start()).unwrap();
    assert_eq!(inbox.waiting(), 0);
}
