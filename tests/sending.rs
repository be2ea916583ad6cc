//! Reports come back to the archive by themselves.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use dicom_dictionary_std::tags;
use dicom_object::{DefaultDicomObject, from_reader, open_file};
use serde_json::Value;
use support::http_server::{Answer, HttpServer, Request};
use support::{Running, count, dicom_files, echolabel, json_lines, run, small_studies};

/// Time after which something that should happen has not.
const HANG: Duration = Duration::from_secs(120);

struct Lab {
    folder: tempfile::TempDir,
    config: PathBuf,
    database: PathBuf,
    uid: String,
}

impl Lab {
    /// A simulated study in the inbox of a lab whose studies close after a moment, with a table `[send]`.
    fn new(send: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (_, truth) = small_studies(&folder.path().join("inbox"), 1, 5).remove(0);
        let config = folder.path().join("echolabel.toml");
        let text = format!(
            "database = \"lab.sqlite\"\n[inbox]\nfolders = [\"inbox\"]\nstability_seconds = 0.1\nrescan_seconds = 1\n\
             [retry]\nfirst_wait_seconds = 1\nlongest_wait_seconds = 2\n\
             [study]\nquiet_minutes = 0.05\n{send}"
        );
        fs::write(&config, text).unwrap();
        let database = folder.path().join("lab.sqlite");
        Self { config, database, uid: truth["study_instance_uid"].as_str().unwrap().to_owned(), folder }
    }

