//! Lists and actions of the page.

use super::common::{at, claimed, facts, label, model, prediction, sop, study};
use crate::lab::{Lab, new_store};
use jiff::SignedDuration;
use store::{
    DriftCounts, DueReport, JobFailure, LabelStore, Outbox, PageStore, Queue, Retry, Review, ReviewQueue, ReviewRole,
    ReviewedView, Store, StudyFilter, StudyProgress,
};

/// Three studies, one a second: 1.1 has PLAX and A4C, 1.2 an unsure loop, 1.3 a failed file besides.
fn filled() -> Option<(Lab, Store)> {
    let (lab, store) = new_store()?;
    store.keep_label_set(&model("w1"), &views(&["A4C", "PLAX"]), at(0)).unwrap();
    for (second, (uid, view)) in
        [("1.1.1", Some("PLAX")), ("1.1.2", Some("A4C")), ("1.2.1", None), ("1.3.1", Some("PLAX"))]
            .into_iter()
            .enumerate()
    {
        let mut loop_facts = facts(uid.rsplit_once('.').unwrap().0, uid);
        loop_facts.acquired = Some(format!("2026110{}101500", second + 1));
        let mut said = prediction("w1", view, 0.9);
        said.prediction_set = view.map(str::to_owned).into_iter().collect();
        label(&store, &loop_facts, uid, &said, second as i64);
    }
    let broken = claimed(&store, "broken", 9);
    let identity = Some(super::common::identity("1.3", "1.3.9"));
    let failure = JobFailure { kind: "decode".into(), message: "frame 3".into(), identity };
    store.fail(&broken, &failure, Retry::Never, at(9)).unwrap();
    Some((lab, store))
}

