//! `echolabel inspect --why`: the parts that an answer rests on.

mod support;

use serde_json::Value;
use support::{dicom_files, run, small_studies};

#[test]
fn an_answer_is_explained_and_drawn() {
    let folder = tempfile::tempdir().expect("a folder");
    let (study, truth) = small_studies(folder.path(), 1, 8).remove(0);
    let of_mode = |mode: &str| {
        let loops = truth["loops"].as_array().expect("loops");
        let found = loops.iter().find(|one| one["mode"] == mode).expect("a loop of the mode");
        study.join(found["file"].as_str().expect("a file")).display().to_string()
    };
    let (file, picture) = (of_mode("2d"), folder.path().join("why.png"));
    let png = picture.display().to_string();
    let arguments = ["inspect", &file, "--why", "--json", "--png", &png, "--pipeline", "tte11-phantom-image"];
    let (code, stdout, stderr) = run(&arguments);
    assert_eq!(code, 0, "{stderr}");
    let answer: Value = serde_json::from_str(&stdout).expect("JSON");
    let why = &answer["why"];
    let cells: Vec<f64> = why["cells"].as_array().expect("cells").iter().filter_map(Value::as_f64).collect();
    assert_eq!(cells.len(), 64);
    assert!(cells.iter().any(|fall| fall.abs() > 0.01), "no part matters: {cells:?}");
    assert!(why["probability"].as_f64().is_some_and(|probability| (0.0..=1.0).contains(&probability)));
    let frames = why["frames"].as_array().expect("frames");
    let sampled: Vec<&Value> =
        answer["clips"][0]["frames"].as_array().expect("frames").iter().map(|frame| &frame["index"]).collect();
    assert_eq!(frames.iter().map(|frame| &frame["index"]).collect::<Vec<_>>(), sampled);

    // The tint is in the picture, and nothing else is.
    let plain = folder.path().join("plain.png");
    assert_eq!(
        run(&["inspect", &file, "--png", &plain.display().to_string(), "--pipeline", "tte11-phantom-image"]).0,
        0
    );
    assert_ne!(std::fs::read(&picture).expect("a picture"), std::fs::read(&plain).expect("a picture"));

    let (code, _, stderr) = run(&["inspect", &of_mode("pw"), "--why", "--pipeline", "tte11-phantom-image"]);
    assert!(code == 2 && stderr.contains("no model was asked"), "{code} {stderr}");
    assert!(!dicom_files(&study).is_empty());
}
