//! Finds data that tests read but that may not be part of the repository, and counts the tests that are skipped without
//! them. Only tests depend on this crate.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Environment variable that names a file. Each skipped test appends its name; `tools/run_tests` counts the lines.
const SKIPPED_TESTS: &str = "ECHOLABEL_SKIPPED_TESTS";

/// Returns the folder of public echo data: `ECHOLABEL_SHARED_DATA`, or `../shared/data` beside the repository. Without it
/// the calling test is counted as skipped.
pub fn shared_data() -> Option<PathBuf> {
    shared_folder("ECHOLABEL_SHARED_DATA", "data")
}

/// Returns the folder of reference numbers that are too large for the repository: `ECHOLABEL_SHARED_REFERENCE`, or
/// `../shared/reference` beside the repository. Without it the calling test is counted as skipped.
pub fn shared_reference() -> Option<PathBuf> {
    shared_folder("ECHOLABEL_SHARED_REFERENCE", "reference")
}

fn shared_folder(variable: &str, name: &str) -> Option<PathBuf> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = std::env::var_os(variable).map_or_else(|| repository.join("../shared").join(name), PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    record_skipped(&format!("no {}", folder.display()));
    None
}

/// Notes that the calling test does nothing, and why.
fn record_skipped(reason: &str) {
    let package = std::env::var("CARGO_PKG_NAME").unwrap_or_default();
    // The test harness names a test's thread after the test.
    let thread = std::thread::current();
    let line = format!("{package}: {}: {reason}", thread.name().unwrap_or("a test"));
    println!("skipped: {line}");
    if let Some(file) = std::env::var_os(SKIPPED_TESTS) {
        let mut file =
            OpenOptions::new().create(true).append(true).open(file).expect("the list of skipped tests opens");
        // One write, so that lines of tests that run side by side do not mix.
        file.write_all(format!("{line}\n").as_bytes()).expect("the list of skipped tests can be written");
    }
}
