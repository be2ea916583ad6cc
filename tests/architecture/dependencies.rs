//! The crates use each other as the table in ARCHITECTURE.md says.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::sources::{crate_names, workspace};

/// Packages from outside that only some crates may use, so that what they do stays in one place. The root package is
/// `echolabel`.
const PACKAGE_USERS: [(&str, &[&str]); 12] = [
    ("clap", &["echolabel"]),
    ("ureq", &["echolabel"]),
    ("anyhow", &["echolabel"]),
    ("notify", &["daemon"]),
    ("tokio", &["dicom_net", "objects", "web"]),
    ("object_store", &["objects"]),
    ("dicom-ul", &["dicom_net"]),
    ("rusqlite", &["store"]),
    ("ffmpeg-next", &["cine"]),
    ("seccompiler", &["decode_workers"]),
    ("axum", &["web"]),
    ("maud", &["evaluate", "web"]),
];

type Arrows = BTreeMap<String, BTreeSet<String>>;

#[test]
fn crates_use_what_the_architecture_says_and_no_other() {
    let documented: Arrows = documented_arrows().into_iter().collect();
    let names: BTreeSet<String> = crate_names().into_iter().collect();
    assert_eq!(documented.keys().cloned().collect::<BTreeSet<_>>(), names, "rows of the table against crates/");
    for name in &names {
        let used: BTreeSet<String> = normal_dependencies(name).intersection(&names).cloned().collect();
        assert_eq!(used, documented[name], "crates/{name}/Cargo.toml (left) against ARCHITECTURE.md (right)");
    }
}

#[test]
fn a_crate_uses_only_those_above_it() {
    // A table in such an order proves that there is no cycle.
    let mut above = BTreeSet::new();
    for (name, used) in documented_arrows() {
        let below: Vec<&String> = used.difference(&above).collect();
        assert!(below.is_empty(), "`{name}` uses {below:?}, which the table lists below it");
        above.insert(name);
    }
}

#[test]
fn development_dependencies_close_no_cycle() {
    let names: BTreeSet<String> = crate_names().into_iter().collect();
    let arrows: Arrows = names
        .iter()
        .map(|name| {
            let mut used = normal_dependencies(name);
            used.extend(dependencies(name, "dev-dependencies"));
            used.remove(name);
            (name.clone(), used.intersection(&names).cloned().collect())
        })
        .collect();
    let mut left = arrows;
    while !left.is_empty() {
        let free: Vec<String> = left
            .iter()
            .filter(|(_, used)| used.is_disjoint(&left.keys().cloned().collect()))
            .map(|(name, _)| name.clone())
            .collect();
        assert!(!free.is_empty(), "a cycle among {:?}", left.keys());
        left.retain(|name, _| !free.contains(name));
    }
}

#[test]
fn packages_of_one_purpose_stay_in_their_crates() {
    for name in crate_names() {
        for package in normal_dependencies(&name) {
            let users = PACKAGE_USERS.iter().find(|(guarded, _)| *guarded == package).map(|(_, users)| users);
            assert!(users.is_none_or(|users| users.contains(&name.as_str())), "`{name}` must not use {package}");
        }
    }
}

/// The rows of the table of crates in ARCHITECTURE.md, in its order: name and used crates. The program's own row, the
/// last one, is left out: it may use every crate.
fn documented_arrows() -> Vec<(String, BTreeSet<String>)> {
    let text = fs::read_to_string(workspace().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md is there");
    let mut rows: Vec<(String, BTreeSet<String>)> = text
        .lines()
        .skip_while(|line| !line.starts_with("| crate |"))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            assert_eq!(cells.len(), 6, "four columns: {line}");
            (quoted(cells[1]).next().expect("a name").to_owned(), quoted(cells[3]).map(str::to_owned).collect())
        })
        .collect();
    let last = rows.pop().expect("the table has rows");
    assert_eq!(last.0, "echolabel");
    rows
}

/// The words between backticks.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

fn normal_dependencies(name: &str) -> BTreeSet<String> {
    dependencies(name, "dependencies")
}

/// The names in a section of a crate's Cargo.toml and in the same section of every target.
fn dependencies(name: &str, section: &str) -> BTreeSet<String> {
    let path = workspace().join("crates").join(name).join("Cargo.toml");
    let manifest: toml::Table = fs::read_to_string(path).expect("a manifest").parse().expect("TOML");
    let targets = manifest.get("target").and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::values);
    std::iter::once(manifest.get(section))
        .chain(targets.map(|target| target.get(section)))
        .flatten()
        .filter_map(toml::Value::as_table)
        .flat_map(|table| table.keys().cloned())
        .collect()
}
