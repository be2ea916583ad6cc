//! `demo --pacs`: studies in by DICOM, reports back into the archive, without a person.

mod support;

use std::process::Stdio;

use support::echolabel;

#[test]
fn a_simulated_study_comes_back_as_report_and_key_objects() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("demo");
    let output = echolabel()
        .args(["demo", "--pacs", "--studies", "1", "--out", out.to_str().unwrap()])
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{stdout}{stderr}");
    assert_eq!(stdout.matches("(status 0000)").count(), 2, "{stdout}");
    assert!(stdout.contains("structured report") && stdout.contains("key objects"), "{stdout}");
    assert!(stdout.contains("SIMULATED"), "the inventory says what the weights are: {stdout}");
    let connection = rusqlite::Connection::open(out.join("echolabel.sqlite")).unwrap();
    let sent: i64 =
        connection.query_row("SELECT count(*) FROM outbox WHERE state = 'sent'", [], |row| row.get(0)).unwrap();
    assert_eq!(sent, 2);
}
