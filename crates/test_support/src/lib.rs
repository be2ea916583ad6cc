//! Finds data and programs that tests use but that are not part of the repository, and counts the tests that are skipped
//! without them. Only tests depend on this crate.

mod postgres_server;
mod small_disk;

pub use postgres_server::PostgresServer;
pub use small_disk::SmallDisk;

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

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

/// Returns the path of a file that a package of the system brings. Without it the calling test is counted as skipped.
pub fn installed_file(path: &str) -> Option<PathBuf> {
    let path = PathBuf::from(path);
    if !path.is_file() {
        record_skipped(&format!("no {}", path.display()));
        return None;
    }
    Some(path)
}

/// Returns the Python of `make peers-dicom` (or `ECHOLABEL_PEERS_PYTHON`) if it has a module. Without it the calling test is
/// counted as skipped.
pub fn python_with(module: &str) -> Option<PathBuf> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let python = std::env::var_os("ECHOLABEL_PEERS_PYTHON")
        .map_or_else(|| repository.join(".venv-dicom/bin/python"), PathBuf::from);
    let has_module = Command::new(&python)
        .args(["-c", &format!("import {module}")])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !has_module {
        record_skipped(&format!("no Python with {module}"));
    }
    has_module.then_some(python)
}

/// Returns the path of a program of another project, such as dcmtk's `storescu`. Where it is not installed the calling test
/// is counted as skipped; `make peers-dicom` installs those of DICOM.
pub fn program(name: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    // Debian keeps servers where only root looks for them; `make peers-objects` installs its own here.
    let others = [PathBuf::from("/usr/sbin"), Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.venv-objects/bin")];
    let found =
        std::env::split_paths(&folders).chain(others).map(|folder| folder.join(name)).find(|path| path.is_file());
    if found.is_none() {
        record_skipped(&format!("{name} is not installed"));
    }
    found
}

/// Notes that the calling test does nothing, and why.
pub fn record_skipped(reason: &str) {
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
