//! A lab's way: train by a recipe, evaluate what came out, evaluate a pipeline on studies whose truth is known.

mod support;

use std::path::Path;

use assert_cmd::assert::OutputAssertExt;
use support::echolabel;

const RECIPE: &str = r#"
name = "tiny"
model = "tte11-tiny"
seed = 3
data = { layout = "phantom", seed = 5, train_studies = 1, validation_studies = 1, strips = true, non_cardiac_loops = 3 }
batch = { clips = 8, balanced = true }
stop = { steps = 4, validate_every = 2 }

[optimizer]
learning_rate = 0.001
"#;

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn a_recipe_becomes_weights_and_a_report() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("tiny.toml"), RECIPE).unwrap();
    let train = || {
        let mut command = echolabel();
        command.current_dir(folder.path()).args(["train", "tiny.toml"]);
        command.assert().success()
    };
    train();
    let first = std::fs::read(at("runs/tiny/tiny.safetensors")).unwrap();
    assert_eq!(text(&at("runs/tiny/steps.csv")).lines().count(), 5, "a header and four steps");
    assert_eq!(text(&at("runs/tiny/validation.jsonl")).lines().count(), 2);
    assert!(text(&at("runs/tiny/data.json")).contains("sha256_of_clips"));
    // Once more changes nothing, and from nothing gives the same bytes.
    train();
    std::fs::rename(at("runs/tiny"), at("first")).unwrap();
    std::fs::create_dir_all(at("runs/tiny")).unwrap();
    std::fs::rename(at("first/data"), at("runs/tiny/data")).unwrap();
    train();
    assert!(first == std::fs::read(at("runs/tiny/tiny.safetensors")).unwrap(), "weights differ between two runs");

    let mut command = echolabel();
    let assert = command.current_dir(folder.path()).args(["eval", "tiny.toml", "--fit"]).assert().success();
    let printed = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
    assert!(printed.contains("calibration = {") && printed.contains("temperature"), "{printed}");
    assert!(!printed.contains("-0.0"), "{printed}");
    let warned = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    assert!(warned.contains("at least 99 loops"), "one study has too few loops for sets of views: {warned}");
    assert!(printed.contains("set_coverage = 1.0"), "{printed}");
    let report = text(&at("runs/tiny/report-validation/report.html"));
    assert!(report.contains("SIMULATED IMAGES") && report.contains("PSAX-base"), "{}", report.len());
    assert!(report.contains("<h1>tiny on its validation set</h1>"), "the title names the model evaluated");
    let predictions = at("runs/tiny/report-validation/predictions.csv");
    let mut command = echolabel();
    command.arg("eval").arg(&predictions).arg("--against").arg(&predictions).arg("--out").arg(at("again"));
    command.assert().success();
    assert!(text(&at("again/metrics.json")).contains("\"comparison\""));
}

#[test]
fn a_pipeline_is_judged_on_simulated_studies() {
    let folder = tempfile::tempdir().unwrap();
    let studies = folder.path().join("studies");
    echolabel().args(["phantom", "--studies", "1", "--seed", "4", "--small", "--out"]).arg(&studies).assert().success();
    // A pipeline that says less than another would of the same probabilities: the report must not guess what it says.
    let default = text(&Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/tte11-video-dilated.toml"));
    let strict = folder.path().join("strict.toml");
    std::fs::write(&strict, default.replace("abstain_below = 0.5", "abstain_below = 0.9995")).unwrap();
    for pipeline in ["tte11-tiny", strict.to_str().unwrap()] {
        let assert = echolabel().arg("eval").arg(&studies).args(["--pipeline", pipeline]).assert().success();
        let printed = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
        assert!(printed.contains("views labelled correctly") && printed.contains("inventory exact"), "{printed}");
        assert!(text(&studies.join("report/report.html")).contains("SIMULATED IMAGES"));
        let metrics: serde_json::Value = serde_json::from_str(&text(&studies.join("report/metrics.json"))).unwrap();
        let counts = metrics["confusion"]["counts"].as_array().unwrap();
        let (_outside, of_views) = counts.split_last().unwrap();
        let refused: f64 = of_views.iter().map(|row| row.as_array().unwrap().last().unwrap().as_f64().unwrap()).sum();
        let line = printed.lines().find(|line| line.starts_with("views without a label")).unwrap();
        assert!(
            refused > 0.0 && line.contains(&format!("({refused} of ")),
            "{pipeline}: {line}, {refused} in the matrix"
        );
    }
}

#[test]
fn what_is_missing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let output = |source: &Path| {
        let assert = echolabel().arg("eval").arg(source).current_dir(folder.path()).assert().code(2);
        String::from_utf8(assert.get_output().stderr.clone()).unwrap()
    };
    let message = output(folder.path());
    assert!(message.contains("truth.json") && message.contains("echolabel phantom"), "{message}");
    let recipe = folder.path().join("tiny.toml");
    std::fs::write(&recipe, RECIPE).unwrap();
    let message = output(&recipe);
    assert!(message.contains("echolabel train"), "{message}");
}
