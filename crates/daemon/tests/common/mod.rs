#![allow(dead_code, reason = "each test file uses its own part")]

//! A lab with an inbox of small text files that stand for loops:
//! `LOOP <study> <sop> <what> END`, where `<what>` says what the fake labeller does with it.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use daemon::{
    Clock, Completeness, Daemon, DaemonError, DaemonEvent, LabelFailure, Labeller, Labelling, Overrides, ReceivedFiles,
    Settings, Shutdown, Summary, SystemClock,
};
use domain::{EcgSource, Mode, ModelKey, Precision, Prediction, Sha256, StageTimings, StudyUid};
use jiff::SignedDuration;
use store::{Backend, DicomIdentity, FileIdentity, JobFilter, LabelStore, LoopFacts, Queue, Store};
use tempfile::TempDir;

pub struct Lab {
    pub folder: TempDir,
    pub settings: Settings,
    pub labeller: FakeLabeller,
    pub events: Mutex<Vec<DaemonEvent>>,
    pub checks: Mutex<Vec<PathBuf>>,
}

impl Lab {
    /// A lab whose files are stable at once and whose failures are retried after a minute.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let inbox = folder.path().join("inbox");
        fs::create_dir(&inbox).unwrap();
        let overrides = Overrides {
            folders: vec![inbox],
            database: Some(folder.path().join("labels.sqlite")),
            ..Overrides::default()
        };
        let mut settings = Settings::load(None, overrides).unwrap();
        settings.inbox.stability = SignedDuration::ZERO;
        settings.retry.max_attempts = 3;
        settings.retry.backoff.first = SignedDuration::from_mins(1);
        Self { folder, settings, labeller: FakeLabeller::default(), events: Mutex::default(), checks: Mutex::default() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("inbox").join(name)
    }

    pub fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    pub fn put_loop(&self, name: &str, sop: &str, what: &str) -> PathBuf {
        self.put(name, &loop_text(sop, what))
    }

    pub fn store(&self) -> Store {
        Store::open(&self.settings.database).unwrap()
    }

    pub fn once(&self) -> Summary {
        self.once_at(&SystemClock::new())
    }

    pub fn once_at(&self, clock: &dyn Clock) -> Summary {
        self.with(&self.store(), clock, |daemon| daemon.run_once(false, &Shutdown::new())).unwrap()
    }

    pub fn with<T>(&self, store: &dyn Backend, clock: &dyn Clock, work: impl FnOnce(&Daemon<'_>) -> T) -> T {
        let observer = |event: &DaemonEvent| self.events.lock().unwrap().push(event.clone());
        let file_check = |path: &Path| {
            self.checks.lock().unwrap().push(path.to_owned());
            check(path)
        };
        let received = ReceivedFiles::default();
        work(&Daemon {
            settings: &self.settings,
            store,
            labeller: &self.labeller,
            file_check: &file_check,
            observer: &observer,
            clock,
            received: &received,
        })
    }

    /// Lets the daemon run while `work` does things, then shuts it down.
    pub fn while_running(&self, clock: &dyn Clock, work: impl FnOnce(&Store)) -> Result<Summary, DaemonError> {
        let store = self.store();
        let shutdown = Shutdown::new();
        std::thread::scope(|scope| {
            let stop_at_end = StopAtEnd(shutdown.clone());
            let daemon = scope.spawn(|| self.with(&store, clock, |daemon| daemon.run(&shutdown)));
            wait_until("the daemon has started", || !self.events.lock().unwrap().is_empty() || daemon.is_finished());
            work(&store);
            drop(stop_at_end);
            daemon.join().unwrap()
        })
    }

    /// Every loop of every study with its predictions, by SOP Instance UID.
    pub fn predictions(&self) -> BTreeMap<String, usize> {
        let store = self.store();
        let mut counts = BTreeMap::new();
        for study in store.studies().unwrap() {
            for stored in store.loops(&study.study_instance_uid).unwrap() {
                counts.entry(stored.facts.sop_instance_uid.to_string()).or_insert(0);
            }
            for said in store.predictions(&study.study_instance_uid).unwrap() {
                *counts.entry(said.sop_instance_uid.to_string()).or_insert(0) += 1;
            }
        }
        counts
    }

    pub fn count_events(&self, wanted: impl Fn(&DaemonEvent) -> bool) -> usize {
        self.events.lock().unwrap().iter().filter(|event| wanted(event)).count()
    }

    /// State and error kind of every job, in order.
    /// The identity of a file of the inbox, as the daemon sees it.
    pub fn file_identity(&self, name: &str) -> FileIdentity {
        let path = self.folder.path().join("inbox").join(name);
        let metadata = fs::metadata(&path).unwrap();
        FileIdentity {
            path,
            size_bytes: metadata.len(),
            modified_unix_ns: metadata.mtime() * 1_000_000_000 + metadata.mtime_nsec(),
            inode: metadata.ino(),
            changed_unix_ns: metadata.ctime() * 1_000_000_000 + metadata.ctime_nsec(),
        }
    }

    pub fn jobs(&self) -> Vec<(String, Option<String>)> {
        let jobs = self.store().jobs(&JobFilter::default()).unwrap();
        jobs.into_iter().map(|job| (job.state.to_string(), job.error_kind)).collect()
    }
}

/// Also when a test fails: the daemon's thread would keep the test from ending.
struct StopAtEnd(Shutdown);

impl Drop for StopAtEnd {
    fn drop(&mut self) {
        self.0.request();
    }
}

pub fn loop_text(sop: &str, what: &str) -> String {
    format!("LOOP 1.2 {sop} {what} END")
}

/// Waits for something another thread does; far longer than it can take.
pub fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(120), "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn words(path: &Path) -> Vec<String> {
    fs::read_to_string(path).unwrap_or_default().split_whitespace().map(str::to_owned).collect()
}

