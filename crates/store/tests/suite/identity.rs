//! A loop is its pixels: edited headers, moved studies, files sent again, conflicts.

use super::common::{LEASE, at, claimed, digest, facts, file, identity, prediction, sample, sop, study};
use crate::lab::{Lab, new_store};
use store::{
    ConflictChoice, FileState, Inventory, Job, JobFailure, JobFilter, LabelStore, LoopFacts, Queue, Recorded, Retry,
    Store,
};

const LOOP: &str = "5.1";

/// The loop with a header that belongs to a study; its pixels are told by a name.
fn header(study: &str, pixels: &str) -> LoopFacts {
    LoopFacts { pixel_sha256: Some(digest(pixels)), ..facts(study, LOOP) }
}

/// Labels a file of the loop whose bytes are those of no other file.
fn take(store: &Store, name: &str, study: &str, pixels: &str, view: &str) -> Recorded {
    store.enqueue(&file(name, 10), sample(), Some(&identity(study, LOOP)), at(0)).unwrap();
    let job = store.claim("w", LEASE, at(0)).unwrap().unwrap();
    record(store, &job, study, pixels, view)
}

fn record(store: &Store, job: &Job, study: &str, pixels: &str, view: &str) -> Recorded {
    let content = digest(job.file.path.file_name().unwrap().to_str().unwrap());
    store.record_labelled(job, &header(study, pixels), content, &prediction("w1", Some(view), 0.9), at(1)).unwrap()
}

fn states(store: &Store, uid: &str) -> Vec<(FileState, u64)> {
    let inventory = store.inventory(&study(uid)).unwrap();
    assert_eq!(inventory.states.total(), inventory.files);
    inventory.states.iter().filter(|(_, files)| *files > 0).collect()
}

fn views(inventory: &Inventory) -> Vec<&str> {
    inventory.views.iter().map(|view| view.view.as_str()).collect()
}

fn audit(lab: &Lab) -> Vec<String> {
    lab.rows("SELECT event FROM audit ORDER BY audit_id").into_iter().flatten().flatten().collect()
}

#[test]
fn an_edited_header_is_the_same_loop_and_its_facts_count() {
    let Some((lab, store)) = new_store() else { return };
    take(&store, "a", "1", "p", "PLAX");
    assert_eq!(take(&store, "b", "1", "p", "PLAX"), Recorded::Duplicate);
    assert_eq!(states(&store, "1"), [(FileState::Labelled, 1), (FileState::Duplicate, 1)]);
    assert_eq!(store.loops(&study("1")).unwrap()[0].content_sha256, digest("b"));
    assert_eq!(audit(&lab), ["header_changed"]);
}

#[test]
fn a_later_header_moves_a_loop_to_its_study_whichever_job_ends_first() {
    for last_ends_first in [false, true] {
        let Some((_lab, store)) = new_store() else { return };
        store.enqueue(&file("a", 10), sample(), Some(&identity("1", LOOP)), at(0)).unwrap();
        store.enqueue(&file("c", 10), sample(), Some(&identity("2", LOOP)), at(0)).unwrap();
        let jobs: Vec<Job> = (0..2).map(|_| store.claim("w", LEASE, at(0)).unwrap().unwrap()).collect();
        let order = if last_ends_first { [(1, "2"), (0, "1")] } else { [(0, "1"), (1, "2")] };
        for (number, uid) in order {
            record(&store, &jobs[number], uid, "p", "PLAX");
        }
        assert_eq!(states(&store, "1"), [(FileState::Duplicate, 1)], "{last_ends_first}");
        assert_eq!(states(&store, "2"), [(FileState::Labelled, 1)]);
        assert_eq!(views(&store.inventory(&study("2")).unwrap()), ["PLAX"]);
        assert_eq!(store.loops(&study("1")).unwrap(), []);
    }
    let Some((lab, store)) = new_store() else { return };
    take(&store, "a", "1", "p", "PLAX");
    assert_eq!(take(&store, "c", "2", "p", "PLAX"), Recorded::Moved);
    assert_eq!(take(&store, "d", "1", "p", "PLAX"), Recorded::Moved, "and back");
    assert_eq!(audit(&lab), ["loop_moved", "loop_moved"]);
}

#[test]
fn a_new_version_of_a_file_with_the_same_loop_takes_its_place() {
    let Some((_folder, store)) = new_store() else { return };
    take(&store, "a", "1", "p", "PLAX");
    store.enqueue(&file("a", 11), digest("edited"), Some(&identity("1", LOOP)), at(1)).unwrap();
    let job = store.claim("w", LEASE, at(1)).unwrap().unwrap();
    let said = prediction("w1", Some("PLAX"), 0.9);
    store.record_labelled(&job, &header("1", "p"), digest("edited"), &said, at(1)).unwrap();
    assert_eq!(states(&store, "1"), [(FileState::Labelled, 1)]);
    assert_eq!(store.loop_file(&sop(LOOP)).unwrap().unwrap().0, job.job_id);
}

