//! Every model of the registry runs on a loop, without its weights, and says only what it can say.

mod support;

use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::Value;
use support::{json_lines, run, small_studies};

/// A simulated two-dimensional loop.
fn simulated_loop(folder: &Path) -> PathBuf {
    let (study, truth) = small_studies(folder, 1, 7).remove(0);
    let loops = truth["loops"].as_array().unwrap();
    let found = loops.iter().find(|known| known["mode"] == "2d").expect("a study has two-dimensional loops");
    study.join(found["file"].as_str().unwrap())
}

/// The registry's entries as `models list --json` prints them.
fn cards() -> Vec<Value> {
    let (code, stdout, stderr) = run(&["models", "list", "--json"]);
    assert_eq!(code, 0, "{stderr}");
    json_lines(&stdout)
}

/// Labels the loop with the model of `card`, untrained, and checks what it says.
fn label(card: &Value, file: &Path) {
    let name = card["name"].as_str().unwrap();
    let started = Instant::now();
    let (code, stdout, stderr) = run(&["label", "--json", "--pipeline", name, "--untrained", file.to_str().unwrap()]);
    assert_eq!(code, 0, "{name}: {stderr}");
    assert!(stderr.contains("UNTRAINED WEIGHTS"), "{name}: {stderr}");
    let line = json_lines(&stdout).remove(0);
    assert!(line["weights_note"].as_str().unwrap().contains("UNTRAINED"), "{name}: {line}");
    assert!(line["clips"].as_u64().unwrap() > 0 && line["frames_used"].as_u64().unwrap() > 0, "{name}: {line}");
    assert_eq!(line["skipped"], false, "{name}: {line}");
    let probabilities = line["probabilities"].as_object().unwrap();
    let reason = line["reason"].as_str().unwrap_or_default();
    if card["task"] == "embedding" {
        assert!(reason.contains("no view layer") && reason.contains(" numbers"), "{name}: {line}");
        assert!(probabilities.is_empty() && line["view"].is_null() && line["confidence"] == 0.0, "{name}: {line}");
    } else {
        let expected = match card["label_set"].as_str().unwrap() {
            "tte11" => 11,
            "tte47" => 47,
            "tmed2" => 5,
            "echoprime11" => 11,
            "layout" => 2,
            other => panic!("{name}: label set {other}"),
        };
        assert_eq!(probabilities.len(), expected, "{name}: {line}");
        let values: Vec<f64> = probabilities.values().map(|value| value.as_f64().unwrap()).collect();
        assert!((values.iter().sum::<f64>() - 1.0).abs() < 1e-6, "{name}: {line}");
        let largest = values.iter().copied().fold(0.0, f64::max);
        assert_eq!(line["confidence"].as_f64().unwrap(), largest, "{name}: {line}");
        // Layers that fade out or run over would give every class the same, or no number at all.
        assert!(values.iter().any(|value| (value - largest).abs() > 1e-6), "{name}: {line}");
        assert_eq!(line["view"].is_null(), reason.contains("is below"), "{name}: {line}");
    }
    println!(
        "{name:<32} {:>6.1} s, {} clips of {} frames, encoder {:>7.0} ms, {} {reason}",
        started.elapsed().as_secs_f64(),
        line["clips"],
        line["frames_used"],
        line["ms"]["encode"].as_f64().unwrap(),
        line["view"],
    );
}

#[test]
fn models_that_label_no_views_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = simulated_loop(folder.path());
    let cards = cards();
    for name in ["EchoView47_contrastive_encoder", "EchoSDNet"] {
        label(cards.iter().find(|card| card["name"] == name).unwrap(), &file);
    }
}

#[test]
fn only_views_come_into_an_inventory() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    let database = format!("{folder}/lab.sqlite");
    for name in ["EchoView47_contrastive_encoder", "EchoSDNet"] {
        std::fs::write(format!("{folder}/{name}.safetensors"), b"never read").unwrap();
        let arguments = ["watch", folder, "--once", "--db", &database, "--models", folder, "--pipeline", name];
        let (code, _, stderr) = run(&arguments);
        assert_eq!(code, 2, "{stderr}");
        assert!(stderr.contains("does not label views"), "{stderr}");
    }
}

#[test]
fn without_weights_a_model_names_its_file_and_how_to_get_it() {
    let folder = tempfile::tempdir().unwrap();
    let models = folder.path().to_str().unwrap();
    // What ships lies inside the program.
    let has_to_be_fetched = |card: &&Value| card.get("file").is_some() && card.get("ships").is_none();
    for card in cards().iter().filter(has_to_be_fetched) {
        let name = card["name"].as_str().unwrap();
        let (code, _, stderr) = run(&["label", "--models", models, "--pipeline", name, "x.dcm"]);
        assert_eq!(code, 2, "{name}: {stderr}");
        assert!(stderr.contains(&format!("{name}.safetensors")) && stderr.contains("models show"), "{name}: {stderr}");
        let (code, stdout, _) = run(&["models", "show", "--models", models, name]);
        assert_eq!(code, 0, "{name}");
        assert!(stdout.contains("models import") && stdout.contains(&format!("--as {name}")), "{name}: {stdout}");
        assert_eq!(stdout.contains("models pull"), card.get("published").is_some(), "{name}: {stdout}");
    }
}

#[test]
#[ignore = "runs every network at its full size, which takes minutes"]
fn every_model_labels_a_loop() {
    let folder = tempfile::tempdir().unwrap();
    let file = simulated_loop(folder.path());
    let started = Instant::now();
    let cards = cards();
    assert!(cards.len() >= 24, "{}", cards.len());
    for card in &cards {
        label(card, &file);
    }
    println!("{} models in {:.0} s", cards.len(), started.elapsed().as_secs_f64());
}
