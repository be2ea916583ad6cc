//! Loops in object stores: in a folder that is used as one, and in SeaweedFS where `make peers-objects` has installed it.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use support::{dicom_files, echolabel, json_lines, small_studies};
use test_support::program;

/// A store with a bucket, and what a client needs to know of it.
struct Store {
    prefix: String,
    environment: Vec<(&'static str, String)>,
    _server: Option<Server>,
}

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Store {
    fn folder(folder: &Path) -> Self {
        let loops = folder.join("store");
        fs::create_dir_all(&loops).unwrap();
        Self { prefix: format!("file://{}/loops/", loops.display()), environment: Vec::new(), _server: None }
    }

    /// Starts SeaweedFS, whose keys are those of `credentials`.
    fn seaweedfs(weed: &Path, folder: &Path) -> Self {
        let data = folder.join("seaweedfs");
        fs::create_dir_all(&data).unwrap();
        let config = folder.join("s3.json");
        let identities = serde_json::json!({ "identities": [{
            "name": "echolabel", "credentials": [{ "accessKey": "access", "secretKey": "the secret key" }],
            "actions": ["Admin", "Read", "Write", "List"]
        }] });
        fs::write(&config, identities.to_string()).unwrap();
        let [master, volume, filer, s3] = free_ports();
        let mut command = Command::new(weed);
        command.args(["server", "-ip=127.0.0.1", "-s3", "-volume.max=40", "-master.volumeSizeLimitMB=64"]);
        command.arg(format!("-dir={}", data.display())).arg(format!("-s3.config={}", config.display()));
        command.args([format!("-master.port={master}"), format!("-volume.port={volume}")]);
        command.args([format!("-filer.port={filer}"), format!("-s3.port={s3}")]);
        let server = Server(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        let deadline = Instant::now() + Duration::from_secs(90);
        while TcpStream::connect(("127.0.0.1", s3)).is_err() {
            assert!(Instant::now() < deadline, "SeaweedFS does not start");
            std::thread::sleep(Duration::from_millis(200));
        }
        let environment = vec![
            ("AWS_ENDPOINT", format!("http://127.0.0.1:{s3}")),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "access".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "the secret key".to_owned()),
        ];
        let store = Self { prefix: "s3://echo/loops/".to_owned(), environment, _server: Some(server) };
        make_bucket(weed, master, filer);
        store
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = echolabel();
        command.args(arguments).envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let output = self.command(arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
    }
}

/// Ports of which SeaweedFS's other ones, 10,000 above, are free too.
fn free_ports() -> [u16; 4] {
    let mut found = Vec::new();
    let mut port = 20_000 + (std::process::id() % 20_000) as u16;
    while found.len() < 4 {
        port += 7;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() && TcpListener::bind(("127.0.0.1", port + 10_000)).is_ok() {
            found.push(port);
        }
    }
    found.try_into().unwrap()
}

fn make_bucket(weed: &Path, master: u16, filer: u16) {
    let deadline = Instant::now() + Duration::from_secs(90);
    loop {
        let mut shell = Command::new(weed);
        shell.args(["shell", &format!("-master=127.0.0.1:{master}"), &format!("-filer=127.0.0.1:{filer}")]);
        let mut shell = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        std::io::Write::write_all(&mut shell.stdin.take().unwrap(), b"s3.bucket.create -name echo\ns3.bucket.list\n")
            .unwrap();
        let output = shell.wait_with_output().unwrap();
        if String::from_utf8_lossy(&output.stdout).lines().any(|line| line.trim_start().starts_with("echo")) {
            return;
        }
        assert!(Instant::now() < deadline, "no bucket can be made");
        std::thread::sleep(Duration::from_millis(300));
    }
}

fn archive(folder: &Path) -> (PathBuf, Vec<PathBuf>) {
    let archive = folder.join("archive");
    let files = small_studies(&archive, 1, 47).iter().flat_map(|(study, _)| dicom_files(study)).collect();
    fs::write(archive.join("notes.txt"), "not DICOM").unwrap();
    (archive, files)
}

/// Labels by SOP Instance UID, without the paths and times.
fn labels(stdout: &str) -> BTreeMap<String, Value> {
    let without_place = |mut line: Value| {
        line.as_object_mut().unwrap().retain(|key, _| key != "path" && key != "ms");
        (line["sop_instance_uid"].as_str().unwrap().to_owned(), line)
    };
    json_lines(stdout).into_iter().filter(|line| line.get("sop_instance_uid").is_some()).map(without_place).collect()
}

fn objects_are_labelled_as_files_are(store: &Store, archive: &Path, files: usize) {
    let archive = archive.to_str().unwrap();
    let (code, stdout, stderr) = store.run(&["upload", archive, "--to", &store.prefix]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.starts_with(&format!("{files} loops put, 0 were there")), "{stdout}");
    let (_, stdout, _) = store.run(&["upload", archive, "--to", &store.prefix]);
    assert!(stdout.starts_with(&format!("0 loops put, {files} were there")), "{stdout}");

    let label = |place: &str| store.run(&["label", place, "--json", "--pipeline", "tte11-tiny"]);
    let (_, of_files, _) = label(archive);
    let (code, of_objects, stderr) = label(&store.prefix);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(labels(&of_objects).len(), files);
    assert_eq!(labels(&of_objects), labels(&of_files));

    // One object, by its name; and one that is not there.
    let name = json_lines(&of_objects)[0]["path"].as_str().unwrap().to_owned();
    assert!(name.starts_with(&store.prefix) && name.ends_with(".dcm"), "{name}");
    assert_eq!(labels(&label(&name).1).len(), 1);
    let (code, _, _) = label(&format!("{}nothing.dcm", store.prefix));
    assert_eq!(code, 1);
}

#[test]
fn objects_of_a_folder_are_labelled_as_files_are() {
    let folder = tempfile::tempdir().unwrap();
    let (archive, files) = archive(folder.path());
    objects_are_labelled_as_files_are(&Store::folder(folder.path()), &archive, files.len());
}

#[test]
fn objects_of_s3_are_labelled_as_files_are_and_errors_hold_no_secret() {
    let Some(weed) = program("weed") else { return };
    let folder = tempfile::tempdir().unwrap();
    let (archive, files) = archive(folder.path());
    let mut store = Store::seaweedfs(&weed, folder.path());
    objects_are_labelled_as_files_are(&store, &archive, files.len());

    let denied = ("AWS_SECRET_ACCESS_KEY", "another secret".to_owned());
    store.environment.retain(|(name, _)| *name != denied.0);
    store.environment.push(denied);
    let (code, stdout, stderr) = store.run(&["label", &store.prefix, "--json", "-vv", "--pipeline", "tte11-tiny"]);
    assert_eq!(code, 1, "{stderr}");
    assert!(stdout.contains("the store refuses"), "{stdout}");
    assert!(![&stdout, &stderr].iter().any(|text| text.contains("secret")), "{stderr}");
}

#[test]
fn a_manifest_may_name_objects() {
    let folder = tempfile::tempdir().unwrap();
    let (archive, files) = archive(folder.path());
    let store = Store::folder(folder.path());
    assert_eq!(store.run(&["upload", archive.to_str().unwrap(), "--to", &store.prefix]).0, 0);
    let manifests = folder.path().join("manifests");
    let (code, _, stderr) = store.run(&["manifest", &store.prefix, "--out", manifests.to_str().unwrap()]);
    assert_eq!(code, 0, "{stderr}");
    let out = folder.path().join("labels.jsonl");
    let manifest = manifests.join("part-0000.jsonl");
    let arguments = ["label", "--manifest", manifest.to_str().unwrap(), "--out", out.to_str().unwrap()];
    let (code, _, stderr) = store.run(&[&arguments[..], &["--pipeline", "tte11-tiny"]].concat());
    assert_eq!(code, 0, "{stderr}");
    let rows = json_lines(&fs::read_to_string(&out).unwrap());
    assert_eq!(rows.len(), files.len());
    for row in rows {
        assert!(row["path"].as_str().unwrap().starts_with("file:///"));
        let content = row["sha256"].as_str().unwrap();
        assert!(files.iter().any(|file| files::sha256(file).unwrap().to_string() == content));
    }
}
