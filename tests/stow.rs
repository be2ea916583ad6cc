//! Objects that come by STOW-RS, as a user sets it up.

mod support;

use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use support::certificates::Authority;
use support::receiver::{Receiving, data_set, wait_until};
use support::{count, dicom_files, run, small_studies};

const TOKEN: &str = "secret of the lab";

/// Lines of `[receive]` that take objects from a sender with a token.
fn with_token(base: &Path) -> String {
    fs::write(base.join("pacs.token"), format!("{TOKEN}\n")).unwrap();
    "[receive.stow]\nlisten = \"127.0.0.1:0\"\nsenders = [{ name = \"PACS\", token_file = \"pacs.token\" }]".to_owned()
}

/// Writes files as the body of a request.
fn body_of(files: &[PathBuf]) -> Vec<u8> {
    let mut body = Vec::new();
    for file in files {
        body.extend(b"--edge\r\nContent-Type: application/dicom\r\n\r\n");
        body.extend(fs::read(file).unwrap());
        body.extend(b"\r\n");
    }
    body.extend(b"--edge--");
    body
}

/// Posts a body with curl and returns the status and the answer.
fn post(curl: &Path, address: &str, body: &Path, options: &[&str]) -> (String, Value) {
    let ran = Command::new(curl)
        .args(["--silent", "--show-error", "--write-out", "\n%{http_code}", "--data-binary"])
        .arg(format!("@{}", body.display()))
        .args(["--header", "Content-Type: multipart/related; type=\"application/dicom\"; boundary=edge"])
        .args(options)
        .arg(address)
        .output()
        .unwrap();
    let stdout = String::from_utf8(ran.stdout).unwrap();
    let (answer, status) = stdout.rsplit_once('\n').unwrap();
    (status.to_owned(), serde_json::from_str(answer).unwrap_or_default())
}

#[test]
fn a_study_that_is_stored_is_in_the_inventory() {
    let Some(curl) = test_support::program("curl") else { return };
    let base = tempfile::tempdir().unwrap();
    let (study, truth) = small_studies(&base.path().join("away"), 1, 61).remove(0);
    let files = dicom_files(&study);
    let body = base.path().join("body");
    fs::write(&body, body_of(&files)).unwrap();
    let mut receiving = Receiving::start(base.path(), &with_token(base.path()));
    let address = format!("http://127.0.0.1:{}/dicom-web/studies", receiving.stow_port());
    let token = format!("Authorization: Bearer {TOKEN}");
    assert_eq!(post(&curl, &address, &body, &[]).0, "401");
    let (status, answer) = post(&curl, &address, &body, &["--header", &token]);
    assert_eq!(status, "200", "{answer}");
    assert_eq!(answer["00081199"]["Value"].as_array().unwrap().len(), files.len(), "{answer}");
    let own_study = format!("{address}/{}", truth["study_instance_uid"].as_str().unwrap());
    assert_eq!(
        post(&curl, &own_study, &body, &["--header", &token, "--header", "Transfer-Encoding: chunked"]).0,
        "200"
    );
    assert_eq!(post(&curl, &format!("{address}/1.2.3"), &body, &["--header", &token]).0, "409");
    let data_sets = |files: &[PathBuf]| {
        let mut found: Vec<Vec<u8>> = files.iter().map(|file| data_set(&fs::read(file).unwrap())).collect();
        found.sort();
        found
    };
    assert!(data_sets(&receiving.stored()) == data_sets(&files));
    wait_until("all loops have a label", || {
        fs::metadata(&receiving.database).is_ok()
            && count(&receiving.database, "job WHERE state IN ('done', 'skipped')") == files.len() as u64
    });
    assert!(receiving.end().1, "{}", receiving.log());
    // The log names the sender and UIDs, and neither the token nor files.
    let log = receiving.log();
    assert!(log.contains("PACS") && !log.contains(TOKEN) && !log.contains(base.path().to_str().unwrap()), "{log}");
}

