//! Crates get values and give values: they print nothing and read nothing from the environment.

use crate::sources::production_files;

/// Text that stands for printing or for reading the environment.
const FORBIDDEN: [&str; 8] =
    ["println!", "eprintln!", "print!(", "eprint!(", "dbg!(", "std::env::", "use std::env", "env::var"];

/// Files that may, with the reason.
const ALLOWED: [(&str, &str, &str); 3] = [
    (
        "crates/runtime/src/instruction_set.rs",
        "use std::env",
        "ECHOLABEL_KERNELS, documented, forces an instruction set",
    ),
    ("crates/runtime/src/instruction_set.rs", "env::var", "the same"),
    ("crates/nn/src/maps/compiled.rs", "env::var", "ECHOLABEL_KERNELS=plain runs the reference implementation"),
];

#[test]
fn crates_neither_print_nor_read_the_environment() {
    let mut found = Vec::new();
    for file in production_files("crates").iter().filter(|file| is_library_source(&file.path)) {
        for (number, line) in file.text.lines().enumerate() {
            let code = line.trim_start();
            if code.starts_with("//") {
                continue;
            }
            let path = file.path.to_string_lossy();
            let is_forbidden = FORBIDDEN.iter().any(|text| code.contains(text));
            let is_allowed = ALLOWED.iter().any(|(allowed, text, _)| *allowed == path && code.contains(text));
            if is_forbidden && !is_allowed {
                found.push(format!("{path}:{}: {}", number + 1, code));
            }
        }
    }
    assert!(found.is_empty(), "only the program prints and reads the environment:\n{}", found.join("\n"));
}

/// Names of files and header texts come from outside; `src/output` makes them harmless for a terminal.
#[test]
fn the_program_prints_only_through_its_output_module() {
    let mut found = Vec::new();
    for file in production_files("src").iter().filter(|file| !file.path.starts_with("src/output")) {
        for (number, line) in file.text.lines().enumerate() {
            let code = line.trim_start();
            let prints =
                ["println!", "eprintln!", "print!(", "eprint!(", "dbg!("].iter().any(|text| code.contains(text));
            if prints && !code.starts_with("//") {
                found.push(format!("{}:{}: {code}", file.path.display(), number + 1));
            }
        }
    }
    assert!(found.is_empty(), "use crate::output:\n{}", found.join("\n"));
}

#[test]
fn every_exception_is_still_needed() {
    let files = production_files("crates");
    for (path, text, reason) in ALLOWED {
        let file = files.iter().find(|file| file.path.to_string_lossy() == path);
        assert!(file.is_some_and(|file| file.text.contains(text)), "{path} no longer has `{text}` ({reason})");
    }
}

/// Neither build scripts nor tests, examples and benches; nor the crate that only tests depend on.
fn is_library_source(path: &std::path::Path) -> bool {
    path.components().nth(2).is_some_and(|part| part.as_os_str() == "src") && !path.starts_with("crates/test_support")
}
