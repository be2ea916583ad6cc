//! The night at a glance, and names that people type.

mod support;

use std::fs;

use support::{dicom_files, json_lines, run, small_studies};

#[test]
fn status_counts_the_night_and_short_names_lead_to_loops() {
    let folder = tempfile::tempdir().unwrap();
    let (inbox, database) = (folder.path().join("inbox"), folder.path().join("lab.sqlite"));
    let (study, truth) = small_studies(&inbox, 1, 17).remove(0);
    let files = dicom_files(&study);
    fs::write(inbox.join("DOE^JANE.dcm"), [vec![0; 128], b"DICM".to_vec(), vec![9; 60]].concat()).unwrap();
    let db = database.to_str().unwrap();
    let watch = ["watch", inbox.to_str().unwrap(), "--once", "--pipeline", "tte11-tiny", "--db", db];
    assert_eq!(run(&watch).0, 1);

    let (code, stdout, stderr) = run(&["status", "--json", "--db", db]);
    assert_eq!(code, 0, "{stderr}");
    let status = json_lines(&stdout).remove(0);
    let states: u64 = status["states"].as_object().unwrap().values().map(|files| files.as_u64().unwrap()).sum();
    // truth.json lies in the study's folder too.
    assert_eq!((status["studies"].as_u64(), states), (Some(1), files.len() as u64 + 2));
    assert_eq!((status["waiting"].as_u64(), status["failures"].as_array().unwrap().len()), (Some(0), 1));
    assert!(status["disk"]["free_bytes"].as_u64().unwrap() > 0 && !stdout.contains("JANE"), "{stdout}");
    let (_, stdout, _) = run(&["status", "--since", "2d", "--paths", "--db", db]);
    assert!(stdout.contains("JANE") && stdout.contains("incomplete     job "), "{stdout}");
    assert_eq!(run(&["status", "--since", "often", "--db", db]).0, 2);

    let uid = truth["study_instance_uid"].as_str().unwrap();
    for name in ["1", &uid[..uid.len() - 3], uid] {
        let (code, stdout, stderr) = run(&["inventory", name, "--db", db]);
        assert!(code == 0 && stdout.starts_with("study 1 ") && stdout.contains(uid), "{stdout} {stderr}");
    }
    let (_, stdout, _) = run(&["inventory", "--since", "1h", "--doubtful", "--db", db]);
    assert!(stdout.contains(uid), "{stdout}");
    let (code, stdout, stderr) = run(&["inspect", "1/2", "--db", db, "--json"]);
    assert_eq!(code, 0, "{stderr}");
    let loop_uid = serde_json::from_str::<serde_json::Value>(&stdout).unwrap()["sop_instance_uid"].clone();
    let review = |name: &str, view: &str| run(&["review", name, view, "--reviewer", "kim", "--db", db]);
    let (code, stdout, stderr) = review("1/2", "a4c");
    assert_eq!(
        (code, stdout.trim()),
        (0, format!("{} Apical-4ch (kim)", loop_uid.as_str().unwrap()).as_str()),
        "{stderr}"
    );
    let (_, stdout, _) = run(&["inventory", "1", "--db", db]);
    assert!(stdout.contains("1/2  untrained  reviewed"), "{stdout}");
    let (code, _, stderr) = review("1/2", "Apical-4hc");
    assert!(code == 2 && stderr.contains("did you mean Apical-4ch?"), "{stderr}");
    let (code, _, stderr) = review("1/99", "PLAX");
    assert!(code == 2 && stderr.contains("none is 1/99"), "{stderr}");
    let (code, _, stderr) = run(&["jobs", "show", "1/2", "--db", db]);
    assert_eq!(code, 0, "{stderr}");
}

#[test]
fn near_names_of_models_and_pipelines_are_suggested() {
    for (name, meant) in [("tte11-tinny", "tte11-tiny"), ("EchoView47_clasifier", "EchoView47_classifier")] {
        let (code, _, stderr) = run(&["label", "nothing.dcm", "--pipeline", name]);
        assert!(code == 2 && stderr.contains(&format!("did you mean {meant}?")), "{stderr}");
    }
    let (code, _, stderr) = run(&["models", "show", "EchoSDNett"]);
    assert!(code == 2 && stderr.contains("did you mean EchoSDNet?"), "{stderr}");
}