#[test]
fn an_encrypted_sender_is_known_by_its_certificate() {
    let (Some(curl), Some(openssl)) = (test_support::program("curl"), test_support::program("openssl")) else { return };
    let base = tempfile::tempdir().unwrap();
    let authority = Authority::new(&openssl);
    let (server, router, twin) =
        (authority.identity("server"), authority.identity("router"), authority.identity("twin"));
    let files = dicom_files(&small_studies(&base.path().join("away"), 1, 62).remove(0).0);
    let body = base.path().join("body");
    fs::write(&body, body_of(&files[..1])).unwrap();
    let ca = authority.path("ca.pem");
    let keys = format!(
        "[receive.stow]\nlisten = \"127.0.0.1:0\"\nsenders = [{{ name = \"ROUTER\", certificate_sha256 = \"{}\" }}]\n\
         tls = {{ cert = {:?}, key = {:?}, client_ca = {ca:?} }}",
        authority.fingerprint("router"),
        server.certificate,
        server.key
    );
    let receiving = Receiving::start(base.path(), &keys);
    let address = format!("https://127.0.0.1:{}/dicom-web/studies", receiving.stow_port());
    let ca = ca.to_str().unwrap();
    let send = |identity: &domain::TlsIdentity| {
        let (certificate, key) = (identity.certificate.to_str().unwrap(), identity.key.to_str().unwrap());
        post(&curl, &address, &body, &["--cacert", ca, "--cert", certificate, "--key", key]).0
    };
    assert_eq!((send(&router), send(&twin)), ("200".to_owned(), "401".to_owned()));
    assert_eq!(post(&curl, &address, &body, &["--cacert", ca]).0, "000", "no certificate, no connection");
    assert_eq!(receiving.stored().len(), 1);
}

#[test]
fn a_kill_in_the_middle_leaves_whole_objects_alone() {
    let base = tempfile::tempdir().unwrap();
    let files = dicom_files(&small_studies(&base.path().join("away"), 1, 63).remove(0).0);
    let keys = with_token(base.path());
    let receiving = Receiving::start(base.path(), &keys);
    let body = body_of(&files[..3]);
    let mut stream = TcpStream::connect(("127.0.0.1", receiving.stow_port())).unwrap();
    let head = format!(
        "POST /dicom-web/studies HTTP/1.1\r\nHost: lab\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: {}\r\n\
         Content-Type: multipart/related; type=application/dicom; boundary=edge\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&body[..body.len() - 1000]).unwrap();
    wait_until("two objects are stored", || receiving.logged("object received") == 2);
    receiving.signal("-KILL");
    let stored = receiving.stored();
    assert_eq!(stored.len(), 2);
    for file in &stored {
        let sent = files.iter().map(|file| data_set(&fs::read(file).unwrap()));
        assert!(sent.into_iter().any(|sent| sent == data_set(&fs::read(file).unwrap())));
    }
    drop(receiving);
    let again = Receiving::start(base.path(), &keys);
    assert!(
        !fs::read_dir(base.path().join("in/.incoming"))
            .unwrap()
            .any(|entry| { entry.unwrap().path().extension().is_some_and(|extension| extension == "part") })
    );
    assert_eq!(again.stored().len(), 2);
}

#[test]
fn a_configuration_that_cannot_work_is_explained() {
    let base = tempfile::tempdir().unwrap();
    fs::create_dir(base.path().join("in")).unwrap();
    for (keys, expected) in [
        ("senders = [{ name = \"PACS\" }]", "needs a token or a certificate"),
        ("senders = [{ name = \"PACS\", token_file = \"nowhere\" }]", "nowhere"),
        ("senders = [{ name = \"PACS\", certificate_sha256 = \"AB\" }]", "openssl x509"),
        ("listen = \"11113\"", "receive.stow.listen"),
        ("listen = \"0.0.0.0:11113\"", "in the clear"),
        ("senders = []", "nobody may store"),
    ] {
        let config = base.path().join("echolabel.toml");
        fs::write(&config, format!("[inbox]\nfolders = [\"in\"]\n[receive.stow]\n{keys}\n")).unwrap();
        let (code, _, stderr) = run(&["config", "check", "--config", config.to_str().unwrap()]);
        assert!(code == 2 && stderr.contains(expected), "{keys}: {code} {stderr}");
    }
}
