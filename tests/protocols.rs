//! Studies against protocols, as a user asks.

mod support;

use std::fs;

use serde_json::Value;
use support::{json_lines, run, small_studies};

#[test]
fn protocols_are_listed_and_shown_and_a_lab_has_its_own() {
    let (code, stdout, stderr) = run(&["protocols"]);
    assert_eq!(code, 0, "{stderr}");
    for name in ["minimal", "ase-2019", "bse-2020"] {
        assert!(stdout.lines().any(|line| line.starts_with(name)), "{stdout}");
    }
    assert_eq!(stdout.matches("not checked by an echo lead").count(), 2, "{stdout}");
    let (_, shown, _) = run(&["protocols", "ase-2019"]);
    assert!(shown.contains("TAPSE M-mode (m_mode): mmode-a4ch-rv"), "{shown}");
    assert!(shown.contains("RV outflow long axis (2d or dual): no label set has such a view"), "{shown}");
    let (code, _, stderr) = run(&["protocols", "ase-2091"]);
    assert!(code == 2 && stderr.contains("did you mean ase-2019"), "{stderr}");

    let folder = tempfile::tempdir().unwrap();
    let own = "name = \"ours\"\ntitle = \"Our lab\"\nsource = \"a handbook\"\n[[items]]\nname = \"A4C\"\nviews = [\"Apical-4ch\"]\n";
    fs::write(folder.path().join("ours.protocol.toml"), own).unwrap();
    let models = folder.path().to_str().unwrap();
    let (code, stdout, stderr) = run(&["protocols", "ours", "--models", models]);
    assert!(code == 0 && stdout.contains("A4C (2d or dual): Apical-4ch"), "{stdout}{stderr}");
    fs::write(folder.path().join("wrong.protocol.toml"), own.replace("views", "viewz")).unwrap();
    let (code, _, stderr) = run(&["protocols", "--models", models]);
    assert!(code == 2 && stderr.contains("wrong.protocol.toml") && stderr.contains("viewz"), "{stderr}");

    let config = folder.path().join("echolabel.toml");
    fs::write(&config, "[study]\nprotocol = \"ase-2091\"\n").unwrap();
    let (code, _, stderr) = run(&["config", "check", "--config", config.to_str().unwrap()]);
    assert!(code == 2 && stderr.contains("study.protocol") && stderr.contains("ase-2091"), "{stderr}");
}

#[test]
fn an_inventory_says_what_a_study_lacks_and_what_nobody_can_judge() {
    let folder = tempfile::tempdir().unwrap();
    let inbox = folder.path().join("inbox");
    small_studies(&inbox, 1, 5);
    let database = folder.path().join("lab.sqlite");
    let database = database.to_str().unwrap();
    let (code, _, stderr) = run(&["watch", inbox.to_str().unwrap(), "--once", "--db", database]);
    assert_eq!(code, 0, "{stderr}");
    let judged = |arguments: &[&str]| -> (String, Value) {
        let (code, text, stderr) = run(&[&["inventory", "--db", database], arguments].concat());
        assert_eq!(code, 0, "{stderr}");
        let (_, json, _) = run(&[&["inventory", "--json", "--db", database], arguments].concat());
        (text, json_lines(&json)[0]["completeness"].clone())
    };
    let (text, minimal) = judged(&[]);
    let missing = |completeness: &Value| {
        let items = completeness["items"].as_array().unwrap();
        items.iter().filter(|item| item["state"] == "missing" && item["optional"] == false).count()
    };
    let verdict = if missing(&minimal) == 0 { "complete" } else { "lacks" };
    assert_eq!((minimal["verdict"].as_str(), minimal["protocol"].as_str()), (Some(verdict), Some("minimal")));
    assert!(text.contains(&format!("minimal: {verdict}")), "{text}");
    assert!(!text.contains("not judged"), "the default model knows every view of it: {text}");

    let (text, society) = judged(&["--protocol", "ase-2019"]);
    assert_eq!(society["is_checked"], false);
    let state = |name: &str| {
        let items = society["items"].as_array().unwrap();
        items.iter().find(|item| item["name"] == name).map(|item| item["state"].clone()).unwrap()
    };
    assert_eq!(state("TAPSE M-mode"), "not_judged", "an M-mode loop is there, but the model has no views of them");
    assert_eq!(state("RV outflow long axis"), "not_judged");
    assert!(text.contains("not judged: ") && text.contains("TAPSE M-mode"), "{text}");
}

#[test]
fn nothing_is_called_missing_in_a_study_whose_label_set_has_none_of_the_views() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("own.toml");
    let text = "name = \"own\"\ntitle = \"x\"\nsource = \"x\"\n[[items]]\nname = \"liver\"\nviews = [\"liver\"]\n";
    fs::write(&own, text).unwrap();
    let inbox = folder.path().join("inbox");
    small_studies(&inbox, 1, 15);
    let config = folder.path().join("echolabel.toml");
    fs::write(&config, "database = \"lab.sqlite\"\n[study]\nprotocol = \"own.toml\"\n").unwrap();
    let config = config.to_str().unwrap();
    let (code, _, stderr) =
        run(&["watch", inbox.to_str().unwrap(), "--once", "--pipeline", "tte11-tiny", "--config", config]);
    assert_eq!(code, 0, "{stderr}");
    let (code, text, stderr) = run(&["inventory", "--config", config]);
    assert!(
        code == 0 && text.contains("own: cannot judge all of it, nothing else is missing; not judged: liver"),
        "{text}{stderr}"
    );
}
