//! `docs/findings.md` lists every finding. `UPDATE_DOCS=1 cargo test -p domain` writes it anew.

use std::fmt::Write;
use std::path::Path;

use domain::FindingCode;

const INTRODUCTION: &str = "# Findings

A finding is something odd about a loop that did not stop it from being read. `echolabel inspect --json` and
`echolabel label --json` give findings as `{code, message}`; the message says it with the numbers of that loop. A file
that cannot be read is an error instead.

Codes are stable. This page is written by `UPDATE_DOCS=1 cargo test -p domain`.

| code | meaning |
|---|---|
";

#[test]
fn the_page_lists_every_finding() {
    let mut page = INTRODUCTION.to_owned();
    for code in FindingCode::ALL {
        writeln!(page, "| `{code}` | {} |", code.meaning()).expect("a text grows");
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/findings.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).expect("docs can be written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(written, page, "docs/findings.md is out of date");
}
