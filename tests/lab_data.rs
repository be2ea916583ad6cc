//! A lab's own loops: labelled, reviewed, exported, learned from, evaluated.

mod support;

use std::path::Path;

use serde_json::Value;
use support::{echolabel, run, small_studies};

/// Runs the program in `folder`; gives exit code, stdout and stderr.
fn run_in(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = echolabel().current_dir(folder).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

/// A recipe whose split is drawn with `seed`, or stands in the CSV.
fn recipe(labels: &str, folder: &str) -> String {
    format!(
        "name = \"lab\"\nmodel = \"tte11-tiny\"\nseed = 3\nstart = \"tte11-phantom\"\n\
         data = {{ layout = \"loops\", labels = \"{labels}\"{folder} }}\n\
         batch = {{ clips = 8, balanced = true }}\nstop = {{ steps = 2, validate_every = 2 }}\n"
    )
}

#[test]
fn loops_and_a_csv_are_trained_on_and_evaluated() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let mut csv = "sop_instance_uid,view,split\n".to_owned();
    for ((_, truth), side) in small_studies(&at("echo"), 4, 21).iter().zip(["train", "train", "validation", "test"]) {
        for of_loop in truth["loops"].as_array().unwrap() {
            let view = of_loop["view"].as_str().unwrap_or("none");
            csv += &format!("{},{view},{side}\n", of_loop["sop_instance_uid"].as_str().unwrap());
        }
    }
    std::fs::write(at("labels.csv"), &csv).unwrap();
    std::fs::write(at("lab.toml"), recipe("labels.csv", ", folder = \"echo\"")).unwrap();
    let (code, stdout, stderr) = run_in(folder.path(), &["train", "lab.toml"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("lab.safetensors"), "{stdout}");
    assert!(stderr.contains("lab.card.toml"), "{stderr}");
    // Doppler and M-mode strips are labelled too, but the pipeline would skip them.
    assert!(stderr.contains("16 labelled loops or files could not be used"), "{stderr}");
    assert!(at("runs/lab/start.safetensors").is_file(), "weights of the program to begin with");
    let left_out = std::fs::read_to_string(at("runs/lab/left-out.csv")).unwrap();
    assert_eq!(left_out.matches("tte11 has no views of mode").count(), 16, "{left_out}");
    let data = std::fs::read_to_string(at("runs/lab/data.json")).unwrap();
    assert!(data.contains("patient-") && !data.contains("PHANTOM"), "a patient is named");

    let (code, stdout, stderr) = run_in(folder.path(), &["eval", "lab.toml", "--split", "test"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("accuracy") && stdout.contains("report-test/report.html"), "{stdout}");
    let metrics = std::fs::read_to_string(at("runs/lab/report-test/metrics.json")).unwrap();
    let metrics: Value = serde_json::from_str(&metrics).unwrap();
    // Eleven views, two color loops, three of other organs.
    assert_eq!((metrics["rows"]["labelled"].as_u64(), metrics["rows"]["outside"].as_u64()), (Some(13), Some(3)));
    assert_eq!(metrics["rows"]["patients"].as_u64(), Some(1));

    // What was trained is a model like any other once its weights and its card lie in the folder of models.
    let (code, stdout, stderr) = run_in(folder.path(), &["eval", "lab.toml", "--fit"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("lab.card.toml has it"), "{stdout}");
    std::fs::create_dir(at("models")).unwrap();
    for name in ["lab.safetensors", "lab.card.toml"] {
        std::fs::copy(at("runs/lab").join(name), at("models").join(name)).unwrap();
    }
    let (code, shown, stderr) = run_in(folder.path(), &["models", "show", "lab", "--models", "models"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(shown.contains("trained by recipe lab") && shown.contains("temperature"), "{shown}");
    assert!(shown.contains("NOT VALIDATED"), "{shown}");
    let (code, labelled, stderr) =
        run_in(folder.path(), &["label", "echo/study001", "--pipeline", "lab", "--json", "--models", "models"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(labelled.contains("\"pipeline\":\"lab\"") && labelled.contains("\"probabilities\""), "{labelled}");

    // A card of a name that is taken is refused, and so is one that is none.
    std::fs::copy(at("models/lab.card.toml"), at("models/other.card.toml")).unwrap();
    let (code, _, stderr) = run_in(folder.path(), &["models", "list", "--models", "models"]);
    assert_ne!(code, 0);
    assert!(stderr.contains("other.card.toml") && stderr.contains("name of its own"), "{stderr}");
    std::fs::write(at("models/other.card.toml"), "name = 3").unwrap();
    let (code, _, stderr) = run_in(folder.path(), &["models", "list", "--models", "models"]);
    assert!(code != 0 && stderr.contains("other.card.toml is not a valid model card"), "{stderr}");
    std::fs::remove_file(at("models/other.card.toml")).unwrap();

    // The same patient on two sides is refused.
    std::fs::write(at("labels.csv"), csv.replacen(",train", ",test", 1)).unwrap();
    let (code, _, stderr) = run_in(folder.path(), &["train", "lab.toml", "--out", "leaking"]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("the split leaks") && !stderr.contains("PHANTOM"), "{stderr}");
}

#[test]
fn reviews_in_a_database_are_exported_and_learned_from() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let studies = small_studies(&folder.path().join("inbox"), 2, 22);
    let db = at("lab.sqlite");
    let (code, _, stderr) = run(&["watch", &at("inbox"), "--once", "--pipeline", "tte11-tiny", "--db", &db]);
    assert_eq!(code, 0, "{stderr}");
    let review = |uid: &str, view: &str, reviewer: &str| {
        let arguments = ["review", uid, view, "--reviewer", reviewer, "--db", &db, "--comment", "seen"];
        run(&arguments)
    };
    let uid = |study: usize, number: usize| studies[study].1["loops"][number]["sop_instance_uid"].as_str().unwrap();
    for study in 0..2 {
        for number in 0..3 {
            let (code, stdout, stderr) = review(uid(study, number), "PLAX", "kim");
            assert_eq!(code, 0, "{stderr}");
            assert!(stdout.contains(uid(study, number)) && stdout.contains("PLAX (kim)"), "{stdout}");
        }
    }
    // A later review wins.
    assert_eq!(review(uid(0, 1), "none", "lee").0, 0);
    for (uid, view, reviewer, expected) in [
        (uid(0, 0), "PLAXX", "kim", "PSAX-base"),
        ("1.2.3", "PLAX", "kim", "1.2.3"),
        (uid(0, 0), "PLAX", " ", "--reviewer"),
    ] {
        let (code, _, stderr) = review(uid, view, reviewer);
        assert_eq!(code, 2, "{stderr}");
        assert!(stderr.contains(expected), "{stderr}");
    }
    let (code, stdout, _) = run(&["inventory", "--db", &db, "--pipeline", "tte11-tiny"]);
    assert_eq!(code, 0);
    assert_eq!(stdout.matches("reviewed: none").count(), 1, "{stdout}");
    let (_, json, _) = run(&["inventory", "--db", &db, "--json"]);
    let rejected: Vec<serde_json::Value> = support::json_lines(&json)
        .iter()
        .flat_map(|study| study["not_labelled"].as_array().cloned().unwrap_or_default())
        .filter(|file| file["reviewed"] == true)
        .collect();
    assert_eq!(rejected.len(), 1, "{json}");
    assert_eq!(rejected[0]["sop_instance_uid"], uid(0, 1));

    let export = |more: &[&str]| {
        let out = at("out");
        let arguments = [&["export", "--format", "csv", "--out", out.as_str(), "--db", db.as_str()], more].concat();
        assert_eq!(run(&arguments).0, 0);
        std::fs::read_to_string(folder.path().join("out/loops.csv")).unwrap()
    };
    assert!(!export(&[]).contains("loop001.dcm"), "a path may hold a name");
    assert!(export(&["--paths"]).contains("loop001.dcm"));
    // Which patient stands where is drawn: some seed gives both sides one of the two.
    let drawn = recipe("out/loops.csv", ", validation_share = 0.5, test_share = 0.0");
    let learned = (0..20).find(|seed| {
        std::fs::write(at("lab.toml"), drawn.replace("seed = 3", &format!("seed = {seed}"))).unwrap();
        let (code, _, stderr) = run_in(folder.path(), &["train", "lab.toml"]);
        assert!(code == 0 || stderr.contains("another seed"), "{stderr}");
        code == 0
    });
    assert!(learned.is_some());
    let data = std::fs::read_to_string(at("runs/lab/data.json")).unwrap();
    let data: Value = serde_json::from_str(&data).unwrap();
    let examples = data["examples"].as_array().unwrap();
    let class_of = |uid: &str| {
        let example = examples.iter().find(|example| example["source"] == uid);
        example.map(|example| example["class"].clone())
    };
    assert_eq!(class_of(uid(0, 0)), Some(Value::from(0)));
    assert_eq!(class_of(uid(0, 1)), Some(Value::Null));
    assert_eq!(class_of(uid(0, 4)), None, "nobody reviewed it");
}
