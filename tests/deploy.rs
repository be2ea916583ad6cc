//! Agreement of the files in `deploy/`, which other programs read, with what this one answers.

#[path = "support/browser.rs"]
mod browser;
#[path = "support/page.rs"]
mod page;
mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use page::Page;
use test_support::program;

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy")
}

/// Returns the names of our metrics in a text.
fn metric_names(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with("echolabel_"))
        .map(str::to_owned)
        .collect()
}

/// Returns what `/metrics` answers over a study that is labelled.
fn metrics() -> String {
    let page = Page::start();
    let authorization = format!("Bearer {}", page.token);
    let mut answer = Page::agent().get(page.url("/metrics")).header("authorization", authorization).call().unwrap();
    answer.body_mut().read_to_string().unwrap()
}

#[test]
fn board_and_alerts_ask_for_metrics_that_are_there() {
    let answered = metric_names(&metrics());
    for file in ["grafana/echolabel.json", "prometheus/echolabel.rules.yml"] {
        let asked = metric_names(&std::fs::read_to_string(deploy().join(file)).unwrap());
        assert!(!asked.is_empty(), "{file}");
        let missing: Vec<_> = asked.difference(&answered).collect();
        assert!(missing.is_empty(), "{file} asks for {missing:?}, answered are {answered:?}");
    }
}

#[test]
fn the_board_is_json_whose_panels_ask_something() {
    let text = std::fs::read(deploy().join("grafana/echolabel.json")).unwrap();
    let board: serde_json::Value = serde_json::from_slice(&text).unwrap();
    let panels = board["panels"].as_array().unwrap();
    assert!(panels.len() >= 5);
    assert!(panels.iter().all(|panel| panel["targets"][0]["expr"].as_str().is_some_and(|expr| !expr.is_empty())));
}

#[test]
fn alerts_fire_as_prometheus_own_tool_says() {
    let Some(promtool) = program("promtool") else { return };
    for arguments in [["check", "rules", "echolabel.rules.yml"], ["test", "rules", "echolabel.test.yml"]] {
        let done = Command::new(&promtool).args(arguments).current_dir(deploy().join("prometheus")).output().unwrap();
        assert!(
            done.status.success(),
            "{}{}",
            String::from_utf8_lossy(&done.stdout),
            String::from_utf8_lossy(&done.stderr)
        );
    }
}
