//! `echolabel watch` with `[receive]`, on a free port.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use dicom_net::Destination;
use serde_json::Value;

use super::echolabel;

/// Time that anything is waited for: generous, since machines of tests are busy.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// A running program that receives, with its folder and database.
pub struct Receiving {
    pub child: Child,
    pub port: u16,
    pub folder: PathBuf,
    pub database: PathBuf,
    log: Arc<Mutex<Vec<Value>>>,
}

impl Receiving {
    /// Starts the program in `base`. `keys` are lines of `[receive]` beside those of the peers US7 and US8.
    pub fn start(base: &Path, keys: &str) -> Self {
        Self::with_peer(base, "addresses = [\"127.0.0.1\"]", keys)
    }

    /// Starts it with what is known of US7 beside its title.
    pub fn with_peer(base: &Path, us7: &str, keys: &str) -> Self {
        let folder = base.join("in");
        fs::create_dir_all(&folder).unwrap();
        let config = base.join("echolabel.toml");
        let text = format!(
            "[inbox]\nfolders = [\"in\"]\nstability_seconds = 0.2\nrescan_seconds = 1\n[receive]\nlisten = \"127.0.0.1:0\"\n\
             peers = [{{ ae = \"US7\", {us7} }}, {{ ae = \"US8\", addresses = [\"127.0.0.1\"] }}]\n\
             {}{keys}\n",
            if keys.contains("keep_free") { "" } else { "keep_free = \"1 MiB\"\n" }
        );
        fs::write(&config, text).unwrap();
        let database = base.join("lab.sqlite");
        let mut child = echolabel()
            .args(["watch", "--pipeline", "tte11-tiny", "--threads", "1", "--log-format", "json", "--config"])
            .arg(&config)
            .arg("--db")
            .arg(&database)
            .env("ECHOLABEL_LOG", "info")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let log = Arc::new(Mutex::new(Vec::new()));
        let port = loop {
            let line = lines.next().expect("the program says where it listens").unwrap();
            let Ok(entry) = serde_json::from_str::<Value>(&line) else { continue };
            let address = entry["fields"]["address"].as_str().unwrap_or_default().to_owned();
            let is_receiving = entry["fields"]["message"] == "receiving";
            log.lock().unwrap().push(entry);
            if is_receiving {
                break address.rsplit(':').next().unwrap().parse().unwrap();
            }
        };
        let rest = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Ok(entry) = serde_json::from_str(&line) {
                    rest.lock().unwrap().push(entry);
                }
            }
        });
        Self { child, port, folder, database, log }
    }

    /// Returns the program as US7 reaches it.
    pub fn destination(&self) -> Destination {
        Destination {
            host: "127.0.0.1".into(),
            port: self.port,
            called_ae_title: "ECHOLABEL".parse().unwrap(),
            calling_ae_title: "US7".parse().unwrap(),
            timeout: Duration::from_secs(20),
            tls: None,
        }
    }

    /// Returns a command of dcmtk that calls the program as US7.
    pub fn dcmtk(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env("TCP_NODELAY", "1").args(["-aet", "US7", "-aec", "ECHOLABEL", "127.0.0.1", &self.port.to_string()]);
        command
    }

    /// Returns the port of STOW-RS, where `[receive.stow]` is among the keys.
    pub fn stow_port(&self) -> u16 {
        wait_until("it listens for STOW-RS", || self.logged("receiving by STOW-RS") > 0);
        let log = self.log.lock().unwrap();
        let entry = log.iter().find(|entry| entry["fields"]["message"] == "receiving by STOW-RS").unwrap();
        entry["fields"]["address"].as_str().unwrap().rsplit(':').next().unwrap().parse().unwrap()
    }

    /// Returns the files that were stored.
    pub fn stored(&self) -> Vec<PathBuf> {
        files_below(&self.folder)
    }

    /// Counts the messages of the log so far.
    pub fn logged(&self, message: &str) -> usize {
        self.log.lock().unwrap().iter().filter(|entry| entry["fields"]["message"] == message).count()
    }

    /// Returns the whole log so far as text.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().iter().map(|entry| format!("{entry}\n")).collect()
    }

    /// Sends a signal of the shell's `kill`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Asks for an orderly end and returns how long it took and whether it was one.
    pub fn end(&mut self) -> (Duration, bool) {
        self.signal("-TERM");
        let start = Instant::now();
        let status = self.child.wait().unwrap();
        (start.elapsed(), status.success())
    }
}

impl Drop for Receiving {
    fn drop(&mut self) {
        // A test that failed leaves it running.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until something is true.
pub fn wait_until(what: &str, is_true: impl Fn() -> bool) {
    wait_within(PATIENCE, what, is_true);
}

/// Waits until something is true that may take longer.
pub fn wait_within(patience: Duration, what: &str, is_true: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_true() {
        assert!(start.elapsed() < patience, "{what}: not within {patience:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Returns the DICOM files below a folder, but not those in hidden ones.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let visible = |name: &std::ffi::OsStr| !name.as_encoded_bytes().starts_with(b".");
    let mut found: Vec<PathBuf> =
        files::walk(&[folder.to_owned()], files::Links::Ignore, visible).map(|file| file.unwrap()).collect();
    found.retain(|file| file.extension().is_some_and(|extension| extension == "dcm"));
    found.sort();
    found
}

/// Returns a port that nobody listens on just now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Returns what follows the meta group of a file.
pub fn data_set(file: &[u8]) -> Vec<u8> {
    let mut at = 132;
    while file.get(at..at + 2) == Some(&[2, 0]) {
        let number = |at: usize, bytes: usize| {
            file[at..at + bytes].iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte))
        };
        at += match &file[at + 4..at + 6] {
            b"OB" | b"OW" | b"UN" | b"UT" | b"SQ" => 12 + number(at + 8, 4),
            _ => 8 + number(at + 6, 2),
        };
    }
    file[at..].to_vec()
}
