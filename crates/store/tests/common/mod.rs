#![allow(dead_code, reason = "each test file uses its own part")]

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use store::{FileIdentity, Job, LabelStore, LoopFacts, ModelKey, Prediction, Queue, Recorded, SqliteStore};
use tempfile::TempDir;

pub const LEASE: SignedDuration = SignedDuration::from_secs(60);

pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

pub fn new_store() -> (TempDir, SqliteStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("labels.sqlite")).unwrap();
    (folder, store)
}

pub fn file(name: &str, size_bytes: u64) -> FileIdentity {
    FileIdentity { path: format!("/inbox/{name}").into(), size_bytes, modified_unix_ns: 7 }
}

pub fn model(weights: &str) -> ModelKey {
    ModelKey { pipeline: "tte11".to_owned(), weights_sha256: weights.to_owned() }
}

pub fn facts(study: &str, sop: &str) -> LoopFacts {
    LoopFacts {
        study_instance_uid: study.to_owned(),
        series_instance_uid: format!("{study}.1"),
        sop_instance_uid: sop.to_owned(),
        transfer_syntax: Some("1.2.840.10008.1.2.4.50".to_owned()),
        manufacturer: Some("phantom".to_owned()),
        mode: "2d".to_owned(),
        rows: Some(600),
        columns: Some(800),
        frames: Some(60),
        frame_time_ms: Some(33.3),
        acquired: Some("20260101120000".to_owned()),
    }
}

pub fn prediction(weights: &str, view: Option<&str>, confidence: f64) -> Prediction {
    let mut probabilities: BTreeMap<String, f64> = BTreeMap::from([("PLAX".into(), 0.2), ("A4C".into(), 0.1)]);
    probabilities.extend(view.map(|view| (view.to_owned(), confidence)));
    Prediction {
        model: model(weights),
        weights_note: Some("untrained weights".to_owned()),
        view: view.map(str::to_owned),
        confidence,
        abstained: view.is_none(),
        reason: view.is_none().then(|| "low confidence".to_owned()),
        probabilities,
        clips: 2,
        frames_used: 12,
        ecg_source: "waveform".to_owned(),
        timings_ms: BTreeMap::from([("total".into(), 12.5)]),
    }
}

/// Queues a file and claims it; nothing else may be claimable.
pub fn claimed(store: &SqliteStore, name: &str, second: i64) -> Job {
    store.enqueue(&file(name, 10), None, at(second)).unwrap();
    store.claim("w", LEASE, at(second)).unwrap().unwrap()
}

/// Takes a loop all the way.
pub fn label(store: &SqliteStore, facts: &LoopFacts, content: &str, said: &Prediction, second: i64) -> Recorded {
    let job = claimed(store, &format!("{}-{content}-{second}", facts.sop_instance_uid), second);
    store.record_labelled(&job, facts, content, said, at(second)).unwrap()
}
