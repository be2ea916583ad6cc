//! Jobs: what the queue promises.

use super::common::{LEASE, at, claimed, digest, facts, file, identity, prediction, sample, study};
use crate::lab::new_store;
use jiff::SignedDuration;
use store::{
    Enqueued, FailedJobs, FileIdentity, FileKnowledge, JobCounts, JobFailure, JobFilter, JobState, LabelStore, Queue,
    Retry, SettledFile, Store, StoreError,
};

fn failure(kind: &str) -> JobFailure {
    JobFailure { kind: kind.to_owned(), message: "no luck".to_owned(), identity: None }
}

fn is_known(store: &Store, file: &FileIdentity) -> bool {
    store.knowledge(file).unwrap() == FileKnowledge::Known
}

fn only_job(store: &Store) -> store::JobRow {
    let mut jobs = store.jobs(&JobFilter::default()).unwrap();
    assert_eq!(jobs.len(), 1);
    jobs.remove(0)
}

#[test]
fn the_same_version_of_a_file_is_queued_once() {
    let Some((_folder, store)) = new_store() else { return };
    assert!(matches!(store.enqueue(&file("a", 1), sample(), None, at(0)).unwrap(), Enqueued::New { .. }));
    assert_eq!(store.enqueue(&file("a", 1), sample(), None, at(1)).unwrap(), Enqueued::Known);
    assert!(is_known(&store, &file("a", 1)));
    assert!(store.knowledge(&file("a", 2)).unwrap() == FileKnowledge::Unknown);
}

#[test]
fn a_later_version_supersedes_what_was_not_labelled_and_may_be_taken_back() {
    let Some((_folder, store)) = new_store() else { return };
    store.enqueue(&file("a", 1), sample(), None, at(0)).unwrap();
    store.enqueue(&file("a", 2), sample(), None, at(1)).unwrap();
    assert_eq!(store.counts().unwrap(), JobCounts { pending: 1, skipped: 1, ..JobCounts::default() });
    let job = store.claim("w", LEASE, at(2)).unwrap().unwrap();
    assert_eq!(job.file, file("a", 2));
    // The first version is copied over the second.
    assert!(store.knowledge(&file("a", 1)).unwrap() == FileKnowledge::Unknown);
    assert!(matches!(store.enqueue(&file("a", 1), sample(), None, at(3)).unwrap(), Enqueued::New { .. }));
    assert_eq!(store.claim("w", LEASE, at(3)).unwrap().unwrap().file, file("a", 1));
}

#[cfg(unix)]
#[test]
fn a_path_need_not_be_utf8() {
    use std::os::unix::ffi::OsStrExt;
    let Some((_folder, store)) = new_store() else { return };
    let mut odd = file("a", 1);
    odd.path = std::ffi::OsStr::from_bytes(b"/inbox/M\xfcller.dcm").into();
    store.enqueue(&odd, sample(), None, at(0)).unwrap();
    assert_eq!(store.claim("w", LEASE, at(0)).unwrap().unwrap().file, odd);
}

#[test]
fn a_job_has_one_holder_until_its_lease_runs_out() {
    let Some((_folder, store)) = new_store() else { return };
    let first = claimed(&store, "a", 0);
    assert_eq!(store.claim("x", LEASE, at(1)).unwrap(), None);
    assert!(store.heartbeat(&first, LEASE, at(50)).unwrap());
    assert_eq!(store.recover(false, at(100)).unwrap(), 0, "the heartbeat has extended the lease");
    assert_eq!(store.recover(false, at(111)).unwrap(), 1);
    let second = store.claim("x", LEASE, at(112)).unwrap().unwrap();
    assert_eq!((second.job_id, second.attempts, second.interruptions), (first.job_id, 2, 1));

    // The first holder wakes up: nothing it says counts, and nothing of it stays.
    assert!(!store.heartbeat(&first, LEASE, at(113)).unwrap());
    let said = prediction("w1", Some("PLAX"), 0.9);
    let late = store.record_labelled(&first, &facts("1.2", "1.2.3"), digest("c"), &said, at(113));
    assert!(matches!(late, Err(StoreError::LeaseLost { .. })));
    assert!(store.studies().unwrap().is_empty());
    assert!(matches!(store.skip(&first, "k", "r", at(113)), Err(StoreError::LeaseLost { .. })));
    store.record_labelled(&second, &facts("1.2", "1.2.3"), digest("c"), &said, at(114)).unwrap();
    assert_eq!(only_job(&store).state, JobState::Done);
}

