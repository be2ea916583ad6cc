//! Reports that are sent encrypted, with a certificate of ours.

mod support;

use std::fs;

use support::certificates::Authority;
use support::receiver::{Receiving, wait_until};
use support::{Running, json_lines, run, small_studies};

#[test]
fn reports_reach_an_archive_that_asks_for_a_certificate_by_both_ways() {
    let Some(openssl) = test_support::program("openssl") else { return };
    let lab = Authority::new(&openssl);
    let (server, own, stranger) =
        (lab.identity("server"), lab.identity("own"), Authority::new(&openssl).identity("stranger"));
    let (ca, digest) = (lab.path("ca.pem"), lab.fingerprint("own"));
    let base = tempfile::tempdir().unwrap();
    let tls = format!("tls = {{ cert = {:?}, key = {:?}, client_ca = {ca:?} }}", server.certificate, server.key);
    let archive_folder = base.path().join("archive");
    fs::create_dir(&archive_folder).unwrap();
    let archive = Receiving::with_peer(
        &archive_folder,
        &format!("certificate_sha256 = \"{digest}\""),
        &format!(
            "{tls}\n[receive.stow]\nlisten = \"127.0.0.1:0\"\nsenders = [{{ name = \"LAB\", certificate_sha256 = \"{digest}\" }}]\n{tls}"
        ),
    );
    let destination = |name: &str, protocol: &str, identity: &domain::TlsIdentity| {
        format!(
            "[[send.destinations]]\nname = \"{name}\"\n{protocol}\nca = {ca:?}\ncert = {:?}\nkey = {:?}\n",
            identity.certificate, identity.key
        )
    };
    let dicom = format!("dicom = \"ECHOLABEL@127.0.0.1:{}\"\ncalling_ae = \"US7\"", archive.port);
    let stow = format!("stow = \"https://127.0.0.1:{}/dicom-web/studies\"", archive.stow_port());
    small_studies(&base.path().join("inbox"), 1, 66);
    let config = base.path().join("lab.toml");
    let text = format!(
        "database = \"own.sqlite\"\n[inbox]\nfolders = [\"inbox\"]\nstability_seconds = 0.1\n\
         [retry]\nfirst_wait_seconds = 1\nlongest_wait_seconds = 2\n[study]\nquiet_minutes = 0.05\n\
         [send]\nallow_unvalidated = true\n{}{}{}{}",
        destination("dicom", &dicom, &own),
        destination("web", &stow, &own),
        destination("dicom-stranger", &dicom, &stranger),
        destination("web-stranger", &stow, &stranger),
    );
    fs::write(&config, text).unwrap();
    let _daemon = Running::watch(&config);
    let database = base.path().join("own.sqlite");
    let outbox = || {
        let (code, stdout, _) = run(&["jobs", "outbox", "--json", "--db", database.to_str().unwrap()]);
        if code == 0 { json_lines(&stdout) } else { Vec::new() }
    };
    let of = |name: &str, is_so: &dyn Fn(&serde_json::Value) -> bool| {
        outbox().iter().filter(|row| row["destination"] == name && is_so(row)).count()
    };
    for name in ["dicom", "web"] {
        wait_until(name, || of(name, &|row| row["state"] == "sent") == 2);
    }
    for name in ["dicom-stranger", "web-stranger"] {
        wait_until(name, || of(name, &|row| row["attempts"].as_u64() >= Some(1)) == 2);
        assert_eq!(of(name, &|row| row["state"] == "sent"), 0);
    }
    assert_eq!(archive.stored().len(), 2, "report and key objects, the same by both ways");
}

#[test]
fn the_check_of_the_configuration_names_certificates_and_tokens_that_cannot_be_used() {
    let Some(openssl) = test_support::program("openssl") else { return };
    let lab = Authority::new(&openssl);
    let (own, other, ca) = (lab.identity("own"), lab.identity("other"), lab.path("ca.pem"));
    let base = tempfile::tempdir().unwrap();
    let (config, token) = (base.path().join("lab.toml"), base.path().join("token"));
    fs::create_dir(base.path().join("inbox")).unwrap();
    fs::write(&token, "secret\n").unwrap();
    let check = |destination: &str| {
        let tables = format!("[inbox]\nfolders = [\"inbox\"]\n[[send.destinations]]\nname = \"pacs\"\n{destination}\n");
        fs::write(&config, tables).unwrap();
        let (code, stdout, stderr) = run(&["config", "check", "--config", config.to_str().unwrap()]);
        (code, format!("{stdout}{stderr}"))
    };
    let dicom = |key: &std::path::Path| {
        format!("dicom = \"PACS@10.0.0.7:11112\"\nca = {ca:?}\ncert = {:?}\nkey = {key:?}", own.certificate)
    };
    let stow =
        |ca: &std::path::Path| format!("stow = \"https://pacs.example/studies\"\nca = {ca:?}\ntoken_file = {token:?}");
    for sound in [dicom(&own.key), stow(&ca)] {
        assert_eq!(check(&sound).0, 0, "{}", check(&sound).1);
    }
    let absent = base.path().join("absent.pem");
    for (wrong, said) in [(dicom(&other.key), "own.pem"), (dicom(&absent), "absent.pem"), (stow(&own.key), "own.key")] {
        let (code, words) = check(&wrong);
        assert!(code == 2 && words.contains("send.destinations pacs: cannot use ") && words.contains(said), "{words}");
    }
    fs::write(&token, "\n").unwrap();
    let (code, words) = check(&stow(&ca));
    assert!(code == 2 && words.contains("the token is empty"), "{words}");
}