fn views(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn listed(store: &Store, filter: &StudyFilter) -> Vec<String> {
    store.study_page(filter, 50, 0).unwrap().into_iter().map(|row| row.study_instance_uid.to_string()).collect()
}

fn queued(store: &Store, queue: ReviewQueue, reviewer: &str) -> Vec<String> {
    let tasks = store.review_queue(queue, reviewer, 50).unwrap();
    tasks.into_iter().map(|task| task.sop_instance_uid.to_string()).collect()
}

fn said(uid: &str, view: Option<&str>, reviewer: &str, role: ReviewRole) -> Review {
    Review { role, ..Review::new(sop(uid), view.map(str::to_owned), reviewer, at(20)) }
}

#[test]
fn studies_come_newest_first_a_page_at_a_time() {
    let Some((_folder, store)) = filled() else { return };
    assert_eq!(listed(&store, &StudyFilter::default()), ["1.3", "1.2", "1.1"]);
    let second = store.study_page(&StudyFilter::default(), 1, 1).unwrap();
    assert_eq!(second[0].study_instance_uid, study("1.2"));
    assert_eq!((second[0].unsure, second[0].views, second[0].files), (1, 0, 1));
    let first = &store.study_page(&StudyFilter::default(), 1, 0).unwrap()[0];
    assert_eq!((first.failed, first.views, first.files), (1, 1, 2));
    assert_eq!(first.missing, ["A4C"]);
}

#[test]
fn studies_are_found_by_number_day_uid_and_progress() {
    let Some((_folder, store)) = filled() else { return };
    let by = |text: &str| listed(&store, &StudyFilter { text: Some(text.to_owned()), progress: None });
    assert_eq!(by("2026-11-03"), ["1.2"]);
    assert_eq!(by("20261101"), ["1.1"]);
    assert_eq!(by("1.3"), ["1.3"]);
    assert_eq!(by("2"), ["1.2"], "the number of a study");
    assert_eq!(by(" "), ["1.3", "1.2", "1.1"], "nothing is no condition");
    assert!(by("%").is_empty() && by("'; DROP TABLE study; --").is_empty());
    let in_progress = |progress| listed(&store, &StudyFilter { text: None, progress: Some(progress) });
    assert_eq!(in_progress(StudyProgress::Failed), ["1.3"]);
    assert_eq!(in_progress(StudyProgress::ToReview), ["1.2"]);
    assert_eq!(in_progress(StudyProgress::Incomplete), ["1.3", "1.2"]);
    assert!(in_progress(StudyProgress::Closed).is_empty());
    assert_eq!(in_progress(StudyProgress::Open).len(), 3);
}

#[test]
fn a_verdict_takes_a_loop_from_the_queue_and_undoing_it_brings_it_back() {
    let Some((_folder, store)) = filled() else { return };
    assert_eq!(queued(&store, ReviewQueue::First, "kim"), ["1.2.1"]);
    store.add_review(&said("1.2.1", Some("PLAX"), "kim", ReviewRole::Reader)).unwrap();
    assert!(queued(&store, ReviewQueue::First, "kim").is_empty());
    assert_eq!(store.inventory(&study("1.2")).unwrap().views[0].view, "PLAX");

    assert_eq!(store.withdraw_last_review("lee", at(21)).unwrap(), None, "nothing of another person");
    let withdrawn = store.withdraw_last_review("kim", at(21)).unwrap().unwrap();
    assert_eq!((withdrawn.view.as_deref(), withdrawn.withdrawn_at), (Some("PLAX"), Some(at(21))));
    assert_eq!(queued(&store, ReviewQueue::First, "kim"), ["1.2.1"]);
    assert!(store.inventory(&study("1.2")).unwrap().views.is_empty());
    assert_eq!(store.reviews(&study("1.2")).unwrap(), [withdrawn], "it stays in the database");
    assert_eq!(store.withdraw_last_review("kim", at(22)).unwrap(), None);
}

#[test]
fn a_person_who_is_not_sure_leaves_the_loop_without_a_view() {
    let Some((_folder, store)) = filled() else { return };
    let unsure = Review { not_sure: true, ..said("1.1.1", None, "kim", ReviewRole::Reader) };
    store.add_review(&unsure).unwrap();
    let inventory = store.inventory(&study("1.1")).unwrap();
    assert_eq!(inventory.missing, ["PLAX"]);
    assert_eq!(inventory.not_labelled[0].state, store::FileState::Unsure);
    assert_eq!(inventory.not_labelled[0].reason.as_deref(), Some("a person is not sure"));
}

#[test]
fn a_second_reader_changes_nothing_and_an_adjudicator_decides() {
    let Some((_folder, store)) = filled() else { return };
    store.add_review(&said("1.2.1", Some("PLAX"), "kim", ReviewRole::Reader)).unwrap();
    assert!(queued(&store, ReviewQueue::Second, "kim").is_empty(), "not by the same person");
    assert_eq!(queued(&store, ReviewQueue::Second, "lee"), ["1.2.1"]);
    store.add_review(&said("1.2.1", Some("A4C"), "lee", ReviewRole::SecondReader)).unwrap();
    assert!(queued(&store, ReviewQueue::Second, "ann").is_empty());
    assert_eq!(store.inventory(&study("1.2")).unwrap().views[0].view, "PLAX");
    assert_eq!(store.paired_reviews().unwrap(), [[Some("PLAX".to_owned()), Some("A4C".to_owned())]]);

    let tasks = store.review_queue(ReviewQueue::Adjudication, "ann", 50).unwrap();
    assert_eq!(tasks[0].reason, "kim: PLAX, lee: A4C");
    assert_eq!(tasks[0].name, "2/1");
    store.add_review(&said("1.2.1", Some("A4C"), "ann", ReviewRole::Adjudicator)).unwrap();
    assert!(queued(&store, ReviewQueue::Adjudication, "ann").is_empty());
    assert_eq!(store.inventory(&study("1.2")).unwrap().views[0].view, "A4C");
}

#[test]
fn models_that_differ_and_sets_of_several_views_are_offered() {
    let Some((_folder, store)) = filled() else { return };
    let other = prediction("w2", Some("A4C"), 0.8);
    store.add_prediction(&sop("1.1.1"), &other, at(10)).unwrap();
    let mut wide = facts("1.4", "1.4.1");
    wide.acquired = None;
    let mut said = prediction("w1", Some("PLAX"), 0.6);
    said.prediction_set = views(&["PLAX", "A4C"]);
    label(&store, &wide, "1.4.1", &said, 11);
    let tasks = store.review_queue(ReviewQueue::First, "kim", 50).unwrap();
    let reasons: Vec<_> = tasks.iter().map(|task| (task.sop_instance_uid.as_str(), task.reason.as_str())).collect();
    assert!(reasons.contains(&("1.4.1", "may also be A4C")), "{reasons:?}");
    assert!(reasons.contains(&("1.1.1", "two models differ")), "{reasons:?}");
}

#[test]
fn reviews_are_counted_by_view_and_compared_with_what_the_model_had_said() {
    let Some((_folder, store)) = filled() else { return };
    assert_eq!((store.reviewed_views().unwrap(), store.agreement_over_time().unwrap()), (Vec::new(), Vec::new()));
    store.add_review(&said("1.1.1", Some("PLAX"), "kim", ReviewRole::Reader)).unwrap();
    store.add_review(&said("1.1.2", Some("PLAX"), "kim", ReviewRole::Reader)).unwrap();
    store.add_review(&said("1.3.1", None, "kim", ReviewRole::Reader)).unwrap();
    store.add_review(&said("1.1.1", Some("A4C"), "lee", ReviewRole::SecondReader)).unwrap();
    let plax = ReviewedView { view: "PLAX".to_owned(), loops: 2, studies: 1 };
    assert_eq!(store.reviewed_views().unwrap(), [plax], "no view is no view, and a second reader decides nothing");
    assert_eq!(store.agreement_over_time().unwrap(), [true, false, false]);
    // A model that comes after the review cannot have said so before it.
    store.add_prediction(&sop("1.1.2"), &prediction("w2", Some("PLAX"), 0.9), at(30)).unwrap();
    assert_eq!(store.agreement_over_time().unwrap(), [true, false, false]);

    let unread = store.unread_loops(50).unwrap();
    let names: Vec<&str> = unread.iter().map(|unread| unread.task.name.as_str()).collect();
    assert_eq!(names, ["2/1"]);
    assert_eq!((unread[0].study, unread[0].read_in_study, unread[0].probabilities.len()), (2, 0, 2));
}

#[test]
fn loops_are_counted_by_week_and_scanner() {
    let Some((_folder, store)) = filled() else { return };
    let mut other = facts("1.5", "1.5.1");
    other.scanner_model = Some("P9".to_owned());
    label(&store, &other, "1.5.1", &prediction("w1", Some("PLAX"), 0.5), 8 * 24 * 3600);
    store.add_review(&said("1.1.1", Some("A4C"), "kim", ReviewRole::Reader)).unwrap();
    let DriftCounts { one_in, rows: counts } = store.drift_counts(at(0)).unwrap();
    assert_eq!(one_in, 1, "all are counted");
    let rows: Vec<_> = counts
        .iter()
        .map(|row| (row.week.as_str(), row.scanner.as_str(), row.view.as_deref(), row.loops, row.reviewed, row.agreed))
        .collect();
    assert_eq!(
        rows,
        [
            ("2027-01-11", "phantom", None, 1, 0, 0),
            ("2027-01-11", "phantom", Some("A4C"), 1, 0, 0),
            ("2027-01-11", "phantom", Some("PLAX"), 2, 1, 0),
            ("2027-01-18", "phantom P9", Some("PLAX"), 1, 0, 0),
        ]
    );
    assert_eq!((counts[3].ecg_source.as_str(), counts[3].confidence), ("waveform", 0.5));
    assert_eq!(store.drift_counts(at(3600)).unwrap().rows.len(), 1);
}

#[test]
fn the_pipeline_that_was_preferred_last_counts_and_nothing_is_removed() {
    let Some((_lab, store)) = filled() else { return };
    let mut other = prediction("w2", Some("A4C"), 0.8);
    other.model.pipeline = "ours".to_owned();
    other.prediction_set = views(&["A4C"]);
    store.add_prediction(&sop("1.2.1"), &other, at(10)).unwrap();
    let found = || {
        let inventory = store.inventory(&study("1.2")).unwrap();
        let row =
            store.study_page(&StudyFilter { text: Some("2".to_owned()), ..StudyFilter::default() }, 1, 0).unwrap();
        (
            inventory.views.first().map(|view| view.view.clone()),
            inventory.models[0].model.pipeline.clone(),
            row[0].unsure,
        )
    };
    assert_eq!(found(), (Some("A4C".to_owned()), "ours".to_owned(), 0), "the newest, as none is preferred");
    store.prefer_predictions("tte11", at(11)).unwrap();
    assert_eq!(found(), (None, "tte11".to_owned(), 1));
    assert_eq!(queued(&store, ReviewQueue::First, "kim"), ["1.2.1"]);
    store.prefer_predictions("tte11", at(12)).unwrap();
    store.prefer_predictions("ours", at(13)).unwrap();
    assert_eq!(found(), (Some("A4C".to_owned()), "ours".to_owned(), 0));
    assert!(queued(&store, ReviewQueue::First, "kim").is_empty());
    assert_eq!(store.predictions(&study("1.2")).unwrap().len(), 2);
}

#[test]
fn a_preference_makes_reports_of_the_studies_that_it_changes_due() {
    let Some((_lab, store)) = filled() else { return };
    let mut other = prediction("w2", Some("PLAX"), 0.8);
    other.model.pipeline = "ours".to_owned();
    store.add_prediction(&sop("1.1.1"), &other, at(10)).unwrap();
    store.close_quiet_studies(SignedDuration::from_secs(1), at(1000)).unwrap();
    let before = store.due_reports().unwrap();
    store.prefer_predictions("tte11", at(2000)).unwrap();
    let since =
        |due: &[DueReport], uid: &str| due.iter().find(|due| due.study_instance_uid == study(uid)).unwrap().since;
    let after = store.due_reports().unwrap();
    assert!(since(&after, "1.1") > since(&before, "1.1"));
    assert_eq!(since(&after, "1.2"), since(&before, "1.2"), "it has one model");
}

#[test]
fn an_unsure_loop_of_the_oldest_of_many_studies_is_offered() {
    let Some((_lab, store)) = new_store() else { return };
    for number in 0..520 {
        let view = (number > 0).then_some("PLAX");
        let mut said = prediction("w1", view, 0.9);
        said.prediction_set = views(&["PLAX"]);
        label(&store, &facts(&format!("1.{number}"), &format!("1.{number}.1")), &number.to_string(), &said, number);
    }
    assert_eq!(queued(&store, ReviewQueue::First, "kim")[0], "1.0.1");
    let to_review = StudyFilter { progress: Some(StudyProgress::ToReview), ..StudyFilter::default() };
    assert_eq!(listed(&store, &to_review), ["1.0"]);
    assert!(queued(&store, ReviewQueue::First, "kim").len() > 5, "some are drawn at random");
}
