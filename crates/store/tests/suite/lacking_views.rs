//! The list of incomplete studies has exactly those whose summary names a missing view, whatever happened to them.

use super::common::{LEASE, at, digest, facts, file, identity, label, model, prediction, sample, sop};
use crate::lab::new_store;
use domain::ModelKey;
use jiff::SignedDuration;
use proptest::prelude::*;
use store::{FailedJobs, JobFailure, LabelStore, PageStore, Queue, Retry, Review, Store, StudyFilter, StudyProgress};

/// One event of a study. A loop keeps its number when it moves to another study.
#[derive(Debug, Clone)]
enum Event {
    Label { study: u8, number: u8, view: Option<&'static str>, is_tte: bool },
    Skip { study: u8, number: u8 },
    Arrive { study: u8, number: u8 },
    Fail { study: u8 },
    RetryAll,
    LabelAgain { number: u8, view: Option<&'static str> },
    Prefer { ours: bool },
    Review { number: u8, view: Option<&'static str> },
    TakeBack,
    Close,
}

fn event() -> impl Strategy<Value = Event> {
    let view = || prop_oneof![Just(Some("PLAX")), Just(Some("A4C")), Just(Some("PSAX")), Just(None)];
    let (study, number) = (0..3_u8, 0..8_u8);
    prop_oneof![
        8 => (study.clone(), number.clone(), view(), prop::bool::weighted(0.8))
            .prop_map(|(study, number, view, is_tte)| Event::Label { study, number, view, is_tte }),
        1 => (study.clone(), number.clone()).prop_map(|(study, number)| Event::Skip { study, number }),
        1 => (study.clone(), number.clone()).prop_map(|(study, number)| Event::Arrive { study, number }),
        1 => study.prop_map(|study| Event::Fail { study }),
        1 => Just(Event::RetryAll),
        2 => (number.clone(), view()).prop_map(|(number, view)| Event::LabelAgain { number, view }),
        1 => any::<bool>().prop_map(|ours| Event::Prefer { ours }),
        2 => (number, view()).prop_map(|(number, view)| Event::Review { number, view }),
        1 => Just(Event::TakeBack),
        1 => Just(Event::Close),
    ]
}

/// The model of a lab, with more views than the other one has.
fn ours() -> ModelKey {
    ModelKey { pipeline: "ours".to_owned(), pipeline_sha256: Some(digest("ours")), ..model("w2") }
}

fn names(views: &[&str]) -> Vec<String> {
    views.iter().map(|view| (*view).to_owned()).collect()
}

/// Ends what waits, so that the next file can be claimed alone.
fn end_waiting(store: &Store, now: i64) {
    while let Some(job) = store.claim("w", LEASE, at(now)).unwrap() {
        store.skip(&job, "no_image", "a report", at(now)).unwrap();
    }
}

fn happen(store: &Store, event: Event, now: i64) {
    match event {
        Event::Label { study, number, view, is_tte } => {
            end_waiting(store, now);
            let mut loop_facts = facts(&format!("1.{study}"), &format!("2.{number}"));
            loop_facts.pixel_sha256 = Some(digest(&format!("pixels {number}")));
            loop_facts.not_tte = (!is_tte).then(|| "a vessel".to_owned());
            label(store, &loop_facts, &format!("{study} {number} {now}"), &prediction("w1", view, 0.9), now);
        }
        Event::Skip { study, number } => {
            end_waiting(store, now);
            let job = super::common::claimed(store, &format!("skip {now}"), now);
            let loop_facts = facts(&format!("1.{study}"), &format!("3.{number}"));
            store.record_skipped(&job, &loop_facts, digest(&format!("skip {number}")), "a still", at(now)).unwrap();
        }
        Event::Arrive { study, number } => {
            let identity = identity(&format!("1.{study}"), &format!("4.{number}"));
            store.enqueue(&file(&format!("waits {now}"), 10), sample(), Some(&identity), at(now)).unwrap();
        }
        Event::Fail { study } => {
            end_waiting(store, now);
            let job = super::common::claimed(store, &format!("broken {now}"), now);
            let identity = Some(identity(&format!("1.{study}"), &format!("5.{now}")));
            let failure = JobFailure { kind: "decode".into(), message: "frame 3".into(), identity };
            store.fail(&job, &failure, Retry::Never, at(now)).unwrap();
        }
        Event::RetryAll => {
            store.retry_failed(&FailedJobs::All).unwrap();
        }
        // A loop that is not there is refused, which changes nothing.
        Event::LabelAgain { number, view } => {
            let mut said = prediction("w2", view, 0.8);
            said.model = ours();
            let _ = store.add_prediction(&sop(&format!("2.{number}")), &said, at(now));
        }
        Event::Prefer { ours } => store.prefer_predictions(if ours { "ours" } else { "tte11" }, at(now)).unwrap(),
        Event::Review { number, view } => {
            let _ =
                store.add_review(&Review::new(sop(&format!("2.{number}")), view.map(str::to_owned), "kim", at(now)));
        }
        Event::TakeBack => {
            store.withdraw_last_review("kim", at(now)).unwrap();
        }
        Event::Close => {
            store.close_quiet_studies(SignedDuration::from_secs(0), at(now)).unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_study_is_listed_as_incomplete_while_its_summary_names_a_missing_view(
        events in prop::collection::vec(event(), 1..40)
    ) {
        let Some((_lab, store)) = new_store() else { return Ok(()) };
        store.keep_label_set(&model("w1"), &names(&["A4C", "PLAX"]), at(0)).unwrap();
        store.keep_label_set(&ours(), &names(&["A4C", "PLAX", "PSAX"]), at(0)).unwrap();
        for (now, event) in (1..).zip(events) {
            happen(&store, event, now);
            let incomplete = StudyFilter { progress: Some(StudyProgress::Incomplete), ..StudyFilter::default() };
            let mut lacking = store.study_page(&StudyFilter::default(), 50, 0).unwrap();
            lacking.retain(|row| !store.inventory(&row.study_instance_uid).unwrap().missing.is_empty());
            prop_assert_eq!(store.study_page(&incomplete, 50, 0).unwrap(), lacking);
        }
    }
}
