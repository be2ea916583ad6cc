//! The daemon as systemd sees it.
#![cfg(target_os = "linux")]

mod support;

use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use support::{echolabel, small_studies};

/// A hang, not slowness: the program answers within a second.
const LIMIT: Duration = Duration::from_secs(60);

/// A daemon, and the socket that it sends its messages to.
struct Service {
    process: Child,
    messages: UnixDatagram,
    database: PathBuf,
    inbox: PathBuf,
    _folder: tempfile::TempDir,
}

impl Service {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (inbox, socket) = (folder.path().join("inbox"), folder.path().join("notify"));
        let database = folder.path().join("lab.sqlite");
        std::fs::create_dir(&inbox).unwrap();
        let messages = UnixDatagram::bind(&socket).unwrap();
        messages.set_read_timeout(Some(LIMIT)).unwrap();
        let process = echolabel()
            .args(["watch", "--pipeline", "tte11-tiny", "--db"])
            .args([&database, &inbox])
            .env("NOTIFY_SOCKET", &socket)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { process, messages, database, inbox, _folder: folder }
    }

    fn next_message(&self) -> String {
        let mut bytes = [0; 4096];
        let length = self.messages.recv(&mut bytes).expect("a message");
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    }

    fn wait_for(&self, part: &str) -> String {
        let start = Instant::now();
        loop {
            let message = self.next_message();
            if message.contains(part) {
                return message;
            }
            assert!(start.elapsed() < LIMIT, "no {part}");
        }
    }

    fn signal(&self, name: &str) {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn systemd_hears_of_the_start_of_signs_of_life_and_of_the_end() {
    let mut service = Service::start();
    service.wait_for("READY=1");
    service.wait_for("WATCHDOG=1");
    service.wait_for("WATCHDOG=1");
    service.signal("-TERM");
    service.wait_for("STOPPING=1");
    assert!(service.process.wait().unwrap().success());
}

#[test]
fn a_daemon_that_waits_for_its_database_says_so_and_is_alive() {
    let service = Service::start();
    service.wait_for("READY=1");
    let other = rusqlite::Connection::open(&service.database).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    // Files whose jobs must be written: an idle daemon has nothing to write.
    small_studies(&service.inbox, 1, 5);
    service.wait_for("STATUS=waiting for the database");
    service.wait_for("WATCHDOG=1");
    service.wait_for("WATCHDOG=1");
    drop(other);
    service.wait_for("STATUS=watching");
}
