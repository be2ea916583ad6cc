//! Encrypted objects from dcmtk.

mod support;

use std::process::Command;

use support::certificates::Authority;
use support::receiver::{Receiving, wait_until};
use support::{count, dicom_files, small_studies};

#[test]
fn dcmtk_sends_a_study_encrypted_and_only_with_a_certificate_of_the_lab() {
    let programs = ["openssl", "echoscu", "storescu"].map(test_support::program);
    let [Some(openssl), Some(echoscu), Some(storescu)] = programs else { return };
    let base = tempfile::tempdir().unwrap();
    let (lab, other) = (Authority::new(&openssl), Authority::new(&openssl));
    let (server, cart, stranger) = (lab.identity("server"), lab.identity("cart"), other.identity("stranger"));
    let ca = lab.path("ca.pem");
    let keys = format!("tls = {{ cert = {:?}, key = {:?}, client_ca = {ca:?} }}", server.certificate, server.key);
    let receiving = Receiving::with_peer(
        base.path(),
        &format!("addresses = [\"127.0.0.1\"], certificate_sha256 = \"{}\"", lab.fingerprint("cart")),
        &keys,
    );
    let encrypted = |program, identity: &domain::TlsIdentity| -> Command {
        let mut command = receiving.dcmtk(program);
        command.arg("+tls").args([&identity.key, &identity.certificate]).arg("+cf").arg(&ca);
        command
    };
    assert!(encrypted(&echoscu, &cart).status().unwrap().success(), "{}", receiving.log());
    assert!(!encrypted(&echoscu, &stranger).status().unwrap().success(), "of another authority");
    assert!(!encrypted(&echoscu, &server).status().unwrap().success(), "another certificate of the lab");
    assert!(!receiving.dcmtk(&echoscu).status().unwrap().success(), "not encrypted");

    let files = dicom_files(&small_studies(&base.path().join("away"), 1, 64).remove(0).0);
    for file in &files {
        for option in ["-xy", "-xs", "-xr", "-xe"] {
            if encrypted(&storescu, &cart).arg(option).arg(file).output().unwrap().status.success() {
                break;
            }
        }
    }
    assert_eq!(receiving.stored().len(), files.len(), "{}", receiving.log());
    wait_until("all loops have a label", || {
        std::fs::metadata(&receiving.database).is_ok()
            && count(&receiving.database, "job WHERE state IN ('done', 'skipped')") == files.len() as u64
    });
}
