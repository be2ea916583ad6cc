//! The command line as `docs/cli.md` and `docs/json.md` describe it: JSON fields, exit codes, messages.

mod support;

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use support::{dicom_files, json_lines, run, small_studies};
use test_support::shared_data;

const MODES: [&str; 8] = ["2d", "colour", "pw", "cw", "tissue_doppler", "m_mode", "dual", "other"];
const SOURCES: [&str; 5] = ["waveform", "r_wave_time_vector", "curve", "burned_in_trace", "none"];

#[track_caller]
fn has_keys(object: &Value, keys: &[&str]) {
    let found: BTreeSet<&str> = object.as_object().expect("an object").keys().map(String::as_str).collect();
    for key in keys {
        assert!(found.contains(key), "{key} is missing in {object}");
    }
}

fn check_inspection(inspection: &Value) {
    has_keys(
        inspection,
        &[
            "sop_instance_uid",
            "study_instance_uid",
            "series_instance_uid",
            "transfer_syntax",
            "rows",
            "columns",
            "frames",
            "frame_time_ms",
            "manufacturer",
            "mode",
            "regions",
            "sector",
            "ecg",
            "findings",
            "clips",
        ],
    );
    assert!(MODES.contains(&inspection["mode"].as_str().unwrap()), "{inspection}");
    for region in inspection["regions"].as_array().unwrap() {
        has_keys(region, &["kind", "x0", "y0", "x1", "y1"]);
    }
    if !inspection["sector"].is_null() {
        has_keys(&inspection["sector"], &["x0", "y0", "x1", "y1"]);
    }
    has_keys(&inspection["ecg"], &["source", "r_peaks", "heart_rate_bpm"]);
    assert!(SOURCES.contains(&inspection["ecg"]["source"].as_str().unwrap()));
    for finding in inspection["findings"].as_array().unwrap() {
        has_keys(finding, &["code", "message"]);
    }
    let frames = inspection["frames"].as_u64().unwrap();
    for clip in inspection["clips"].as_array().unwrap() {
        has_keys(clip, &["beat", "frames"]);
        for frame in clip["frames"].as_array().unwrap() {
            has_keys(frame, &["index", "phase"]);
            assert!(frame["index"].as_u64().unwrap() < frames);
        }
    }
}

fn check_label(line: &Value) {
    if line.get("error").is_some() {
        has_keys(line, &["path", "error"]);
        has_keys(&line["error"], &["kind", "message"]);
        return;
    }
    if line.get("sop_instance_uid").is_none() {
        has_keys(line, &["path", "skipped", "reason"]);
        assert_eq!(line["skipped"], true, "only an object without an image has no more to say");
        return;
    }
    has_keys(
        line,
        &[
            "path",
            "sop_instance_uid",
            "study_instance_uid",
            "pipeline",
            "weights_sha256",
            "mode",
            "view",
            "confidence",
            "abstained",
            "standing",
            "reason",
            "probabilities",
            "clips",
            "frames_used",
            "frame_indexes",
            "ecg_source",
            "ms",
        ],
    );
    has_keys(&line["ms"], &["open", "ecg", "decode", "prepare", "encode", "head", "total"]);
    assert_eq!(line["abstained"].as_bool().unwrap(), line["view"].is_null(), "{line}");
    assert_eq!(line["view"].is_null(), line["reason"].is_string(), "{line}");
    let sum: f64 = line["probabilities"].as_object().unwrap().values().map(|value| value.as_f64().unwrap()).sum();
    let indexes: Vec<u64> = line["frame_indexes"].as_array().unwrap().iter().map(|at| at.as_u64().unwrap()).collect();
    assert_eq!(indexes.len() as u64, line["frames_used"].as_u64().unwrap(), "{line}");
    assert!(indexes.is_sorted_by(|one, next| one < next), "{line}");
    assert!(line["clips"] == 0 || (sum - 1.0).abs() < 1e-6, "{line}");
    assert_eq!(line["weights_sha256"].as_str().unwrap().len(), 64);
}

