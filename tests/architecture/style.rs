//! Counts of what the style of CONTRIBUTING.md forbids. They may only go down.

use std::collections::BTreeMap;
use std::path::Path;

use crate::sources::{SourceFile, rust_files};

/// Lines of a file, at most.
const MAX_LINES: usize = 400;

/// Words that a doc comment must not open with: it names a thing or says what a function does.
const OPENINGS: [&str; 5] = ["What", "How", "Whether", "Where", "Why"];

/// Constants named `MOST_` or `LEAST_` instead of `MAX_` or `MIN_`, at most, of each crate that still has some.
const MAX_OLD_LIMITS: [(&str, usize); 1] = [("daemon", 1)];

#[test]
fn files_are_short() {
    for file in ["crates", "src", "tests"].into_iter().flat_map(rust_files) {
        let lines = file.text.lines().count();
        assert!(lines <= MAX_LINES, "{} has {lines} lines, {MAX_LINES} are allowed", file.path.display());
    }
}

#[test]
fn doc_comments_open_with_what_the_thing_is_or_does() {
    check("doc comments that open with a question word", &[], question_openings);
}

#[test]
fn limits_are_named_max_and_min() {
    check("constants named MOST_ or LEAST_", &MAX_OLD_LIMITS, old_limits);
}

fn check(what: &str, allowed: &[(&str, usize)], count: impl Fn(&str) -> usize) {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for file in ["crates", "src", "tests"].into_iter().flat_map(rust_files).filter(|file| !is_this_test(file)) {
        *counts.entry(owner(&file.path)).or_default() += count(&file.text);
    }
    for (name, count) in counts {
        let most = allowed.iter().find(|(allowed, _)| *allowed == name).map_or(0, |(_, most)| *most);
        assert!(count <= most, "{name} has {count} {what}, {most} are allowed");
    }
}

/// This test's own text names what it looks for.
fn is_this_test(file: &SourceFile) -> bool {
    file.path.starts_with("tests/architecture")
}

/// The crate that a file belongs to, or `src` or `tests`.
fn owner(path: &Path) -> String {
    let mut parts = path.components().map(|part| part.as_os_str().to_string_lossy().into_owned());
    match (parts.next(), parts.next()) {
        (Some(first), Some(second)) if first == "crates" => second,
        (first, _) => first.unwrap_or_default(),
    }
}

fn question_openings(text: &str) -> usize {
    let mut is_within = false;
    let mut count = 0;
    for line in text.lines().map(str::trim_start) {
        let doc = line.strip_prefix("///").or_else(|| line.strip_prefix("//!"));
        if let Some(words) = doc.filter(|_| !is_within) {
            let first = words.split_whitespace().next().unwrap_or_default();
            count += usize::from(OPENINGS.contains(&first.trim_end_matches([',', '\''])));
        }
        is_within = doc.is_some();
    }
    count
}

fn old_limits(text: &str) -> usize {
    text.lines()
        .map(|line| line.trim_start().trim_start_matches("pub ").trim_start_matches("pub(crate) "))
        .filter(|line| line.starts_with("const MOST_") || line.starts_with("const LEAST_"))
        .count()
}

#[test]
fn only_the_first_line_of_a_comment_counts() {
    assert_eq!(question_openings("/// What it is.\n/// How it is.\nfn a() {}\n//! Where\n/// Returns\n"), 2);
    assert_eq!(old_limits("const MOST_A: u8 = 1;\n    pub const LEAST_B: u8 = 1;\nconst MAX_C: u8 = 1;"), 2);
}
