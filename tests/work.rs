//! Workers on one database: objects of a store, processes that are killed, the labels of one process.

mod support;

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use support::{dicom_files, echolabel, exported_labels, run, small_studies};
use test_support::PostgresServer;

/// Time after which a worker that is killed loses its job.
const LEASE: &str = "[labelling]\nlease_seconds = 1\nworkers = 1\n";

/// Loops in a folder that is used as a store.
struct Lab {
    folder: tempfile::TempDir,
    prefix: String,
    loops: usize,
}

impl Lab {
    fn new(studies: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let archive = folder.path().join("archive");
        let loops = small_studies(&archive, studies, 71).iter().map(|(study, _)| dicom_files(study).len()).sum();
        let store = folder.path().join("store");
        fs::create_dir_all(&store).unwrap();
        let prefix = format!("file://{}/loops/", store.display());
        let (code, _, stderr) = run(&["upload", archive.to_str().unwrap(), "--to", &prefix]);
        assert_eq!(code, 0, "{stderr}");
        fs::write(folder.path().join("echolabel.toml"), LEASE).unwrap();
        Self { folder, prefix, loops }
    }

    fn queue(&self, database: &str) {
        let (code, stdout, stderr) = run(&["jobs", "add", &self.prefix, "--db", database]);
        assert_eq!(code, 0, "{stderr}");
        assert!(stdout.starts_with(&format!("{} queued", self.loops)), "{stdout}");
    }

    fn worker(&self, database: &str) -> Command {
        let mut command = echolabel();
        command.args(["work", "--once", "--pipeline", "tte11-tiny", "--threads", "1", "--db", database, "--config"]);
        command.arg(self.folder.path().join("echolabel.toml"));
        command
    }

    fn labels(&self, database: &str, name: &str) -> Vec<Vec<String>> {
        exported_labels(database, &self.folder.path().join(name))
    }
}

/// Random numbers from a seed (xorshift).
struct Moments(u64);

impl Moments {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

#[test]
fn one_worker_labels_what_was_queued_and_ends_when_none_is_left() {
    let lab = Lab::new(1);
    let database = lab.folder.path().join("lab.sqlite");
    let database = database.to_str().unwrap();
    lab.queue(database);
    let (_, stdout, _) = run(&["jobs", "add", &lab.prefix, "--db", database]);
    assert!(stdout.starts_with("0 queued"), "{stdout}");
    let done = lab.worker(database).output().unwrap();
    assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(lab.labels(database, "csv").len(), lab.loops);
}

#[test]
fn four_workers_that_are_killed_give_the_labels_of_one() {
    let Some(server) = PostgresServer::start(&["fsync=off"]) else { return };
    let lab = Lab::new(3);
    let alone = lab.folder.path().join("alone.sqlite");
    let alone = alone.to_str().unwrap();
    lab.queue(alone);
    assert!(lab.worker(alone).output().unwrap().status.success());

    let shared = server.address();
    lab.queue(&shared);
    let start = || lab.worker(&shared).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut workers: Vec<Child> = (0..4).map(|_| start()).collect();
    let mut moments = Moments(0x9e37_79b9_7f4a_7c15);
    let deadline = Instant::now() + Duration::from_secs(300);
    let (mut kills, mut ended) = (0, 0);
    while ended < workers.len() {
        assert!(Instant::now() < deadline, "the workers do not end");
        std::thread::sleep(Duration::from_millis(200 + moments.next() % 400));
        let victim = (moments.next() % 4) as usize;
        if kills < 8 && workers[victim].try_wait().unwrap().is_none() {
            workers[victim].kill().unwrap();
            workers[victim].wait().unwrap();
            workers[victim] = start();
            kills += 1;
        }
        ended = workers.iter_mut().filter_map(|worker| worker.try_wait().unwrap()).count();
    }
    println!("{kills} kills");
    assert!(kills > 0);
    assert!(workers.iter_mut().all(|worker| worker.wait().unwrap().success()));
    assert_eq!(lab.labels(&shared, "csv-shared"), lab.labels(alone, "csv-alone"));
    let (_, stdout, _) = run(&["jobs", "list", "--state", "failed", "--db", &shared]);
    assert_eq!(stdout, "");
}
