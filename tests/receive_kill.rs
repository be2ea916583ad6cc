//! `kill -9` while objects come in: what was acknowledged is whole in the folder and in the database once.

#[path = "support/dicom.rs"]
mod dicom;
#[path = "support/padding.rs"]
mod padding;
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use dicom::Object;
use dicom_net::{SendOutcome, SentObject, send};
use padding::with_padding;
use support::count;
use support::receiver::{PATIENCE, Receiving, data_set, wait_within};

/// The study of all objects.
const STUDY: &str = "1.2.840.1";

/// Objects of each run.
const OBJECTS: usize = 16;

/// Bytes behind the pixels of every other object, so that a kill meets it while it comes in.
const TRAILING: usize = 3_000_000;

#[test]
fn what_was_acknowledged_survives_ten_kills() {
    kill(10);
}

#[test]
#[ignore = "minutes: make kill-receive"]
fn what_was_acknowledged_survives_two_hundred_kills() {
    kill(200);
}

fn kill(times: usize) {
    let base = tempfile::tempdir().unwrap();
    let mut acknowledged = BTreeSet::new();
    let mut left_unfinished = 0;
    let mut moment = Moments(0x2545_F491_4F6C_DD1D);
    for run in 0..times {
        let objects: Vec<(String, Vec<u8>)> = (0..OBJECTS).map(|number| object(run, number)).collect();
        let receiving = Receiving::start(base.path(), "");
        let outcomes = std::thread::scope(|scope| {
            let destination = receiving.destination();
            let sending = objects.chunks(OBJECTS / 2).map(|share| {
                let destination = destination.clone();
                scope.spawn(move || {
                    let sent: Vec<_> = share.iter().map(|(_, bytes)| SentObject::Bytes(bytes.clone())).collect();
                    send(&destination, &sent)
                })
            });
            let sending: Vec<_> = sending.collect();
            std::thread::sleep(Duration::from_millis(20 + moment.next() % 600));
            receiving.signal("-KILL");
            sending.into_iter().flat_map(|sender| sender.join().unwrap()).collect::<Vec<_>>()
        });
        left_unfinished += unfinished(&receiving.folder);
        for ((sop, _), outcome) in objects.iter().zip(outcomes) {
            if outcome == (SendOutcome::Stored { status: 0 }) {
                acknowledged.insert(sop.clone());
            }
        }
        // An object may be whole although its answer did not get out; one that is not whole has no name.
        let mut whole = BTreeSet::new();
        for (sop, bytes) in &objects {
            let path = receiving.folder.join(STUDY).join(format!("{sop}.dcm"));
            if let Ok(stored) = fs::read(path) {
                assert!(data_set(&stored) == data_set(bytes), "{sop} is not what was sent");
                whole.insert(sop.clone());
            }
        }
        let of_this_run = objects.iter().map(|(sop, _)| sop).filter(|sop| acknowledged.contains(*sop));
        for sop in of_this_run {
            assert!(whole.contains(sop), "{sop} was acknowledged and is not there");
        }
    }
    assert!(acknowledged.len() > times, "only {} objects came in", acknowledged.len());
    println!("{times} kills, {} objects acknowledged, {left_unfinished} left unfinished", acknowledged.len());

    let mut receiving = Receiving::start(base.path(), "");
    let stored = receiving.stored();
    // Two hundred runs leave thousands of objects to label.
    wait_within(PATIENCE * (times as u32).div_ceil(10), "all objects are taken and settled", || {
        count(&receiving.database, "job") == stored.len() as u64
            && count(&receiving.database, "job WHERE state IN ('pending', 'running')") == 0
    });
    assert!(receiving.end().1, "{}", receiving.log());
    for sop in &acknowledged {
        let rows = count(&receiving.database, &format!("loop WHERE sop_instance_uid = '{sop}'"));
        assert_eq!(rows, 1, "{sop}");
    }
    assert_eq!(unfinished(&receiving.folder), 0);
}

/// Counts the objects that had not all come.
fn unfinished(folder: &Path) -> usize {
    let incoming = fs::read_dir(folder.join(".incoming")).unwrap().map(|entry| entry.unwrap().path());
    incoming.filter(|path| path.extension().is_some_and(|extension| extension == "part")).count()
}

/// Returns an object of its own for every number of every run.
fn object(run: usize, number: usize) -> (String, Vec<u8>) {
    let sop = format!("{STUDY}.{run}.{number}");
    let simulated = Object::new_loop(STUDY, &sop, (run * OBJECTS + number) as u8);
    let padding = if number.is_multiple_of(2) { TRAILING } else { 0 };
    (sop.clone(), with_padding(&simulated, &sop, padding))
}

/// Random moments from a seed (xorshift), so that a failure can be repeated as far as a kill can.
struct Moments(u64);

impl Moments {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}
