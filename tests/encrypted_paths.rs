//! Paths that the database keeps encrypted: a name in them stands nowhere, and whoever has the key finds the files.

mod support;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use support::{Running, dicom_files, echolabel, run, small_studies};

/// A name that stands nowhere else.
const NAME: &str = "QVIXENBERG^JANE";

/// A lab whose only folder bears a patient's name, with a file that fails.
struct Lab {
    folder: tempfile::TempDir,
    config: PathBuf,
    database: PathBuf,
}

impl Lab {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let simulated = folder.path().join("simulated");
        let (study, _) = small_studies(&simulated, 1, 23).remove(0);
        let inbox = folder.path().join("inbox").join(NAME);
        fs::create_dir_all(&inbox).unwrap();
        for file in dicom_files(&study) {
            fs::rename(&file, inbox.join(file.file_name().unwrap())).unwrap();
        }
        fs::write(inbox.join("broken.dcm"), [vec![0; 128], b"DICM".to_vec(), vec![9; 60]].concat()).unwrap();
        let config = folder.path().join("etc/echolabel.toml");
        fs::create_dir(config.parent().unwrap()).unwrap();
        let database = folder.path().join("lab.sqlite");
        let lab = Self { folder, config, database };
        lab.configure("encrypt_paths = true");
        lab
    }

    fn configure(&self, privacy: &str) {
        let text =
            "database = \"../lab.sqlite\"\ninbox.folders = [\"../inbox\"]\nlabelling.pipeline = \"tte11-tiny\"\n";
        fs::write(&self.config, format!("{text}[privacy]\n{privacy}\n")).unwrap();
    }

    /// Runs a command with the configuration, and returns code, stdout and stderr.
    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        run(&[arguments, &["--config", self.config.to_str().unwrap()]].concat())
    }

    /// Returns the files of the database, with its log, that hold the name.
    fn files_with_name(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let holds = |file: &PathBuf| {
            let bytes = fs::read(file).unwrap();
            bytes.windows(NAME.len()).any(|window| window == NAME.as_bytes())
        };
        entries.filter(|path| path.is_file()).filter(holds).collect()
    }

    fn key(&self) -> PathBuf {
        self.config.with_file_name("echolabel.path-key")
    }
}

#[test]
fn a_name_in_a_path_stands_neither_in_the_database_nor_in_the_log_nor_on_the_page() {
    let lab = Lab::new();
    let (code, stdout, stderr) = lab.run(&["watch", "--once", "-v", "-v"]);
    assert_eq!(code, 1, "one file is broken: {stdout}{stderr}");
    assert_eq!(lab.files_with_name(), Vec::<PathBuf>::new());
    assert!(!stdout.contains(NAME) && !stderr.contains(NAME), "{stdout}{stderr}");
    assert_eq!(fs::read_to_string(lab.key()).unwrap().trim().len(), 128);

    // Who has the key finds the files: the daemon knows them again, and so do the commands.
    let (code, stdout, stderr) = lab.run(&["watch", "--once"]);
    assert!(code == 1 && stdout.starts_with("0 files taken"), "{stdout}{stderr}");
    let (_, stdout, _) = lab.run(&["jobs", "list"]);
    assert!(stdout.contains(NAME) && !stdout.contains("encrypted:"), "{stdout}");
    let (code, stdout, stderr) = lab.run(&["inspect", "1/1", "--json"]);
    assert!(code == 0 && stdout.contains("sop_instance_uid"), "{stderr}");
    let (code, stdout, stderr) = lab.run(&["relabel", "--all", "--pipeline", "tte11-phantom"]);
    assert!(code == 0 && stdout.contains("0 failed"), "{stdout}{stderr}");
    let (_, paths, _) = lab.run(&["status", "--since", "1h", "--paths"]);
    assert!(paths.contains(NAME), "{paths}");

    let mut page = echolabel();
    page.args(["page", "--listen", "127.0.0.1:0", "--config"]).arg(&lab.config);
    let mut page = Running(page.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let mut address = String::new();
    BufReader::new(page.0.stdout.take().unwrap()).read_line(&mut address).unwrap();
    let token = fs::read_to_string(lab.folder.path().join("lab.sqlite.page-token")).unwrap();
    let answer = |path: &str| {
        let url = format!("{}{path}", address.trim());
        let request = ureq::get(url).header("authorization", format!("Bearer {}", token.trim()));
        request.call().unwrap().body_mut().read_to_vec().unwrap()
    };
    assert!(answer("/api/loops/1/1/frames?to=0").len() > 100, "the page finds the file too");
    for path in ["/api/studies", "/api/loops/1/1", "/api/jobs"] {
        assert!(!String::from_utf8_lossy(&answer(path)).contains(NAME), "{path}");
    }
    assert_eq!(lab.files_with_name(), Vec::<PathBuf>::new());
}

#[test]
fn without_the_key_labels_are_read_and_paths_are_not() {
    let lab = Lab::new();
    assert_eq!(lab.run(&["watch", "--once"]).0, 1);
    let db = lab.database.to_str().unwrap();
    let (code, stdout, _) = run(&["jobs", "list", "--db", db]);
    assert!(code == 0 && stdout.contains("encrypted:") && !stdout.contains(NAME), "{stdout}");
    assert_eq!(run(&["inventory", "--db", db]).0, 0);
    let inbox = lab.folder.path().join("inbox");
    let watch = ["watch", inbox.to_str().unwrap(), "--once", "--db", db, "--pipeline", "tte11-tiny"];
    let (code, _, stderr) = run(&watch);
    assert!(code == 2 && stderr.contains("encrypted by another key"), "all would be labelled again: {stderr}");

    fs::rename(lab.key(), lab.key().with_extension("kept")).unwrap();
    let (code, _, stderr) = lab.run(&["inventory"]);
    assert!(code == 2 && stderr.contains("privacy.path_key: there is no file"), "{stderr}");
    fs::write(lab.key(), "00".repeat(64)).unwrap();
    let (code, _, stderr) = lab.run(&["inventory"]);
    assert!(code == 2 && stderr.contains("encrypted by another key"), "{stderr}");
    fs::write(lab.key(), "short").unwrap();
    let (code, _, stderr) = lab.run(&["inventory"]);
    assert!(code == 2 && stderr.contains("does not hold 128 hexadecimal digits"), "{stderr}");
}

#[test]
fn a_database_is_rewritten_when_the_setting_changes_and_no_file_is_labelled_again() {
    let lab = Lab::new();
    lab.configure("encrypt_paths = false");
    assert_eq!(lab.run(&["watch", "--once"]).0, 1);
    assert_eq!(lab.files_with_name(), std::slice::from_ref(&lab.database));
    assert!(lab.key().metadata().is_err());

    let taken = |lab: &Lab| lab.run(&["watch", "--once"]).1;
    lab.configure("encrypt_paths = true\npath_key = \"other.key\"");
    assert!(taken(&lab).starts_with("0 files taken"));
    assert_eq!(lab.files_with_name(), Vec::<PathBuf>::new(), "not in a free page either");
    assert!(Path::new(&lab.config.with_file_name("other.key")).is_file());

    lab.configure("encrypt_paths = false\npath_key = \"other.key\"");
    assert!(taken(&lab).starts_with("0 files taken"));
    let (_, stdout, _) = run(&["jobs", "list", "--db", lab.database.to_str().unwrap()]);
    assert!(stdout.contains(NAME), "{stdout}");
}
