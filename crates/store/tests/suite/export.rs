//! Exports: whole files, no patient identity, no formulas.

use std::fs;

use super::common::{at, claimed, digest, facts, label, prediction, study};
use crate::lab::{Lab, new_store};
use store::export::{ExportFormat, ExportOptions, export};
use store::{LabelStore, Store, StoreError};

fn filled() -> Option<(Lab, Store)> {
    let (lab, store) = new_store()?;
    let first = facts("1.2", "1.2.3");
    label(&store, &first, "c1", &prediction("w1", Some("PLAX"), 0.875), 0);
    label(&store, &first, "c1", &prediction("w2", None, 0.25), 1);
    label(&store, &facts("9", "9.9"), "c2", &prediction("w1", Some("A4C"), 0.5), 2);
    let doppler = claimed(&store, "doppler", 3);
    store.record_skipped(&doppler, &facts("1.2", "1.2.4"), digest("d"), "=cmd()", at(3)).unwrap();
    Some((lab, store))
}

fn format(name: &str) -> ExportFormat {
    ExportFormat::from_name(name).unwrap()
}

fn csv(options: &ExportOptions) -> Option<Vec<std::collections::HashMap<String, String>>> {
    let (lab, store) = filled()?;
    let files = export(&store, format("csv"), &lab.folder().join("out"), options).unwrap();
    let mut reader = csv::Reader::from_path(&files[0]).unwrap();
    Some(reader.deserialize().map(Result::unwrap).collect())
}

#[test]
fn csv_has_one_row_a_loop_with_the_latest_prediction() {
    let Some(rows) = csv(&ExportOptions::default()) else { return };
    let mut uids: Vec<_> = rows.iter().map(|row| row["sop_instance_uid"].as_str()).collect();
    uids.sort_unstable();
    assert_eq!(uids, ["1.2.3", "1.2.4", "9.9"]);
    let row = |uid: &str| rows.iter().find(|row| row["sop_instance_uid"] == uid).unwrap();
    assert_eq!(row("1.2.3")["weights_sha256"], digest("w2").to_string());
    assert_eq!(row("1.2.3")["abstained"], "true");
    let kept = ["precision", "prediction_set", "energy", "findings"].map(|column| row("9.9")[column].as_str());
    assert_eq!(kept, ["f32", "A4C PSAX", "-4.5", "timing_guessed"]);
    assert_eq!((row("1.2.4")["reason"].as_str(), row("1.2.4")["view"].as_str()), ("'=cmd()", ""));
    assert_eq!((row("9.9")["view"].as_str(), row("9.9")["confidence"].as_str()), ("A4C", "0.5"));
    let added = ["final_view", "best", "standing", "first_view", "first_probability", "second_view", "acquired"];
    let expected = ["A4C", "true", "untrained", "A4C", "0.5", "PLAX", "2026-01-01T12:00:00"];
    assert_eq!(added.map(|column| row("9.9")[column].as_str()), expected);
    assert_eq!((row("1.2.3")["final_view"].as_str(), row("1.2.3")["best"].as_str()), ("", "false"));
    assert_eq!(row("9.9")["content_sha256"], digest("c2").to_string());
    assert!(rows.iter().all(|row| !row.contains_key("path") && row.values().all(|cell| !cell.contains("/inbox"))));
}

#[test]
fn paths_are_exported_only_when_asked_for() {
    let options = ExportOptions { include_paths: true, study_instance_uid: Some(study("1.2")), since: None };
    let Some(rows) = csv(&options) else { return };
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row["path"].starts_with("/inbox/")));
}

#[test]
fn json_has_one_whole_file_a_study() {
    let Some((lab, store)) = filled() else { return };
    let out = lab.folder().join("a/b/out");
    let options = ExportOptions::default();
    store.keep_label_set(&super::common::model("w1"), &["PSAX".to_owned()], at(0)).unwrap();
    let files = export(&store, format("json"), &out, &options).unwrap();
    // Again, over the first ones.
    assert_eq!(export(&store, format("json"), &out, &options).unwrap(), files);
    assert!(files.iter().all(|file| file.parent() == Some(out.as_path())));
    assert_eq!(fs::read_dir(&out).unwrap().count(), 2, "no half files are left");
    let text = fs::read_to_string(out.join("1.2.json")).unwrap();
    assert!(!text.contains("/inbox"));
    let exported: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(exported["inventory"]["missing"], serde_json::json!(["PSAX"]));
    let loops = exported["inventory"]["not_labelled"].as_array().unwrap();
    let labelled_twice = loops.iter().find(|entry| entry["sop_instance_uid"] == "1.2.3").unwrap();
    let predictions = labelled_twice["predictions"].as_array().unwrap();
    assert_eq!(predictions.len(), 2);
    assert_eq!(predictions[0]["weights_sha256"], digest("w1").to_string());
    assert_eq!(predictions[0]["findings"][0]["code"], "timing_guessed");
    assert_eq!(predictions[0]["confidence"], 0.875);
}

#[test]
fn an_unknown_study_is_an_error() {
    let Some((lab, store)) = filled() else { return };
    let options = ExportOptions { study_instance_uid: Some(study("7")), ..Default::default() };
    assert!(matches!(
        export(&store, format("json"), lab.folder(), &options),
        Err(StoreError::UnknownStudy(uid)) if uid == study("7")
    ));
}
