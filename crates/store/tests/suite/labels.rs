//! Loops, predictions, inventory: what the label store promises.

use super::common::{LEASE, at, claimed, digest, facts, file, identity, label, model, prediction, sample, sop, study};
use crate::lab::new_store;
use store::{
    FailedJobs, FileState, JobFailure, JobFilter, JobState, LabelStore, Queue, Recorded, Retry, Review, StoreError,
};

const NEW: Recorded = Recorded::NewLoop { reopened_study: false };

fn views(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[test]
fn the_same_instance_is_one_loop_and_each_model_speaks_once() {
    let Some((_folder, store)) = new_store() else { return };
    let loop_facts = facts("1.2", "1.2.3");
    assert_eq!(label(&store, &loop_facts, "c", &prediction("w1", Some("PLAX"), 0.9), 0), NEW);
    assert_eq!(label(&store, &loop_facts, "c", &prediction("w1", Some("A4C"), 0.8), 1), Recorded::Duplicate);
    assert_eq!(label(&store, &loop_facts, "c", &prediction("w2", Some("A4C"), 0.7), 2), Recorded::NewPrediction);
    assert_eq!(store.loops(&study("1.2")).unwrap().len(), 1);
    let said: Vec<_> = store.predictions(&study("1.2")).unwrap().into_iter().map(|said| said.prediction).collect();
    assert_eq!(said, [prediction("w1", Some("PLAX"), 0.9), prediction("w2", Some("A4C"), 0.7)]);
    let jobs = store.jobs(&JobFilter::default()).unwrap();
    assert!(jobs.iter().all(|job| job.state == JobState::Done));
    assert_eq!(jobs.iter().map(|job| job.duplicate).collect::<Vec<_>>(), [false, true, true]);
}

#[test]
fn other_bytes_under_the_same_uid_are_refused_and_told() {
    let Some((_folder, store)) = new_store() else { return };
    let first = facts("1.2", "1.2.3");
    label(&store, &first, "c1", &prediction("w1", Some("PLAX"), 0.9), 0);
    let mut second = first.clone();
    second.rows = Some(1);
    assert_eq!(label(&store, &second, "c2", &prediction("w1", Some("A4C"), 0.9), 1), Recorded::Conflict);
    let loops = store.loops(&study("1.2")).unwrap();
    assert_eq!((loops.len(), loops[0].content_sha256), (1, digest("c1")));
    assert_eq!(loops[0].facts, first);
    let inventory = store.inventory(&study("1.2")).unwrap();
    assert_eq!(inventory.not_labelled.len(), 1);
    assert_eq!(inventory.not_labelled[0].state, FileState::Conflict);
    assert_eq!(store.jobs(&JobFilter::default()).unwrap()[1].error_kind.as_deref(), Some("conflicting_content"));
}

#[test]
fn a_known_content_needs_no_second_look_by_the_same_model() {
    let Some((_folder, store)) = new_store() else { return };
    label(&store, &facts("1.2", "1.2.3"), "c", &prediction("w1", Some("PLAX"), 0.9), 0);
    let known = store.known_content(digest("c"), &model("w1")).unwrap().unwrap();
    assert_eq!(known.sop_instance_uid, sop("1.2.3"));
    assert_eq!(store.known_content(digest("c"), &model("w2")).unwrap(), None);
    assert_eq!(store.known_content(digest("d"), &model("w1")).unwrap(), None);
    let copy = claimed(&store, "copy", 1);
    store.record_duplicate(&copy, &known, at(1)).unwrap();
    let row = store.jobs(&JobFilter::default()).unwrap().pop().unwrap();
    assert!(row.duplicate && row.state == JobState::Done);
    assert_eq!(row.sop_instance_uid, Some(sop("1.2.3")));
}

#[test]
fn another_model_gets_the_loops_that_it_has_not_seen_and_both_predictions_stay() {
    let Some((_folder, store)) = new_store() else { return };
    for sop in ["1.2.3", "1.2.4"] {
        label(&store, &facts("1.2", sop), sop, &prediction("w1", Some("PLAX"), 0.9), 0);
    }
    label(&store, &facts("1.2", "1.2.4"), "1.2.4", &prediction("w2", Some("PLAX"), 0.9), 1);
    assert!(store.loops_without(&model("w1"), &study("1.2")).unwrap().is_empty());
    let left = store.loops_without(&model("w2"), &study("1.2")).unwrap();
    assert_eq!(left.iter().map(|left| left.sop_instance_uid.as_str()).collect::<Vec<_>>(), ["1.2.3"]);
    assert_eq!((left[0].content_sha256, left[0].path.starts_with("/inbox")), (digest("1.2.3"), true));

    let said = prediction("w2", Some("A4C"), 0.7);
    assert!(store.add_prediction(&sop("1.2.3"), &said, at(2)).unwrap());
    assert!(!store.add_prediction(&sop("1.2.3"), &said, at(3)).unwrap(), "one prediction a key");
    assert!(store.loops_without(&model("w2"), &study("1.2")).unwrap().is_empty());
    let inventory = store.inventory(&study("1.2")).unwrap();
    let a4c = inventory.views.iter().find(|view| view.view == "A4C").unwrap();
    let views: Vec<_> = a4c.loops[0].predictions.iter().map(|said| said.prediction.view.as_deref().unwrap()).collect();
    assert_eq!(views, ["PLAX", "A4C"], "the newest counts, the first one stays");
    assert!(matches!(store.add_prediction(&sop("7"), &said, at(4)), Err(StoreError::UnknownLoop(_))));
}

#[test]
fn a_skipped_loop_may_be_labelled_by_another_model() {
    let Some((_folder, store)) = new_store() else { return };
    let job = claimed(&store, "doppler", 0);
    store.record_skipped(&job, &facts("1.2", "1.2.8"), digest("d"), "spectral Doppler", at(0)).unwrap();
    assert_eq!(store.loops_without(&model("w2"), &study("1.2")).unwrap().len(), 1);
    store.add_prediction(&sop("1.2.8"), &prediction("w2", Some("CW"), 0.9), at(1)).unwrap();
    let inventory = store.inventory(&study("1.2")).unwrap();
    assert_eq!((inventory.views.len(), inventory.not_labelled.len()), (1, 0));
}

#[test]
fn an_inventory_names_the_best_loop_what_is_missing_and_why() {
    let Some((_folder, store)) = new_store() else { return };
    let add = |uid: &str, view: Option<&str>, confidence: f64, frames: u32, acquired: Option<&str>| {
        let mut loop_facts = facts("1.2", uid);
        loop_facts.frames = Some(frames);
        loop_facts.acquired = acquired.map(str::to_owned);
        label(&store, &loop_facts, uid, &prediction("w1", view, confidence), 0);
    };
    add("1.2.1", Some("PLAX"), 0.8, 90, Some("20260101120000"));
    add("1.2.2", Some("PLAX"), 0.9, 30, Some("20260101120300"));
    add("1.2.3", Some("PLAX"), 0.9, 60, None);
    add("1.2.4", Some("PLAX"), 0.9, 60, Some("20260101120200"));
    add("1.2.5", Some("A2C"), 0.7, 60, None);
    add("1.2.6", None, 0.3, 60, None);
    add("1.2.7", Some("A2C"), 0.6, 60, None);
    let doppler = claimed(&store, "doppler", 0);
    store.record_skipped(&doppler, &facts("1.2", "1.2.8"), digest("d"), "spectral Doppler", at(0)).unwrap();
    let broken = claimed(&store, "broken", 0);
    let identity = identity("1.2", "1.2.9");
    let failure = JobFailure { kind: "decode".into(), message: "frame 3".into(), identity: Some(identity) };
    store.fail(&broken, &failure, Retry::Never, at(1)).unwrap();
    let review = |uid: &str, view: Option<&str>| Review::new(sop(uid), view.map(str::to_owned), "kim", at(5));
    store.add_review(&review("1.2.7", Some("SC4C"))).unwrap();
    store.add_review(&review("1.2.7", Some("A4C"))).unwrap();

    store.keep_label_set(&model("w1"), &views(&["A4C", "PLAX", "PSAX"]), at(0)).unwrap();
    let inventory = store.inventory(&study("1.2")).unwrap();
    let found: Vec<_> = inventory.views.iter().map(|view| (view.view.as_str(), view.best.as_str())).collect();
    assert_eq!(found, [("A4C", "1.2.7"), ("PLAX", "1.2.4"), ("A2C", "1.2.5")]);
    let plax: Vec<_> = inventory.views[1].loops.iter().map(|entry| entry.sop_instance_uid.as_str()).collect();
    assert_eq!(plax, ["1.2.4", "1.2.3", "1.2.2", "1.2.1"]);
    assert!(inventory.views[0].loops[0].reviewed);
    assert_eq!(inventory.views[0].loops[0].confidence, 0.1, "the model's probability of the reviewed view");
    assert_eq!(inventory.missing, ["PSAX"]);
    let why: Vec<_> = inventory
        .not_labelled
        .iter()
        .map(|entry| (entry.sop_instance_uid.as_ref().unwrap().as_str(), entry.state, entry.reason.as_deref().unwrap()))
        .collect();
    assert_eq!(
        why,
        [
            ("1.2.6", FileState::Unsure, "low confidence"),
            ("1.2.8", FileState::WithoutView, "spectral Doppler"),
            ("1.2.9", FileState::Failed, "frame 3"),
        ]
    );
    assert_eq!(inventory.models.len(), 1);
    assert_eq!(inventory.models[0].model, model("w1"));
    assert_eq!(inventory.models[0].weights_note.as_deref(), Some("untrained weights"));

    store.add_review(&review("1.2.7", None)).unwrap();
    let inventory = store.inventory(&study("1.2")).unwrap();
    assert_eq!(inventory.missing, ["A4C", "PSAX"]);
    assert_eq!(store.reviews(&study("1.2")).unwrap().len(), 3);
    assert!(matches!(store.add_review(&review("9.9", None)), Err(StoreError::UnknownLoop(_))));
    assert!(matches!(store.inventory(&study("9.9")), Err(StoreError::UnknownStudy(_))));
}

#[test]
fn a_retry_that_works_leaves_no_failure_in_the_inventory() {
    let Some((_folder, store)) = new_store() else { return };
    let identity = identity("1.2", "1.2.3");
    let job = claimed(&store, "a", 0);
    let failure = JobFailure { kind: "read".into(), message: "away".into(), identity: Some(identity) };
    store.fail(&job, &failure, Retry::Never, at(1)).unwrap();
    assert_eq!(store.inventory(&study("1.2")).unwrap().not_labelled.len(), 1);
    store.retry_failed(&FailedJobs::All).unwrap();
    assert_eq!(store.inventory(&study("1.2")).unwrap().unfinished_jobs, 1);
    let job = store.claim("w", LEASE, at(3)).unwrap().unwrap();
    store
        .record_labelled(&job, &facts("1.2", "1.2.3"), digest("c"), &prediction("w1", Some("PLAX"), 0.9), at(3))
        .unwrap();
    let inventory = store.inventory(&study("1.2")).unwrap();
    assert_eq!((inventory.not_labelled.len(), inventory.views.len(), inventory.unfinished_jobs), (0, 1, 0));
}

#[test]
fn a_study_with_only_queued_files_has_an_empty_inventory() {
    let Some((_folder, store)) = new_store() else { return };
    let identity = identity("1.2", "1.2.3");
    store.enqueue(&file("a", 1), sample(), Some(&identity), at(0)).unwrap();
    store.keep_label_set(&model("w1"), &views(&["PLAX"]), at(0)).unwrap();
    let inventory = store.inventory(&study("1.2")).unwrap();
    assert_eq!((inventory.unfinished_jobs, inventory.missing.len()), (1, 0));
    assert!(inventory.missing_withheld.is_some());
}
