//! Int8: refused without a calibration, used with one.

mod support;

use std::path::Path;

use serde_json::Value;
use support::{dicom_files, json_lines, run, small_studies};

const TINY: &str = include_str!("../pipelines/tte11-tiny.toml");

/// Labels a file: exit code, the line, stderr.
fn label(file: &Path, pipeline: &str, models: &Path) -> (i32, Option<Value>, String) {
    let (file, models) = (file.to_str().unwrap(), models.to_str().unwrap());
    let (code, stdout, stderr) = run(&["label", file, "--json", "--pipeline", pipeline, "--models", models]);
    (code, json_lines(&stdout).pop(), stderr)
}

#[test]
fn a_pipeline_in_int8_needs_a_calibration_and_then_labels_nearly_alike() {
    let folder = tempfile::tempdir().unwrap();
    let models = folder.path().join("models");
    let loops = folder.path().join("loops");
    let (study, _) = small_studies(&loops, 1, 5).remove(0);
    let pipeline = folder.path().join("int8.toml");
    std::fs::write(&pipeline, TINY.replace("[sampling]", "precision = \"int8\"\n\n[sampling]")).unwrap();
    let pipeline = pipeline.to_str().unwrap();
    let file = dicom_files(&study).remove(0);

    let (code, _, stderr) = label(&file, pipeline, &models);
    assert_eq!(code, 2);
    assert!(stderr.contains("echolabel models quantize tte11-tiny"), "{stderr}");

    let (loops, models_folder) = (loops.to_str().unwrap(), models.to_str().unwrap());
    let (code, stdout, stderr) =
        run(&["models", "quantize", "tte11-tiny", "--loops", loops, "--json", "--models", models_folder]);
    assert_eq!(code, 0, "{stderr}");
    let report = json_lines(&stdout).remove(0);
    assert!(report["frames"]["frames"].as_u64().unwrap() > 10, "{report}");
    let measured = &report["measured"];
    assert!(measured["loops"].as_u64().unwrap() > 3, "{report}");
    let apart = measured["largest_difference"].as_f64().unwrap();
    assert!(apart > 0.0 && apart < 0.2, "{report}");
    assert!(measured["calibration_error_f32"].is_null(), "a folder's loops have no known view: {report}");

    let (code, int8, stderr) = label(&file, pipeline, &models);
    assert_eq!(code, 0, "{stderr}");
    let (_, single, _) = label(&file, "tte11-tiny", &models);
    let (int8, single) = (int8.unwrap(), single.unwrap());
    assert_eq!((int8["precision"].as_str(), single["precision"].as_str()), (Some("int8"), Some("f32")));
    assert_ne!(int8["probabilities"], single["probabilities"]);
    for (view, probability) in single["probabilities"].as_object().unwrap() {
        let difference = (int8["probabilities"][view].as_f64().unwrap() - probability.as_f64().unwrap()).abs();
        assert!(difference < 0.2, "{view}: {difference}");
    }
}

#[test]
fn what_cannot_be_calibrated_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let models = folder.path().to_str().unwrap();
    let (code, _, stderr) = run(&["models", "quantize", "EchoView47_classifier", "--models", models]);
    assert_eq!(code, 2);
    assert!(stderr.contains("weights"), "{stderr}");
    let (code, _, stderr) = run(&["models", "quantize", "tte11-tiny", "--loops", models, "--models", models]);
    assert_eq!(code, 2);
    assert!(stderr.contains("nothing to calibrate on"), "{stderr}");
    assert!(!folder.path().join("tte11-tiny.int8.json").try_exists().unwrap());
}