#[test]
fn inspect_and_label_keep_their_contract_on_a_simulated_study() {
    let folder = tempfile::tempdir().unwrap();
    let studies = small_studies(folder.path(), 1, 5);
    let (study, truth) = &studies[0];
    let loops = truth["loops"].as_array().unwrap();
    assert!(loops.len() >= 11);
    for file in dicom_files(study) {
        let (code, stdout, stderr) = run(&["inspect", "--json", file.to_str().unwrap()]);
        assert_eq!(code, 0, "{stderr}");
        let inspection: Value = serde_json::from_str(&stdout).unwrap();
        check_inspection(&inspection);
        let name = file.file_name().unwrap().to_str().unwrap();
        let known = loops.iter().find(|known| known["file"] == name).expect("truth knows the file");
        assert_eq!(inspection["sop_instance_uid"], known["sop_instance_uid"]);
        assert_eq!(inspection["mode"], known["mode"], "{name}");
    }
    let (code, stdout, stderr) = run(&["label", "--json", "--pipeline", "tte11-tiny", study.to_str().unwrap()]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains("UNTRAINED WEIGHTS"), "{stderr}");
    let lines = json_lines(&stdout);
    assert_eq!(lines.len(), loops.len(), "truth.json is passed over");
    lines.iter().for_each(check_label);
    assert!(lines.iter().any(|line| line["clips"].as_u64().unwrap() > 0));
}

#[test]
fn a_failing_file_is_a_line_and_the_others_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let studies = small_studies(folder.path(), 1, 6);
    let good = dicom_files(&studies[0].0).remove(0);
    let bad = folder.path().join("bad.dcm");
    std::fs::write(&bad, b"not a loop at all").unwrap();
    let gone = folder.path().join("gone.dcm");
    let arguments = [
        "label",
        "--json",
        "--pipeline",
        "tte11-tiny",
        bad.to_str().unwrap(),
        good.to_str().unwrap(),
        gone.to_str().unwrap(),
    ];
    let (code, stdout, _) = run(&arguments);
    assert_eq!(code, 1);
    let lines = json_lines(&stdout);
    lines.iter().for_each(check_label);
    let of = |path: &Path| lines.iter().find(|line| line["path"] == path.to_str().unwrap()).unwrap();
    assert_eq!(of(&bad)["error"]["kind"], "not_dicom");
    assert!(of(&gone)["error"]["message"].is_string());
    assert!(of(&good).get("error").is_none());
}

#[test]
fn usage_and_configuration_errors_exit_with_2_and_name_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let wrong_key = write("wrong.toml", "[inbox]\nfolder = [\"x\"]\n");
    let shipped = include_str!("../pipelines/tte11-tiny.toml");
    let mismatch = write("mismatch.toml", &shipped.replace("size = 96", "size = 100"));
    for (arguments, expected) in [
        (vec!["frobnicate"], "unrecognized subcommand"),
        (vec!["label"], "required"),
        (vec!["label", "--pipeline", "no-such", "x.dcm"], "unknown pipeline \"no-such\""),
        (vec!["label", "--pipeline", &mismatch, "x.dcm"], "prepare.size = 100"),
        (vec!["label", "--device", "tpu", "x.dcm"], "unknown device"),
        (vec!["label", "--pipeline", "tte47-frames", "x.dcm"], "EchoView47_classifier"),
        (vec!["config", "check", "--config", &wrong_key], "folder"),
        (vec!["inventory", "--db", "/no/such/db"], "there is no database"),
        (vec!["models", "show", "nothing"], "unknown model"),
    ] {
        let (code, _, stderr) = run(&arguments);
        assert_eq!(code, 2, "{arguments:?}: {stderr}");
        assert!(stderr.contains(expected), "{arguments:?}: {stderr}");
    }
}

