//! A disk that becomes full while objects come in: a small file system in memory.

#[path = "support/dicom.rs"]
mod dicom;
#[path = "support/padding.rs"]
mod padding;
mod support;

use std::fs;

use dicom::Object;
use dicom_net::{SendOutcome, SentObject, send};
use padding::with_padding;
use support::receiver::{Receiving, data_set};
use test_support::SmallDisk;

/// Size of the disk, which five objects do not fit on.
const DISK_MEBIBYTES: u32 = 10;

/// Bytes of a large object.
const LARGE: usize = 3_000_000;

#[test]
fn what_does_not_fit_is_for_later_and_the_association_goes_on() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("in");
    fs::create_dir(&folder).unwrap();
    let Some(_disk) = SmallDisk::mount(&folder, DISK_MEBIBYTES) else { return };
    let receiving = Receiving::start(base.path(), "keep_free = \"0 B\"");
    let study = "1.2.840.2";
    let object = |number: u8, padding: usize| {
        let sop = format!("{study}.{number}");
        with_padding(&Object::new_loop(study, &sop, number), &sop, padding)
    };
    let mut objects: Vec<Vec<u8>> = (0..5).map(|number| object(number, LARGE)).collect();
    objects.push(object(5, 0));
    let sent: Vec<SentObject> = objects.iter().cloned().map(SentObject::Bytes).collect();
    let outcomes = send(&receiving.destination(), &sent);
    let is_stored = |outcome: &SendOutcome| *outcome == SendOutcome::Stored { status: 0 };
    assert!((1..5).contains(&outcomes[..5].iter().filter(|outcome| is_stored(outcome)).count()), "{outcomes:?}");
    assert!(is_stored(&outcomes[5]), "a small one fits: {outcomes:?}");
    for (object, outcome) in objects.iter().zip(&outcomes) {
        let path = |file: &std::path::PathBuf| data_set(&fs::read(file).unwrap()) == data_set(object);
        assert_eq!(receiving.stored().iter().any(path), is_stored(outcome), "{outcome:?}");
        if !is_stored(outcome) {
            assert!(matches!(outcome, SendOutcome::TryLater { status: Some(0xA700), .. }), "{outcome:?}");
        }
    }
    let unfinished = fs::read_dir(folder.join(".incoming"))
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|extension| extension == "part"));
    assert_eq!(unfinished.count(), 0);

    // With space again, what was refused is taken.
    let largest = receiving.stored().into_iter().max_by_key(|file| fs::metadata(file).unwrap().len()).unwrap();
    fs::remove_file(largest).unwrap();
    let refused: Vec<SentObject> =
        sent.into_iter().zip(&outcomes).filter(|(_, outcome)| !is_stored(outcome)).map(|(object, _)| object).collect();
    assert!(is_stored(&send(&receiving.destination(), &refused[..1])[0]));
}
