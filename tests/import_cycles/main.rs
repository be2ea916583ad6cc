//! Files of a crate import each other in one direction only: a cycle can be read, tested and moved only as a whole.
//!
//! A file uses another where its code names something that the other defines; through how many `mod.rs` the name comes
//! does not matter, and a re-export alone is no use.

mod modules;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use modules::Modules;

/// A `mod.rs` that declares the type or trait of its files and also chooses among them.
const DISPATCH: &str = "the mod.rs declares what its files implement and chooses among them";
/// Code that has not been taken apart yet.
const ENTANGLED: &str = "to be taken apart";

/// Cycles that are allowed, by crate and files (a name that ends in `/` stands for all files of the folder), with the
/// reason. No file may be added to one; a group that is gone must be taken off the list.
const ALLOWED: &[(&str, &[&str], &str)] = &[
    ("checkpoint", &["hdf5/"], DISPATCH),
    ("checkpoint", &["keras/", "lib.rs", "safetensors_file.rs", "torch/"], DISPATCH),
    ("daemon", &["daemon.rs", "session.rs"], ENTANGLED),
    ("echolabel", &["commands/bench/"], DISPATCH),
    ("echolabel", &["commands/eval/"], DISPATCH),
    ("parity", &["eleven_views.rs", "resize.rs"], DISPATCH),
    ("parity", &["heads.rs", "models.rs"], DISPATCH),
    ("parity", &["weight_files/"], DISPATCH),
    ("pipeline", &["engine/"], ENTANGLED),
    ("store", &["export/"], DISPATCH),
    ("train", &["augment/"], DISPATCH),
    ("train", &["cache.rs", "data/", "recipe.rs"], ENTANGLED),
    ("zoo", &["card.rs", "model.rs", "quantization.rs", "registry.rs"], ENTANGLED),
    ("zoo", &["encoders/"], DISPATCH),
    ("zoo", &["heads/"], DISPATCH),
];

#[test]
fn files_import_each_other_without_cycles() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut used = BTreeSet::new();
    for (name, root) in crate_roots(workspace) {
        let directory = root.parent().expect("a root file lies in a folder");
        for cycle in cycles(&Modules::read(&root).file_edges()) {
            let files: Vec<String> = cycle
                .iter()
                .map(|file| file.strip_prefix(directory).expect("a file of the crate").display().to_string())
                .collect();
            let allowed = ALLOWED.iter().position(|(allowed, group, _)| {
                let is_listed = |file: &String| {
                    group.iter().any(|listed| file == listed || listed.ends_with('/') && file.starts_with(listed))
                };
                *allowed == name && files.iter().all(is_listed)
            });
            match allowed {
                Some(index) => drop(used.insert(index)),
                None => found.push(format!("{name}: {}", files.join(", "))),
            }
        }
    }
    assert!(found.is_empty(), "files that import each other:\n{}", found.join("\n"));
    let gone: Vec<_> = ALLOWED.iter().enumerate().filter(|(index, _)| !used.contains(index)).collect();
    assert!(gone.is_empty(), "no cycles any more, take them off the list: {gone:?}");
}

#[test]
fn a_cycle_through_a_reexport_is_found_and_its_neighbors_are_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("a file");
    write("lib.rs", "mod a; mod b; mod c; mod d; pub use a::A; pub use b::B;");
    write("a.rs", "use crate::B; pub struct A(pub Box<B>);");
    write("b.rs", "pub struct B(Option<super::a::A>); #[cfg(test)] mod tests { use crate::d::D; }");
    write("c.rs", "use crate::{A, d::D}; pub struct C(A, D);");
    write("d.rs", "use std::fmt; pub struct D; impl fmt::Debug for D { }");
    let edges = Modules::read(&folder.path().join("lib.rs")).file_edges();
    let found = cycles(&edges);
    assert_eq!(found, [["a.rs", "b.rs"].map(|name| folder.path().join(name)).to_vec()]);
    assert_eq!(edges[&folder.path().join("c.rs")].len(), 2);
}

/// Names and root files of all crates.
fn crate_roots(workspace: &Path) -> Vec<(String, PathBuf)> {
    let crates = std::fs::read_dir(workspace.join("crates")).expect("a folder of crates");
    let mut roots: Vec<(String, PathBuf)> = crates
        .map(|entry| {
            let entry = entry.expect("an entry of the folder");
            (entry.file_name().to_string_lossy().into_owned(), entry.path().join("src/lib.rs"))
        })
        .chain([("echolabel".to_owned(), workspace.join("src/main.rs"))])
        .collect();
    roots.sort();
    roots
}

/// Groups of files each of which reaches every other.
fn cycles(edges: &BTreeMap<PathBuf, BTreeSet<PathBuf>>) -> Vec<Vec<PathBuf>> {
    let reached: BTreeMap<&PathBuf, BTreeSet<&PathBuf>> = edges.keys().map(|file| (file, reach(edges, file))).collect();
    let mut groups = BTreeSet::new();
    for (file, others) in &reached {
        let group: Vec<PathBuf> =
            others.iter().filter(|other| reached[**other].contains(file)).map(|&other| other.clone()).collect();
        if !group.is_empty() {
            groups.insert(group);
        }
    }
    groups.into_iter().collect()
}

/// Files that are used by a file, directly or by others; the file itself if it is part of a cycle.
fn reach<'a>(edges: &'a BTreeMap<PathBuf, BTreeSet<PathBuf>>, file: &'a PathBuf) -> BTreeSet<&'a PathBuf> {
    let mut reached = BTreeSet::new();
    let mut left = vec![file];
    while let Some(file) = left.pop() {
        left.extend(edges[file].iter().filter(|used| reached.insert(*used)));
    }
    reached
}