pub fn study(uid: &str) -> StudyUid {
    uid.parse().unwrap()
}

fn identity(study: &str, sop: &str) -> DicomIdentity {
    DicomIdentity { study_instance_uid: study.parse().unwrap(), sop_instance_uid: sop.parse().unwrap() }
}

pub fn check(path: &Path) -> Completeness {
    let words = words(path);
    match (words.first().map(String::as_str), words.last().map(String::as_str)) {
        (Some("LOOP"), Some("END")) => Completeness::Complete { identity: Some(identity(&words[1], &words[2])) },
        (Some("LOOP"), _) => {
            Completeness::Incomplete { reason: format!("{}: the end is missing", path.display()), identity: None }
        }
        _ => Completeness::NotDicom { reason: "no loop".to_owned() },
    }
}

#[derive(Default)]
pub struct FakeLabeller {
    /// Number of labels of each SOP Instance UID.
    pub calls: Mutex<HashMap<String, u32>>,
    /// Loops that say `wait` wait while this is locked.
    pub gate: Mutex<()>,
    /// Makes it another model.
    pub weights: u8,
    /// Number of labels in a process of its own.
    pub isolated: AtomicUsize,
}

impl Labeller for FakeLabeller {
    fn model(&self) -> ModelKey {
        ModelKey {
            pipeline: "fake".to_owned(),
            pipeline_sha256: Some(Sha256::from([0; 32])),
            weights_sha256: Sha256::from([self.weights; 32]),
            precision: Some(Precision::F32),
        }
    }

    fn views(&self) -> Vec<String> {
        vec!["PLAX".to_owned(), "A4C".to_owned()]
    }

    fn label_isolated(&self, path: &Path) -> Result<Labelling, LabelFailure> {
        self.isolated.fetch_add(1, Ordering::SeqCst);
        self.label(path)
    }

    fn label(&self, path: &Path) -> Result<Labelling, LabelFailure> {
        let words = words(path);
        let (study, sop, what) = (&words[1], &words[2], words[3].as_str());
        let calls = {
            let mut calls = self.calls.lock().unwrap();
            let calls = calls.entry(sop.clone()).or_insert(0);
            *calls += 1;
            *calls
        };
        let failure = |temporary| LabelFailure {
            kind: "fake".to_owned(),
            message: format!("cannot read {}: as told", path.display()),
            temporary,
            identity: Some(identity(study, sop)),
        };
        let facts = facts(study, sop);
        match what {
            "doppler" => return Ok(Labelling::Skipped { facts: Some(facts.into()), reason: "Doppler".to_owned() }),
            "report" => return Ok(Labelling::Skipped { facts: None, reason: "not an image".to_owned() }),
            "broken" => return Err(failure(false)),
            "second-try" if calls < 2 => return Err(failure(true)),
            "never" => return Err(failure(true)),
            "panic" => panic!("as told"),
            "overwritten" => fs::write(path, loop_text(sop, "PLAX-after-all")).unwrap(),
            "wait" => drop(self.gate.lock()),
            _ => {}
        }
        let prediction = Prediction {
            model: self.model(),
            weights_note: None,
            weights_status: None,
            view: Some(what.to_owned()),
            confidence: 0.5,
            abstained: false,
            reason: None,
            probabilities: BTreeMap::new(),
            prediction_set: Vec::new(),
            energy: None,
            clips: 1,
            frames_used: 6,
            frame_indexes: (0..6).collect(),
            ecg_source: EcgSource::None,
            timings: StageTimings::default(),
            findings: Vec::new(),
        };
        Ok(Labelling::Labelled { facts: Box::new(facts), prediction: Box::new(prediction) })
    }
}

pub fn facts(study: &str, sop: &str) -> LoopFacts {
    LoopFacts {
        study_instance_uid: study.parse().unwrap(),
        series_instance_uid: format!("{study}.1").parse().unwrap(),
        sop_instance_uid: sop.parse().unwrap(),
        transfer_syntax: None,
        manufacturer: None,
        scanner_model: None,
        mode: Mode::TwoD,
        rows: None,
        columns: None,
        frames: Some(30),
        frame_time_ms: None,
        acquired: None,
        pixel_sha256: None,
        not_tte: None,
    }
}
