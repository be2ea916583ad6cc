//! People are told, by a webhook and by e-mail.

mod support;

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use hmac::{Hmac, Mac as _};
use serde_json::Value;
use sha2::Sha256;
use support::http_server::HttpServer;
use support::{dicom_files, echolabel, small_studies};

/// Time after which something that should happen has not.
const HANG: Duration = Duration::from_secs(120);

struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A mail server that keeps what it gets; returns its port.
fn mail_server() -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mails = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&mails);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut answers = stream.try_clone().unwrap();
            let mut say = |text: &str| answers.write_all(format!("{text}\r\n").as_bytes()).is_ok();
            say("220 lab");
            let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
            while let Some(line) = lines.next() {
                match line.get(..4).unwrap_or_default() {
                    "DATA" => {
                        say("354 go on");
                        let mail: Vec<String> = lines.by_ref().take_while(|line| line != ".").collect();
                        kept.lock().unwrap().push(mail.join("\n"));
                        say("250 kept");
                    }
                    "QUIT" => {
                        say("221 bye");
                        break;
                    }
                    _ => {
                        say("250 ok");
                    }
                }
            }
        }
    });
    (port, mails)
}

#[test]
fn an_incomplete_study_failed_files_and_a_full_disk_are_told_once_without_patient_data() {
    let hook = HttpServer::start(|_| (204, "text/plain", Vec::new()));
    let (mail_port, mails) = mail_server();
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
    let child = echolabel()
        .args(["watch", "--config", config.to_str().unwrap()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _daemon = Daemon(child);
    let events = |name: &str| {
        let told: Vec<Value> =
            hook.requests().iter().map(|request| serde_json::from_slice(&request.body).unwrap()).collect();
        told.into_iter().filter(|message| message["event"] == name).collect::<Vec<Value>>()
    };
    let start = Instant::now();
    while mails.lock().unwrap().len() < 3 || events("study_incomplete").is_empty() {
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
        mails.lock().unwrap(),
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
    let mails = mails.lock().unwrap();
    assert!(mails.iter().any(|mail| mail.contains("Subject: echolabel: Study 1 closed")), "{mails:?}");
}
