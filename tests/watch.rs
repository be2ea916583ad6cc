//! The daemon as a user runs it: folders in, rows out.

mod support;

use std::fs;
use std::path::Path;

use serde_json::Value;
use support::{count, dicom_files, run, small_studies};

fn watch_once(inbox: &Path, database: &Path) -> (i32, String) {
    let arguments =
        ["watch", inbox.to_str().unwrap(), "--once", "--pipeline", "tte11-tiny", "--db", database.to_str().unwrap()];
    let (code, stdout, stderr) = run(&arguments);
    (code, stdout + &stderr)
}

#[test]
fn a_folder_is_drained_once_and_a_second_run_has_nothing_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let (inbox, database) = (folder.path().join("inbox"), folder.path().join("lab.sqlite"));
    let studies = small_studies(&inbox, 2, 11);
    let files: usize = studies.iter().map(|(study, _)| dicom_files(study).len()).sum();
    let (code, said) = watch_once(&inbox, &database);
    assert_eq!(code, 0, "{said}");
    assert_eq!((count(&database, "study"), count(&database, "loop")), (2, files as u64));
    let predictions = count(&database, "prediction");
    assert!(predictions >= 22, "{predictions}");

    let (code, said) = watch_once(&inbox, &database);
    assert_eq!(code, 0, "{said}");
    assert_eq!(count(&database, "prediction"), predictions);

    let (code, stdout, stderr) = run(&["inventory", "--db", database.to_str().unwrap(), "--pipeline", "tte11-tiny"]);
    assert_eq!(code, 0, "{stderr}");
    for (_, truth) in &studies {
        assert!(stdout.contains(truth["study_instance_uid"].as_str().unwrap()), "{stdout}");
    }
    assert!(stdout.contains("UNTRAINED"), "{stdout}");
}

#[test]
fn a_late_file_extends_its_study_and_another_copy_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (inbox, database) = (folder.path().join("inbox"), folder.path().join("lab.sqlite"));
    let away = folder.path().join("away");
    let (study, _) = small_studies(&away, 1, 12).remove(0);
    let files = dicom_files(&study);
    let (late, first) = files.split_last().unwrap();
    fs::create_dir_all(&inbox).unwrap();
    for file in first {
        fs::copy(file, inbox.join(file.file_name().unwrap())).unwrap();
    }
    assert_eq!(watch_once(&inbox, &database).0, 0);
    assert_eq!(count(&database, "loop"), first.len() as u64);

    fs::copy(late, inbox.join("late.dcm")).unwrap();
    fs::copy(&first[0], inbox.join("again.dcm")).unwrap();
    fs::write(inbox.join("notes.txt"), "not DICOM").unwrap();
    assert_eq!(watch_once(&inbox, &database).0, 0);
    assert_eq!((count(&database, "study"), count(&database, "loop")), (1, files.len() as u64));
}

#[test]
fn half_a_file_is_not_taken_before_the_rest_comes() {
    let folder = tempfile::tempdir().unwrap();
    let (inbox, database) = (folder.path().join("inbox"), folder.path().join("lab.sqlite"));
    let (study, _) = small_studies(&folder.path().join("away"), 1, 13).remove(0);
    let bytes = fs::read(&dicom_files(&study)[0]).unwrap();
    fs::create_dir_all(&inbox).unwrap();
    let arriving = inbox.join("arriving.dcm");
    fs::write(&arriving, &bytes[..bytes.len() * 2 / 3]).unwrap();
    let (code, said) = watch_once(&inbox, &database);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("1 incomplete"), "{said}");
    assert_eq!(count(&database, "loop"), 0);
    fs::write(&arriving, &bytes).unwrap();
    assert_eq!(watch_once(&inbox, &database).0, 0);
    assert_eq!(count(&database, "loop"), 1);
}

#[test]
fn exports_hold_every_loop_and_no_patient() {
    let folder = tempfile::tempdir().unwrap();
    let (inbox, database) = (folder.path().join("inbox"), folder.path().join("lab.sqlite"));
    let (study, truth) = small_studies(&inbox, 1, 14).remove(0);
    assert_eq!(watch_once(&inbox, &database).0, 0);
    let out = folder.path().join("exports");
    for format in ["csv", "json"] {
        let arguments =
            ["export", "--format", format, "--out", out.to_str().unwrap(), "--db", database.to_str().unwrap()];
        assert_eq!(run(&arguments).0, 0);
    }
    let csv = fs::read_to_string(out.join("loops.csv")).unwrap();
    assert_eq!(csv.lines().count(), 1 + dicom_files(&study).len());
    let uid = truth["study_instance_uid"].as_str().unwrap();
    let text = fs::read_to_string(out.join(format!("{uid}.json"))).unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["loops"].as_array().unwrap().len(), dicom_files(&study).len());
    for text in [&csv, &text] {
        assert!(!text.to_lowercase().contains("phantom^") && !text.contains(inbox.to_str().unwrap()));
    }
}
