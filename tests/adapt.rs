//! `echolabel adapt`: a lab's own model from its own labels, by the program as people run it.

mod support;

use std::path::{Path, PathBuf};

use serde_json::Value;
use support::start_model::write_start_model;
use support::{json_lines, run, small_studies};
use zoo::ModelCard;

/// The loops of 2-D views as a CSV of labels, each view under the name that `rename` gives it, if any.
fn write_labels(studies: &[(PathBuf, Value)], file: &Path, rename: impl Fn(&str) -> Option<String>) {
    let mut text = "sop_instance_uid,view,path\n".to_owned();
    for (folder, truth) in studies {
        for one in truth["loops"].as_array().expect("loops") {
            let view = one["view"].as_str().and_then(&rename);
            if let (Some(view), "2d") = (view, one["mode"].as_str().unwrap_or_default()) {
                let path = folder.join(one["file"].as_str().expect("a file"));
                let uid = one["sop_instance_uid"].as_str().expect("a UID");
                text.push_str(&format!("{uid},{view},{}\n", path.display()));
            }
        }
    }
    std::fs::write(file, text).expect("the labels");
}

#[test]
fn a_model_is_adapted_used_and_put_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).display().to_string();
    write_start_model(&folder.path().join("models"));
    let studies = small_studies(&folder.path().join("studies"), 6, 11);
    let labels = folder.path().join("labels.csv");
    let (models, csv) = (at("models"), labels.display().to_string());
    let adapt = ["adapt", "--labels", &csv, "--as", "ours", "--pipeline", "start", "--models", &models];

    // One loop of each view is refused, with what is missing; nothing is written.
    let same = |view: &str| Some(view.to_owned());
    write_labels(&studies[..3], &labels, same);
    let (code, _, stderr) = run(&adapt);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("PLAX has 3 of 3 patients"), "{stderr}");
    assert!(std::fs::metadata(folder.path().join("models/ours.card.toml")).is_err());

    write_labels(&studies, &labels, same);
    let recipe = at("tuned.toml");
    let (code, stdout, stderr) = run(&[&adapt[..], &["--json", "--recipe", &recipe]].concat());
    assert_eq!(code, 0, "{stderr}\n{stdout}");
    assert!(stderr.contains("echolabel train"), "{stderr}");
    let recipe = train::Recipe::read(Path::new(&recipe)).expect("a recipe");
    assert_eq!(
        (recipe.name.as_str(), recipe.model.as_str(), recipe.start),
        ("ours-tuned", "ours", Some("ours".into()))
    );
    let train::DataRecipe::Loops(data) = recipe.data else { panic!("loops") };
    assert_eq!((data.folder, &data.labels), (None, &labels));
    let report = &json_lines(&stdout)[0];
    let accuracy = |side: &str| report[side]["accuracy"]["value"].as_f64().expect("a share");
    assert!(accuracy("after") > accuracy("before") + 0.3, "{report}");
    assert_eq!((report["loops"].as_u64(), report["patients"].as_u64()), (Some(66), Some(6)));
    assert_eq!(report["views"].as_array().map(Vec::len), Some(11));

    // Vectors are kept, so the second run reads no pixels.
    let kept = std::fs::read_dir(folder.path().join("models/vectors")).expect("vectors").count();
    assert_eq!(kept, 66);
    let (code, again, _) = run(&[&adapt[..], &["--json"]].concat());
    assert_eq!((code, &again), (0, &stdout), "the same loops give the same model");

    // Three loops of each of other patients do something, fifty are not there.
    let (code, stdout, _) = run(&[&adapt[..], &["--json", "--learning-curve", "3,50"]].concat());
    let curve = &json_lines(&stdout)[0]["learning_curve"];
    assert_eq!((code, curve.as_array().map(Vec::len), curve[0]["draws"].as_u64()), (0, Some(1), Some(10)), "{curve}");
    assert!(curve[0]["gain"].as_f64() > Some(0.1), "{curve}");

    let label = || {
        let path = studies[0].0.join("loop001.dcm").display().to_string();
        let (_, stdout, stderr) = run(&["label", "--json", "--models", &models, &path]);
        (json_lines(&stdout)[0].clone(), stderr)
    };
    let shipped = label().0["pipeline"].clone();
    let (code, _, stderr) = run(&["models", "use", "ours", "--models", &models]);
    assert_eq!(code, 0, "{stderr}");
    let (adapted, stderr) = label();
    assert_eq!((adapted["pipeline"].as_str(), adapted["standing"].as_str()), (Some("ours"), Some("suggestion")));
    assert!(stderr.contains("NOT VALIDATED"), "{stderr}");
    let card = ModelCard::read(&folder.path().join("models/ours.card.toml")).expect("a card");
    assert!(card.origin.contains("66 loops of 6 patients"), "{}", card.origin);

    // Views of the lab's own, in a file: no compiler is needed, and spellings count in any case.
    let views = r#"name = "mylab2"
source = "our lab"
modes = ["2d"]
views = [
  { name = "Parasternal", aliases = ["psl"], meaning = "from beside the breastbone" },
  { name = "Apical", meaning = "from the apex" },
]
"#;
    std::fs::write(folder.path().join("models/mylab2.views.toml"), views).expect("a label set");
    write_labels(&studies, &labels, |view| match view {
        view if view.starts_with('P') => Some("PSL".to_owned()),
        view if view.starts_with("Apical") => Some("apical".to_owned()),
        _ => None,
    });
    let own = ["adapt", "--labels", &csv, "--as", "two", "--label-set", "mylab2", "--models", &models, "--json"];
    let (code, stdout, stderr) = run(&[&own[..], &["--pipeline", "start"]].concat());
    assert_eq!(code, 0, "{stderr}");
    let report = &json_lines(&stdout)[0];
    assert!(report["before"].is_null() && report["after"]["accuracy"]["value"].as_f64() > Some(0.8), "{report}");
    let path = studies[0].0.join("loop001.dcm").display().to_string();
    let (code, stdout, _) = run(&["label", "--json", "--models", &models, "--pipeline", "two", &path]);
    let labelled = &json_lines(&stdout)[0];
    let names: Vec<&str> =
        labelled["probabilities"].as_object().expect("probabilities").keys().map(String::as_str).collect();
    assert_eq!((code, names), (0, vec!["Apical", "Parasternal"]));

    assert_eq!(run(&["models", "use", "--back", "--models", &models]).0, 0);
    assert_eq!(label().0["pipeline"], shipped);
    assert_eq!(run(&["models", "use", "--back", "--models", &models]).0, 2);
    assert_eq!(run(&["models", "use", "no-such-model", "--models", &models]).0, 2);
}
