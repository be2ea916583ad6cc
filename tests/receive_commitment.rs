//! Storage commitment, asked for by pynetdicom.

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use support::receiver::{Receiving, free_port, wait_until};
use support::{dicom_files, small_studies};

#[test]
fn a_report_comes_on_the_association_of_the_request_or_on_a_new_one() {
    let Some(python) = test_support::python_with("pynetdicom") else { return };
    let base = tempfile::tempdir().unwrap();
    let files = dicom_files(&small_studies(&base.path().join("away"), 1, 33).remove(0).0);
    let report_port = free_port();
    let peer = format!("addresses = [\"127.0.0.1\"], report_to = \"127.0.0.1:{report_port}\"");
    let receiving = Receiving::with_peer(base.path(), &peer, "");
    for mode in ["same", "new"] {
        let asked = Command::new(&python)
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/commitment.py"))
            .args([receiving.port.to_string(), mode.to_owned(), report_port.to_string()])
            .args(&files[..3])
            .output()
            .unwrap();
        let (stdout, stderr) = (String::from_utf8_lossy(&asked.stdout), String::from_utf8_lossy(&asked.stderr));
        assert!(asked.status.success(), "{mode}: {stderr}\n{}", receiving.log());
        assert_eq!(stdout.trim(), "3 1", "{mode}: {stderr}");
        let requests = receiving.folder.join(".incoming/requests");
        wait_until("no request waits", || fs::read_dir(&requests).unwrap().count() == 0);
    }
}