#[test]
fn a_file_that_is_gone_leaves_its_loop_to_the_next_copy() {
    let Some((_folder, store)) = new_store() else { return };
    take(&store, "a", "1", "p", "PLAX");
    let (first, _) = store.loop_file(&sop(LOOP)).unwrap().unwrap();
    store.forget_file(first, at(1)).unwrap();
    take(&store, "moved", "1", "p", "PLAX");
    assert_eq!(states(&store, "1"), [(FileState::Labelled, 1)]);
    assert!(store.paths(&study("1")).unwrap()[&sop(LOOP)][0].ends_with("moved"));
}

#[test]
fn a_good_file_takes_an_older_damaged_one_off_the_failures_and_a_later_damaged_one_is_a_failure() {
    let Some((_folder, store)) = new_store() else { return };
    let fail = |name: &str| {
        store.enqueue(&file(name, 10), sample(), Some(&identity("1", LOOP)), at(0)).unwrap();
        let job = store.claim("w", LEASE, at(0)).unwrap().unwrap();
        let failure = JobFailure { kind: "decode".into(), message: "frame 3".into(), identity: None };
        store.fail(&job, &failure, Retry::Never, at(0)).unwrap();
    };
    fail("damaged");
    assert_eq!(states(&store, "1"), [(FileState::Failed, 1)]);
    take(&store, "good", "1", "p", "PLAX");
    assert_eq!(states(&store, "1"), [(FileState::Labelled, 1), (FileState::Duplicate, 1)]);
    let filter = JobFilter { kind: Some(JobFailure::REPLACED.to_owned()), ..JobFilter::default() };
    assert!(store.jobs(&filter).unwrap()[0].error_message.as_ref().unwrap().ends_with("before: frame 3"));
    fail("damaged again");
    assert_eq!(states(&store, "1"), [(FileState::Labelled, 1), (FileState::Failed, 1), (FileState::Duplicate, 1)]);
}

#[test]
fn other_pixels_are_a_conflict_until_a_person_decides() {
    for choice in [ConflictChoice::KeepFirst, ConflictChoice::UseThis] {
        let Some((_folder, store)) = new_store() else { return };
        take(&store, "a", "1", "p", "PLAX");
        assert_eq!(take(&store, "x", "2", "q", "A4C"), Recorded::Conflict);
        assert_eq!(states(&store, "2"), [(FileState::Conflict, 1)], "in the study that its header names");
        let jobs = store.jobs(&JobFilter::default()).unwrap();
        assert!(!store.resolve_conflict(jobs[0].job_id, choice, at(2)).unwrap(), "no conflict");
        assert!(store.resolve_conflict(jobs[1].job_id, choice, at(2)).unwrap());
        if choice == ConflictChoice::KeepFirst {
            assert_eq!(states(&store, "2"), [(FileState::Duplicate, 1)]);
            assert_eq!(views(&store.inventory(&study("1")).unwrap()), ["PLAX"]);
            continue;
        }
        assert_eq!(states(&store, "2"), [(FileState::Waiting, 1)]);
        let job = store.claim("w", LEASE, at(2)).unwrap().unwrap();
        record(&store, &job, "2", "q", "A4C");
        assert_eq!(
            (states(&store, "1"), states(&store, "2")),
            (vec![(FileState::Duplicate, 1)], vec![(FileState::Labelled, 1)])
        );
        let inventory = store.inventory(&study("2")).unwrap();
        assert_eq!(views(&inventory), ["A4C"], "the prediction of the same model about the other pixels stays beside");
        assert_eq!(inventory.views[0].loops[0].predictions.len(), 1);
        assert_eq!(store.jobs(&JobFilter::default()).unwrap().len(), 2);
    }
}

#[test]
fn objects_without_an_image_are_counted_once_and_copies_are_duplicates() {
    let Some((_folder, store)) = new_store() else { return };
    for name in ["report", "copy of it"] {
        store.enqueue(&file(name, 10), sample(), Some(&identity("1", "9.9")), at(0)).unwrap();
        let job = store.claim("w", LEASE, at(0)).unwrap().unwrap();
        store.skip(&job, "no_image", "the object holds no image", at(0)).unwrap();
    }
    assert_eq!(states(&store, "1"), [(FileState::NoImage, 1), (FileState::Duplicate, 1)]);
    let unread = claimed(&store, "without a study", 1);
    store.skip(&unread, "no_image", "the object holds no image", at(1)).unwrap();
    assert_eq!(store.files_without_study().unwrap().len(), 1);
}