    fn watch(&self) -> Running {
        let log = fs::File::create(self.folder.path().join("log")).unwrap();
        let child = echolabel()
            .args(["watch", "--config", self.config.to_str().unwrap()])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        Running(child)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn outbox(&self) -> Vec<Value> {
        let (code, stdout, _) = run(&["jobs", "outbox", "--json", "--db", self.database.to_str().unwrap()]);
        if code == 0 { json_lines(&stdout) } else { Vec::new() }
    }

    /// Waits until the outbox is as a test wants it.
    fn wait_for(&self, what: &str, is_so: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let start = Instant::now();
        loop {
            let rows = self.outbox();
            if is_so(&rows) {
                return rows;
            }
            assert!(start.elapsed() < HANG, "{what}: {rows:#?}\n{}", self.log());
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn review(&self, view: &str) {
        let sop: String = rusqlite::Connection::open(&self.database)
            .unwrap()
            .query_row("SELECT min(sop_instance_uid) FROM loop WHERE skip_reason IS NULL", [], |row| row.get(0))
            .unwrap();
        let (code, _, stderr) =
            run(&["review", &sop, view, "--reviewer", "Kim", "--db", self.database.to_str().unwrap()]);
        assert_eq!(code, 0, "{stderr}");
    }
}

fn are_sent(rows: &[Value], number: usize) -> bool {
    rows.len() == number && rows.iter().all(|row| row["state"] == "sent")
}

fn text(object: &DefaultDicomObject, tag: dicom_object::Tag) -> String {
    object.element(tag).unwrap().to_str().unwrap().trim_end_matches(['\0', ' ']).to_owned()
}

/// Stores what comes by STOW-RS, or refuses it.
fn stow_answer(request: &Request) -> Answer {
    let object = from_reader(part(request)).unwrap();
    let uid = text(&object, tags::SOP_INSTANCE_UID);
    let body = serde_json::json!({ "00081199": { "vr": "SQ", "Value": [
        { "00081155": { "vr": "UI", "Value": [uid] } }
    ]}});
    (200, "application/dicom+json", body.to_string().into_bytes())
}

/// Returns the one part of a multipart request.
fn part(request: &Request) -> &[u8] {
    let body = &request.body;
    let start = body.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("the head of the part") + 4;
    let kind = request.header("content-type").expect("a type");
    let boundary = kind.split("boundary=").nth(1).expect("a boundary");
    let end = body.len() - format!("\r\n--{boundary}--\r\n").len();
    &body[start..end]
}

#[test]
fn a_study_that_closes_comes_back_by_stow_once_and_again_when_a_person_reviews_it() {
    let server = HttpServer::start(stow_answer);
    let send = format!(
        "[send]\nallow_unvalidated = true\n[[send.destinations]]\nname = \"web\"\nstow = \"{}/studies\"\ntoken_file = \"token\"\n",
        server.address
    );
    let lab = Lab::new(&send);
    fs::write(lab.folder.path().join("token"), "secret-token\n").unwrap();
    let daemon = lab.watch();
    lab.wait_for("report and key objects", |rows| are_sent(rows, 2));
    let requests = server.requests();
    assert_eq!(requests.len(), 2, "each once");
    let objects: Vec<DefaultDicomObject> = requests.iter().map(|request| from_reader(part(request)).unwrap()).collect();
    assert_eq!(objects.iter().map(|object| text(object, tags::MODALITY)).collect::<Vec<_>>(), ["SR", "KO"]);
    for (object, request) in objects.iter().zip(&requests) {
        assert_eq!(text(object, tags::STUDY_INSTANCE_UID), lab.uid);
        assert_eq!(request.header("authorization"), Some("Bearer secret-token"));
    }
    assert!(!lab.log().contains("PHANTOM"), "{}", lab.log());

    lab.review("PSAX-apical");
    let rows = lab.wait_for("the next revision", |rows| are_sent(rows, 4));
    assert_ne!(rows[0]["object_uid"], rows[2]["object_uid"]);
    let second = from_reader(part(&server.requests()[2])).unwrap();
    let predecessor = second.element(tags::PREDECESSOR_DOCUMENTS_SEQUENCE).unwrap();
    let named = format!("{:?}", predecessor.items().unwrap());
    assert!(named.contains(rows[0]["object_uid"].as_str().unwrap()), "the first revision is named: {named}");
    drop(daemon);

    // The same labels are no news, whatever the files' copies do.
    let _daemon = lab.watch();
    let loop_file = &dicom_files(&lab.folder.path().join("inbox/study001"))[0];
    fs::copy(loop_file, lab.folder.path().join("inbox/study001/copy.dcm")).unwrap();
    std::thread::sleep(Duration::from_secs(8));
    assert_eq!((server.requests().len(), count(&lab.database, "report")), (4, 2), "{}", lab.log());
    let stored: i64 = rusqlite::Connection::open(&lab.database)
        .unwrap()
        .query_row("SELECT count(*) FROM outbox WHERE payload NOT NULL", [], |row| row.get(0))
        .unwrap();
    assert_eq!(stored, 0, "what has arrived names no patient in the database any more");
}

#[test]
fn a_model_that_is_not_validated_is_held_and_a_server_that_is_away_is_waited_for() {
    let lab = Lab::new("[send]\n[[send.destinations]]\nname = \"web\"\nstow = \"http://127.0.0.1:9/studies\"\n");
    let daemon = lab.watch();
    let rows = lab.wait_for("held", |rows| rows.len() == 2);
    for row in &rows {
        assert_eq!(row["state"], "held");
        assert!(row["status"].as_str().unwrap().contains("allow_unvalidated"), "{row}");
    }
    assert!(lab.log().contains("allow_unvalidated"), "it is said at start: {}", lab.log());
    drop(daemon);

    let config = fs::read_to_string(&lab.config).unwrap().replace("[send]\n", "[send]\nallow_unvalidated = true\n");
    fs::write(&lab.config, &config).unwrap();
    let daemon = lab.watch();
    let rows = lab.wait_for("tried twice", |rows| rows.iter().all(|row| row["attempts"].as_u64() >= Some(2)));
    assert!(rows.iter().all(|row| row["state"] == "pending" && !row["not_before"].is_null()), "{rows:#?}");
    drop(daemon);

    let server = HttpServer::start(stow_answer);
    fs::write(&lab.config, config.replace("http://127.0.0.1:9", &server.address)).unwrap();
    let _daemon = lab.watch();
    lab.wait_for("sent", |rows| are_sent(rows, 2));
}

#[test]
fn a_refusal_is_final_until_a_person_retries_it() {
    let server = HttpServer::start(|request| match request.header("x-never") {
        None => (415, "text/plain", b"no".to_vec()),
        Some(_) => (500, "text/plain", Vec::new()),
    });
    let send = format!(
        "[send]\nallow_unvalidated = true\n[[send.destinations]]\nname = \"web\"\nstow = \"{}/studies\"\n",
        server.address
    );
    let lab = Lab::new(&send);
    let _daemon = lab.watch();
    let rows = lab.wait_for("refused", |rows| rows.len() == 2 && rows.iter().all(|row| row["state"] == "failed"));
    assert_eq!(rows[0]["status"], "HTTP 415");
    let before = server.requests().len();
    let (code, stdout, stderr) = run(&["jobs", "retry", "--outbox", "--db", lab.database.to_str().unwrap()]);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(stdout.lines().count(), 2, "{stdout}");
    lab.wait_for("tried again", |rows| rows.iter().all(|row| row["attempts"].as_u64() >= Some(2)));
    assert!(server.requests().len() >= before + 2);
}

fn received(folder: &Path) -> Vec<DefaultDicomObject> {
    let entries = fs::read_dir(folder).unwrap();
    entries.filter_map(|entry| open_file(entry.unwrap().path()).ok()).collect()
}

#[test]
fn a_study_comes_back_by_c_store() {
    let Some(storescp) = test_support::program("storescp") else { return };
    let folder = tempfile::tempdir().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let scp = Command::new(storescp)
        .args(["-aet", "PACS", "-od"])
        .arg(folder.path())
        .arg(port.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _scp = Running(scp);
    let send = format!(
        "[send]\nallow_unvalidated = true\n[[send.destinations]]\nname = \"pacs\"\ndicom = \"PACS@127.0.0.1:{port}\"\n"
    );
    let lab = Lab::new(&send);
    let _daemon = lab.watch();
    lab.wait_for("report and key objects", |rows| are_sent(rows, 2));
    let objects = received(folder.path());
    let mut kinds: Vec<String> = objects.iter().map(|object| text(object, tags::MODALITY)).collect();
    kinds.sort();
    assert_eq!(kinds, ["KO", "SR"]);
    assert!(objects.iter().all(|object| text(object, tags::STUDY_INSTANCE_UID) == lab.uid));
}