#[test]
fn a_temporary_failure_waits_and_a_permanent_one_stays() {
    let Some((_folder, store)) = new_store() else { return };
    let job = claimed(&store, "a", 0);
    store.fail(&job, &failure("read"), Retry::At(at(30)), at(1)).unwrap();
    assert_eq!(store.claim("w", LEASE, at(29)).unwrap(), None);
    assert!(!store.has_claimable(at(29)).unwrap() && store.has_claimable(at(30)).unwrap());
    let job = store.claim("w", LEASE, at(30)).unwrap().unwrap();
    assert_eq!(job.attempts, 2);
    store.fail(&job, &failure("decode"), Retry::Never, at(31)).unwrap();
    let row = only_job(&store);
    assert_eq!((row.state, row.error_kind.as_deref()), (JobState::Failed, Some("decode")));
    assert_eq!(row.error_message.as_deref(), Some("no luck"));
    assert_eq!(store.enqueue(&file("a", 10), sample(), None, at(32)).unwrap(), Enqueued::Known);
    assert_eq!(store.retry_failed(&FailedJobs::All).unwrap(), [row.job_id]);
    assert_eq!(store.claim("w", LEASE, at(33)).unwrap().unwrap().attempts, 1);
}

#[test]
fn a_vanished_file_that_comes_back_is_queued_again() {
    let Some((_folder, store)) = new_store() else { return };
    let job = claimed(&store, "a", 0);
    store.fail(&job, &failure(JobFailure::FILE_VANISHED), Retry::Never, at(1)).unwrap();
    assert!(store.knowledge(&job.file).unwrap() == FileKnowledge::Unknown);
    assert!(matches!(store.enqueue(&job.file, sample(), None, at(2)).unwrap(), Enqueued::New { .. }));
    assert_eq!(store.counts().unwrap().pending, 1);
}

#[test]
fn a_file_that_was_in_hand_at_a_death_goes_last_and_is_never_given_up_for_it() {
    let Some((_folder, store)) = new_store() else { return };
    let suspect = claimed(&store, "suspect", 0);
    store.enqueue(&file("good", 1), sample(), None, at(0)).unwrap();
    // After the lease, which is what a program on another computer can go by.
    assert_eq!(store.recover(true, at(60)).unwrap(), 1);
    let next = store.claim("w", LEASE, at(61)).unwrap().unwrap();
    assert_eq!(next.file, file("good", 1));
    store.skip(&next, "not_a_view", "Doppler", at(61)).unwrap();
    for death in 2..50_i64 {
        let again = store.claim("w", LEASE, at(100 * death)).unwrap().unwrap();
        assert_eq!((again.job_id, again.interruptions), (suspect.job_id, death as u32 - 1));
        assert_eq!(store.recover(true, at(100 * death + 60)).unwrap(), 1);
    }
    let rows = store.jobs(&JobFilter::default()).unwrap();
    assert_eq!((rows[0].state, rows[0].interruptions), (JobState::Pending, 49));
}

#[test]
fn files_that_need_no_worker_are_remembered() {
    let Some((_folder, store)) = new_store() else { return };
    store.settle(&file("notes.txt", 5), sample(), &SettledFile::NotDicom, "no DICM mark", at(0)).unwrap();
    let cut = |given_up| SettledFile::Incomplete { identity: None, given_up };
    store.settle(&file("half.dcm", 5), sample(), &cut(true), "last fragment is cut", at(0)).unwrap();
    assert_eq!(store.counts().unwrap(), JobCounts { skipped: 1, failed: 1, ..JobCounts::default() });
    assert!(is_known(&store, &file("notes.txt", 5)) && is_known(&store, &file("half.dcm", 5)));
    // The rest arrives.
    store.enqueue(&file("half.dcm", 9), sample(), None, at(1)).unwrap();
    assert_eq!(store.counts().unwrap(), JobCounts { pending: 1, skipped: 2, ..JobCounts::default() });
}

