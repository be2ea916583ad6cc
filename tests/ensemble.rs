//! Pipelines of several models: what one says of a loop is the mean of what each says, weighed by how often labs record a view.

mod support;

use std::collections::BTreeMap;

use support::{dicom_files, json_lines, run, small_studies};

/// Probabilities of each loop's views by a pipeline.
fn probabilities(files: &[String], pipeline: &str) -> Vec<BTreeMap<String, f64>> {
    let mut arguments = vec!["label", "--json", "--pipeline", pipeline];
    arguments.extend(files.iter().map(String::as_str));
    let (code, stdout, stderr) = run(&arguments);
    assert_eq!(code, 0, "{stderr}");
    let of_loop = |line: &serde_json::Value| {
        let views = line["probabilities"].as_object().expect("probabilities");
        views.iter().map(|(view, probability)| (view.clone(), probability.as_f64().expect("a number"))).collect()
    };
    json_lines(&stdout).iter().map(of_loop).collect()
}

#[test]
fn two_models_answer_together_and_rare_views_need_more() {
    let folder = tempfile::tempdir().expect("a folder");
    let (study, _) = small_studies(folder.path(), 1, 8).remove(0);
    let files: Vec<String> = dicom_files(&study).iter().take(5).map(|file| file.display().to_string()).collect();
    let pipeline = |name: &str, text: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).expect("a pipeline");
        file.display().to_string()
    };
    // Each alone, on the same clip.
    let of_first = include_str!("../pipelines/tte11-video-dilated.toml").replace("max_clips = 2", "max_clips = 1");
    let of_companion = "name = \"alone\"\nlabel_set = \"tte11\"\nsampling = { max_clips = 1 }\nprepare = { size = 160 }\n\
                        encoder = { name = \"efficientnet_lite0\" }\nweights = { model = \"tte11-lite0-image\" }\n";
    let first = probabilities(&files, &pipeline("first.toml", &of_first));
    let second = probabilities(&files, &pipeline("companion.toml", of_companion));
    let both = probabilities(&files, "tte11-ensemble");
    let recorded = |view: &str| if view == "Apical-4ch" { 15294.0 } else { 1830.0 };
    let (frequent, rare) = ("Apical-4ch", "Apical-5ch");
    let mut compared = 0;
    for ((first, second), both) in first.iter().zip(&second).zip(&both) {
        let Some(of_frequent) = both.get(frequent) else { continue };
        assert!((both.values().sum::<f64>() - 1.0).abs() < 1e-9);
        // Of any two views the odds are those of the mean, times those of being recorded.
        let weighed = |view: &str| (first[view] + second[view]) / 2.0 * recorded(view);
        let expected = weighed(rare) / (weighed(rare) + weighed(frequent));
        let found = both[rare] / (both[rare] + of_frequent);
        assert!((found - expected).abs() < 1e-9, "{found} instead of {expected}");
        compared += 1;
    }
    assert!(compared >= 3, "only {compared} loops were compared");
}

#[test]
fn weights_that_are_not_there_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("two.toml");
    let text = include_str!("../pipelines/tte11-ensemble.toml").replace("tte11-lite0-image", "tte11-image");
    std::fs::write(&file, text).expect("a pipeline");
    let (code, _, stderr) = run(&["label", "--pipeline", &file.display().to_string(), "x.dcm"]);
    assert!(code != 0 && stderr.contains("tte11-image"), "{code} {stderr}");
}
