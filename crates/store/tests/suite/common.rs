//! Values and steps that the tests of the suite share.

use std::collections::BTreeMap;

use domain::{
    EcgSource, Finding, FindingCode, Mode, ModelKey, Precision, Prediction, Sha256, SopUid, StageTimings, StudyUid,
    WeightStatus,
};
use jiff::{SignedDuration, Timestamp};
use store::{DicomIdentity, FileIdentity, Job, LabelStore, LoopFacts, Queue, Recorded, Store};

pub const LEASE: SignedDuration = SignedDuration::from_secs(60);

pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

pub fn file(name: &str, size_bytes: u64) -> FileIdentity {
    let path = format!("/inbox/{name}").into();
    FileIdentity { path, size_bytes, modified_unix_ns: 7, inode: 1, changed_unix_ns: 7 }
}

/// The sample of every file: the tests tell versions by size.
pub fn sample() -> Sha256 {
    digest("sample")
}

pub fn study(uid: &str) -> StudyUid {
    uid.parse().unwrap()
}

pub fn sop(uid: &str) -> SopUid {
    uid.parse().unwrap()
}

pub fn identity(study: &str, sop: &str) -> DicomIdentity {
    DicomIdentity { study_instance_uid: study.parse().unwrap(), sop_instance_uid: sop.parse().unwrap() }
}

/// A digest that stands for a name of up to 32 bytes.
pub fn digest(name: &str) -> Sha256 {
    let mut bytes = [0; 32];
    bytes[..name.len()].copy_from_slice(name.as_bytes());
    bytes.into()
}

pub fn model(weights: &str) -> ModelKey {
    ModelKey {
        pipeline: "tte11".to_owned(),
        pipeline_sha256: Some(digest("pipeline")),
        weights_sha256: digest(weights),
        precision: Some(Precision::F32),
    }
}

pub fn facts(study: &str, sop: &str) -> LoopFacts {
    LoopFacts {
        study_instance_uid: study.parse().unwrap(),
        series_instance_uid: format!("{study}.1").parse().unwrap(),
        sop_instance_uid: sop.parse().unwrap(),
        transfer_syntax: Some("1.2.840.10008.1.2.4.50".to_owned()),
        manufacturer: Some("phantom".to_owned()),
        scanner_model: None,
        mode: Mode::TwoD,
        rows: Some(600),
        columns: Some(800),
        frames: Some(60),
        frame_time_ms: Some(33.3),
        acquired: Some("20260101120000".to_owned()),
        pixel_sha256: None,
        not_tte: None,
    }
}

pub fn prediction(weights: &str, view: Option<&str>, confidence: f64) -> Prediction {
    let mut probabilities: BTreeMap<String, f64> = BTreeMap::from([("PLAX".into(), 0.2), ("A4C".into(), 0.1)]);
    probabilities.extend(view.map(|view| (view.to_owned(), confidence)));
    Prediction {
        model: model(weights),
        weights_note: Some("untrained weights".to_owned()),
        weights_status: Some(WeightStatus::Untrained),
        view: view.map(str::to_owned),
        confidence,
        abstained: view.is_none(),
        reason: view.is_none().then(|| "low confidence".to_owned()),
        probabilities,
        prediction_set: view.map(str::to_owned).into_iter().chain(["PSAX".to_owned()]).collect(),
        energy: Some(-4.5),
        clips: 2,
        frames_used: 12,
        frame_indexes: (0..12).collect(),
        ecg_source: EcgSource::Waveform,
        timings: StageTimings { total: 12.5, ..StageTimings::default() },
        findings: vec![Finding::new(FindingCode::TimingGuessed, "no frame time")],
    }
}

/// Queues a file and claims it; nothing else may be claimable.
pub fn claimed(store: &Store, name: &str, second: i64) -> Job {
    store.enqueue(&file(name, 10), sample(), None, at(second)).unwrap();
    store.claim("w", LEASE, at(second)).unwrap().unwrap()
}

/// Takes a loop all the way.
pub fn label(store: &Store, facts: &LoopFacts, content: &str, said: &Prediction, second: i64) -> Recorded {
    let job = claimed(store, &format!("{}-{content}-{second}", facts.sop_instance_uid), second);
    store.record_labelled(&job, facts, digest(content), said, at(second)).unwrap()
}
