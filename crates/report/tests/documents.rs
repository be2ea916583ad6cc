//! The documents' bytes, and what they are functions of.

mod common;

use common::study;
use dicom_dictionary_std::tags;
use dicom_object::from_reader;
use report::ReportError;

const SR: &[u8] = include_bytes!("golden/study.sr.dcm");
const KO: &[u8] = include_bytes!("golden/study.ko.dcm");

/// Writes the reference where a person asks for it, after a change of the documents that was meant.
fn compare(name: &str, made: &[u8], reference: &[u8]) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
        std::fs::write(folder.join(name), made).unwrap();
        return;
    }
    assert!(made == reference, "{name}: the bytes have changed; UPDATE_GOLDEN=1 writes them");
}

#[test]
fn the_same_study_gives_the_same_bytes() {
    let study = study();
    compare("study.sr.dcm", &study.structured_report().unwrap(), SR);
    compare("study.ko.dcm", &study.key_objects().unwrap().unwrap(), KO);
}

#[test]
fn the_source_of_an_observation_names_its_frames_counted_from_1() {
    let mut study = study();
    let numbers = b"\x08\0\x60\x11IS\x06\x001\\7\\14";
    let names_frames = |bytes: &[u8]| bytes.windows(numbers.len()).filter(|window| window == numbers).count();
    assert_eq!(names_frames(&study.structured_report().unwrap()), 0);
    study.objects[0].observations[0].frames = vec![0, 6, 13];
    assert_eq!(names_frames(&study.structured_report().unwrap()), 1);
}

#[test]
fn names_are_copied_as_bytes() {
    let bytes = study().structured_report().unwrap();
    for name in [&b"Bj\xF6rk^Anna"[..], b"M\xFCller^Eva", b"ISO_IR 100"] {
        assert!(bytes.windows(name.len()).any(|window| window == name), "{name:?}");
    }
}

#[test]
fn uids_change_with_model_and_revision_and_series_stay() {
    let first = study();
    let mut second = study();
    second.revision.number += 1;
    let (a, b) = (first.uids(), second.uids());
    assert_ne!((&a.report, &a.key_objects), (&b.report, &b.key_objects));
    assert_eq!((&a.report_series, &a.key_objects_series), (&b.report_series, &b.key_objects_series));
    let mut other_model = study();
    other_model.algorithms[0].digests = "another".to_owned();
    assert_ne!(a.report_series, other_model.uids().report_series);
    assert_ne!(a.report, a.key_objects);
}

#[test]
fn the_content_digest_ignores_number_time_and_version_and_nothing_else() {
    let digest = study().content_digest().unwrap();
    let mut same = study();
    same.revision.number = 7;
    same.revision.predecessor = None;
    same.revision.time = "2027-01-01T00:00:00".parse().unwrap();
    same.software_version = "echolabel 9".to_owned();
    assert_eq!(same.content_digest().unwrap(), digest);
    let mut corrected = study();
    corrected.attributes.insert((0x0010, 0x0020), b"4712".to_vec());
    assert_ne!(corrected.content_digest().unwrap(), digest);
    let mut reviewed = study();
    reviewed.objects[0].observations.pop();
    assert_ne!(reviewed.content_digest().unwrap(), digest);
}

#[test]
fn weights_that_were_not_validated_say_so_in_the_series() {
    let description = |bytes: &[u8]| {
        let object = from_reader(bytes).unwrap();
        object.element(tags::SERIES_DESCRIPTION).unwrap().to_str().unwrap().into_owned()
    };
    let mut study = study();
    for bytes in [study.structured_report().unwrap(), study.key_objects().unwrap().unwrap()] {
        assert!(description(&bytes).contains("NOT VALIDATED ON PATIENTS"));
    }
    study.algorithms[0].is_validated = true;
    assert_eq!(description(&study.structured_report().unwrap()), "echolabel views");
}

#[test]
fn a_study_without_loops_or_views_has_no_document() {
    let mut empty = study();
    empty.key_loops.clear();
    assert!(empty.key_objects().unwrap().is_none());
    empty.objects.clear();
    assert!(matches!(empty.structured_report(), Err(ReportError::NoLoop)));
}