#[test]
fn an_incomplete_file_is_one_row_whose_age_counts_across_runs_and_from_its_last_change() {
    let Some((_folder, store)) = new_store() else { return };
    let arriving = SettledFile::Incomplete { identity: Some(identity("1.2", "1.2.1")), given_up: false };
    let settle = |size, second| store.settle(&file("half.dcm", size), sample(), &arriving, "cut", at(second)).unwrap();
    assert_eq!((settle(5, 0), settle(5, 100)), (at(0), at(0)));
    assert_eq!(store.knowledge(&file("half.dcm", 5)).unwrap(), FileKnowledge::Unknown, "the rest may have come");
    assert_eq!((settle(7, 200), settle(7, 300)), (at(200), at(200)), "it has grown");
    let row = only_job(&store);
    assert_eq!((row.state, row.study_instance_uid, row.finished_at), (JobState::Failed, Some(study("1.2")), None));
    let given_up = SettledFile::Incomplete { identity: None, given_up: true };
    store.settle(&file("half.dcm", 7), sample(), &given_up, "cut", at(400)).unwrap();
    assert!(is_known(&store, &file("half.dcm", 7)));
}

#[test]
fn another_file_of_the_same_size_and_time_is_told_by_its_sample() {
    let Some((_folder, store)) = new_store() else { return };
    store.enqueue(&file("a", 1), sample(), None, at(0)).unwrap();
    let other = FileIdentity { inode: 2, ..file("a", 1) };
    assert_eq!(store.knowledge(&other).unwrap(), FileKnowledge::KnownBySample(sample()));
    store.confirm(&other).unwrap();
    assert!(is_known(&store, &other), "a copy of the same bytes in its place");
    assert!(matches!(store.enqueue(&other, digest("other"), None, at(1)).unwrap(), Enqueued::New { .. }));
    assert_eq!(store.counts().unwrap(), JobCounts { pending: 1, skipped: 1, ..JobCounts::default() });
}

#[test]
fn a_study_is_held_open_by_waiting_files_closed_when_quiet_and_reopened_by_late_ones() {
    let Some((_folder, store)) = new_store() else { return };
    let quiet = SignedDuration::from_mins(10);
    let reopened = |outcome| match outcome {
        Enqueued::New { reopened_study, .. } => reopened_study,
        Enqueued::Known => panic!("a new file"),
    };
    assert!(!reopened(store.enqueue(&file("a", 1), sample(), Some(&identity("1.2", "1.2.1")), at(0)).unwrap()));
    assert!(store.close_quiet_studies(quiet, at(7200)).unwrap().is_empty(), "a file waits");
    let job = store.claim("w", LEASE, at(7200)).unwrap().unwrap();
    assert_eq!(job.identity, Some(identity("1.2", "1.2.1")));
    let said = prediction("w1", Some("PLAX"), 0.9);
    store.record_labelled(&job, &facts("1.2", "1.2.1"), digest("c1"), &said, at(7201)).unwrap();
    assert!(store.close_quiet_studies(quiet, at(7201 + 599)).unwrap().is_empty());
    assert_eq!(store.close_quiet_studies(quiet, at(7201 + 600)).unwrap(), [study("1.2")]);
    assert!(store.close_quiet_studies(quiet, at(9999)).unwrap().is_empty(), "closed once");

    assert!(!reopened(store.enqueue(&file("copy", 1), sample(), Some(&identity("1.2", "1.2.1")), at(10_000)).unwrap()));
    assert!(store.studies().unwrap()[0].closed_at.is_some(), "another copy is no news");
    assert!(reopened(store.enqueue(&file("late", 1), sample(), Some(&identity("1.2", "1.2.2")), at(10_001)).unwrap()));
    let studies = store.studies().unwrap();
    assert_eq!((studies.len(), studies[0].closed_at, studies[0].last_activity), (1, None, at(10_001)));
}
