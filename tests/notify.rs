//! People are told, by a webhook and by e-mail.

mod support;

use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use hmac::{Hmac, Mac as _};
use serde_json::Value;
use sha2::Sha256;
use support::certificates::Authority;
use support::http_server::HttpServer;
use support::mail_server::MailServer;
use support::{Running, dicom_files, echolabel, small_studies};

/// Time after which something that should happen has not.
const HANG: Duration = Duration::from_secs(120);

#[test]
fn an_incomplete_study_failed_files_and_a_full_disk_are_told_once_without_patient_data() {
    let hook = HttpServer::start(|_| (204, "text/plain", Vec::new()));
    let mail_server = MailServer::start(None);
    let mail_port = mail_server.port;
    let folder = tempfile::tempdir().unwrap();
    let (study, truth) = small_studies(&folder.path().join("inbox"), 1, 15).remove(0);
    let broken = &dicom_files(&study)[0];
    let bytes = fs::read(broken).unwrap();
    let bits_allocated = b"\x28\x00\x00\x01US\x02\x00";
    let at = bytes.windows(bits_allocated.len()).position(|window| window == bits_allocated).unwrap();
    fs::write(broken, [&bytes[..at + 8], &[13], &bytes[at + 9..]].concat()).unwrap();
    fs::write(folder.path().join("key"), "the key\n").unwrap();
    let config = folder.path().join("echolabel.toml");
    let text = format!(
        "database = \"lab.sqlite\"\n[inbox]\nfolders = [\"inbox\"]\nstability_seconds = 0.1\n\
         [labelling]\npipeline = \"tte11-tiny\"\n[study]\nquiet_minutes = 0.05\n\
         [notify]\nmin_free_gb = 1000000.0\nnothing_received_by = \"00:00\"\n\
         webhook = {{ url = \"{}/hook\", secret_file = \"key\" }}\n\
         email = {{ server = \"127.0.0.1:{mail_port}\", encryption = \"none\", from = \"echo@lab.example\", \
         to = [\"lead@lab.example\"] }}\n",
        hook.address
    );
    fs::write(&config, text).unwrap();
    let _daemon = Running::watch(&config);
    let events = |name: &str| {
        let told: Vec<Value> =
            hook.requests().iter().map(|request| serde_json::from_slice(&request.body).unwrap()).collect();
        told.into_iter().filter(|message| message["event"] == name).collect::<Vec<Value>>()
    };
    let start = Instant::now();
    while mail_server.mails().len() < 3 || events("study_incomplete").is_empty() {
        assert!(start.elapsed() < HANG, "{:#?}", hook.requests());
        thread::sleep(Duration::from_millis(200));
    }
    // Time for a second round, which must tell nothing again.
    thread::sleep(Duration::from_secs(4));

    let incomplete = events("study_incomplete");
    assert_eq!((incomplete.len(), events("files_failed").len(), events("disk_low").len()), (1, 1, 1));
    assert!(events("nothing_received").is_empty(), "the program started after that hour");
    assert!(incomplete[0]["text"].as_str().unwrap().contains("lacks by protocol minimal: PLAX"), "{incomplete:?}");
    assert_eq!(incomplete[0]["study_number"], 1);
    let everything = format!(
        "{:?}{:?}",
        mail_server.mails(),
        hook.requests().iter().map(|request| String::from_utf8_lossy(&request.body).into_owned()).collect::<Vec<_>>()
    );
    for secret in ["PHANTOM", truth["study_instance_uid"].as_str().unwrap(), "loop001"] {
        assert!(!everything.contains(secret), "{secret}: {everything}");
    }
    for request in hook.requests() {
        let mut mac = Hmac::<Sha256>::new_from_slice(b"the key").unwrap();
        mac.update(&request.body);
        let digits: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(request.header("x-echolabel-signature-256"), Some(format!("sha256={digits}").as_str()));
    }
    let mails = mail_server.mails();
    assert!(mails.iter().any(|mail| mail.contains("Subject: echolabel: Study 1 closed")), "{mails:?}");
}

#[test]
fn mail_is_sent_encrypted_to_a_server_that_is_trusted_and_to_no_other() {
    let Some(openssl) = test_support::program("openssl") else { return };
    let (lab, other) = (Authority::new(&openssl), Authority::new(&openssl));
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("inbox")).unwrap();
    let config = folder.path().join("echolabel.toml");
    let ca = lab.path("ca.pem");
    for (authority, is_trusted) in [(&lab, true), (&other, false)] {
        let server = MailServer::start(Some(&authority.identity("mail")));
        let text = format!(
            "database = \"{is_trusted}.sqlite\"\n[inbox]\nfolders = [\"inbox\"]\n[labelling]\npipeline = \"tte11-tiny\"\n\
             [notify]\nmin_free_gb = 1000000.0\n\
             email = {{ server = \"localhost:{}\", encryption = \"tls\", from = \"echo@lab.example\", \
             to = [\"lead@lab.example\"] }}\n",
            server.port
        );
        fs::write(&config, text).unwrap();
        let child = echolabel()
            .args(["watch", "--config", config.to_str().unwrap()])
            // The authorities that the system knows.
            .env("SSL_CERT_FILE", &ca)
            .env_remove("SSL_CERT_DIR")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let _daemon = Running(child);
        let start = Instant::now();
        while server.mails().is_empty() && server.refused() == 0 {
            assert!(start.elapsed() < HANG, "no mail");
            thread::sleep(Duration::from_millis(200));
        }
        assert_eq!((server.mails().len(), server.refused() > 0), (usize::from(is_trusted), !is_trusted));
    }
}
