//! Nothing is lost and nothing is there twice, whatever the order of events.

use std::collections::HashSet;

use super::common::{LEASE, at, digest, facts, file, prediction, sample, study};
use crate::lab::new_store;
use domain::JobId;
use proptest::prelude::*;
use store::{Job, JobFailure, JobFilter, JobState, LabelStore, Queue, Retry, Store};

/// One step of a history in which the program may die at any moment.
#[derive(Debug, Clone)]
enum Step {
    Enqueue(u8),
    Claim,
    Record,
    FailForNow,
    Die,
    LeaseRunsOut,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..12_u8).prop_map(Step::Enqueue),
        4 => Just(Step::Claim),
        3 => Just(Step::Record),
        1 => Just(Step::FailForNow),
        1 => Just(Step::Die),
        1 => Just(Step::LeaseRunsOut),
    ]
}

/// Files 0 and 6, 1 and 7, ... are copies of the same loop.
fn record(store: &Store, job: &Job, now: i64) {
    let name = job.file.path.file_name().unwrap().to_str().unwrap();
    let sop = format!("1.2.{}", name.parse::<u8>().unwrap() % 6);
    let said = prediction("w1", Some("PLAX"), 0.9);
    // The lease may have been lost: then nothing must be written, which the end of the history shows.
    let _ = store.record_labelled(job, &facts("1.2", &sop), digest(&sop), &said, at(now));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_queued_file_ends_done_and_every_loop_has_one_prediction(steps in prop::collection::vec(step(), 1..40)) {
        let Some((lab, mut store)) = new_store() else { return Ok(()) };
        let mut held: Vec<Job> = Vec::new();
        let mut queued: HashSet<String> = HashSet::new();
        let mut now = 0;
        for step in steps {
            now += 1;
            match step {
                Step::Enqueue(number) => {
                    store.enqueue(&file(&number.to_string(), 1), sample(), None, at(now)).unwrap();
                    queued.insert(format!("1.2.{}", number % 6));
                }
                Step::Claim => held.extend(store.claim("w", LEASE, at(now)).unwrap()),
                Step::Record => if let Some(job) = held.pop() { record(&store, &job, now) },
                Step::FailForNow => if let Some(job) = held.pop() {
                    let failure = JobFailure { kind: "read".into(), message: "away".into(), identity: None };
                    let _ = store.fail(&job, &failure, Retry::At(at(now + 1)), at(now));
                },
                Step::Die => {
                    held.clear();
                    store = lab.open();
                    store.recover(true, at(now)).unwrap();
                }
                // The old holders live on and may still try to write.
                Step::LeaseRunsOut => {
                    now += 100;
                    store.recover(false, at(now)).unwrap();
                }
            }
        }
        // Where other computers may work, what this one held comes back when its lease has run out.
        store.recover(true, at(now + 100)).unwrap();
        while let Some(job) = store.claim("w", LEASE, at(now + 1000)).unwrap() {
            record(&store, &job, now + 1000);
        }
        for job in store.jobs(&JobFilter::default()).unwrap() {
            prop_assert_eq!(job.state, JobState::Done);
        }
        prop_assert_eq!(store.loops(&study("1.2")).unwrap().len(), queued.len());
        prop_assert_eq!(store.predictions(&study("1.2")).unwrap().len(), queued.len());
    }
}

#[test]
fn two_processes_may_use_one_database() {
    let Some((lab, daemon)) = new_store() else { return };
    let reader = lab.open();
    super::common::label(&daemon, &facts("1.2", "1.2.3"), "c", &prediction("w1", Some("PLAX"), 0.9), 0);
    assert_eq!(reader.studies().unwrap().len(), 1);
}

#[test]
fn eight_threads_claim_each_job_once() {
    let Some((_folder, store)) = new_store() else { return };
    for number in 0..64 {
        store.enqueue(&file(&number.to_string(), 1), sample(), None, at(0)).unwrap();
    }
    let mut claimed: Vec<JobId> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|worker| {
                let store = &store;
                scope.spawn(move || {
                    let name = worker.to_string();
                    std::iter::from_fn(|| store.claim(&name, LEASE, at(1)).unwrap()).map(|job| job.job_id).collect()
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| -> Vec<JobId> { thread.join().unwrap() }).collect()
    });
    claimed.sort_unstable();
    claimed.dedup();
    assert_eq!(claimed.len(), 64);
}