#[test]
fn help_has_examples_and_models_say_what_they_are() {
    for command in ["demo", "watch", "label", "inspect", "inventory", "export", "phantom", "bench"] {
        let (code, stdout, _) = run(&[command, "--help"]);
        assert_eq!(code, 0);
        assert!(stdout.contains("Example"), "{command}");
    }
    let (code, stdout, _) = run(&["models", "list"]);
    assert_eq!(code, 0);
    assert!(stdout.contains("tte11-phantom") && stdout.contains("UNTRAINED"), "{stdout}");
    let (code, example, _) = run(&["config", "example"]);
    assert_eq!(code, 0);
    assert!(example.contains("[inbox]"), "{example}");
}

/// An explicit little endian element with a 16-bit length.
fn element(group: u16, number: u16, vr: &[u8; 2], value: &str) -> Vec<u8> {
    let padded = if value.len() % 2 == 1 { format!("{value}\0") } else { value.to_owned() };
    let length = (padded.len() as u16).to_le_bytes();
    [&group.to_le_bytes(), &number.to_le_bytes(), vr.as_slice(), &length, padded.as_bytes()].concat()
}

#[test]
fn an_object_without_an_image_is_skipped_by_label_as_by_the_daemon() {
    let folder = tempfile::tempdir().unwrap();
    let meta = element(0x0002, 0x0010, b"UI", "1.2.840.10008.1.2.1");
    let comprehensive_report = element(0x0008, 0x0016, b"UI", "1.2.840.10008.5.1.4.1.1.88.33");
    let uids = [element(0x0008, 0x0018, b"UI", "1.2.3.4"), element(0x0020, 0x000D, b"UI", "1.2.3")].concat();
    let report = [[0; 128].as_slice(), b"DICM", &meta, &comprehensive_report, &uids].concat();
    let inbox = folder.path().join("inbox");
    std::fs::create_dir(&inbox).unwrap();
    let path = inbox.join("report.dcm");
    std::fs::write(&path, report).unwrap();
    let (code, stdout, stderr) = run(&["label", "--json", "--pipeline", "tte11-tiny", path.to_str().unwrap()]);
    assert_eq!(code, 0, "{stderr}");
    let lines = json_lines(&stdout);
    assert_eq!((lines.len(), &lines[0]["skipped"]), (1, &Value::Bool(true)));
    lines.iter().for_each(check_label);
    let database = folder.path().join("lab.sqlite");
    let arguments =
        ["watch", inbox.to_str().unwrap(), "--db", database.to_str().unwrap(), "--once", "--pipeline", "tte11-tiny"];
    let (code, _, stderr) = run(&arguments);
    assert_eq!(code, 0, "{stderr}");
}

#[test]
fn every_real_file_is_inspected_within_the_contract() {
    let Some(data) = shared_data() else { return };
    for folder in ["dicom/cine-echo", "dicom/still-echo", "dicom/derived"] {
        for file in dicom_files(&data.join(folder)) {
            let (code, stdout, stderr) = run(&["inspect", "--json", file.to_str().unwrap()]);
            assert_eq!(code, 0, "{}: {stderr}", file.display());
            check_inspection(&serde_json::from_str(&stdout).unwrap());
        }
    }
}

#[test]
fn damaged_files_are_named_and_the_good_ones_beside_them_are_labelled() {
    let Some(data) = shared_data() else { return };
    let folder = data.join("malformed");
    let started = std::time::Instant::now();
    let (code, stdout, stderr) = run(&["label", "--json", "--pipeline", "tte11-tiny", folder.to_str().unwrap()]);
    println!("{} lines in {:.1} s", stdout.lines().count(), started.elapsed().as_secs_f64());
    assert_eq!(code, 1, "{stderr}");
    let lines = json_lines(&stdout);
    lines.iter().for_each(check_label);
    for line in &lines {
        let path = Path::new(line["path"].as_str().unwrap());
        let name = path.file_name().unwrap().to_str().unwrap();
        println!(
            "{name:<50} {}",
            line.get("error").map_or_else(|| line["mode"].to_string(), |error| error["kind"].to_string())
        );
        if name.starts_with("ok_") {
            assert!(line.get("error").is_none(), "{line}");
        }
    }
}
