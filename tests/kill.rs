//! Kill -9 at random moments, 100 times, while 200 files arrive: afterwards 200 loops, 200 predictions, none twice.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use support::{count, dicom_files, echolabel, run, small_studies};

const FILES: usize = 200;
const KILLS: usize = 100;

#[test]
fn a_hundred_kills_lose_nothing_and_label_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let (inbox, database) = (folder.path().join("inbox"), folder.path().join("lab.sqlite"));
    fs::create_dir_all(&inbox).unwrap();
    let config = folder.path().join("echolabel.toml");
    fs::write(&config, "[inbox]\nstability_seconds = 0.05\nrescan_seconds = 0.2\n").unwrap();
    let files = two_hundred_loops(&folder.path().join("away"));

    let arrived = AtomicUsize::new(0);
    let mut moments = Moments(0x9e37_79b9_7f4a_7c15);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for (number, file) in files.iter().enumerate() {
                deliver(file, &inbox, number);
                arrived.fetch_add(1, Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(200));
            }
        });
        for _ in 0..KILLS {
            let mut daemon = start(&inbox, &database, &config);
            std::thread::sleep(Duration::from_millis(100 + moments.next() % 800));
            daemon.kill().unwrap();
            daemon.wait().unwrap();
        }
    });
    assert_eq!(arrived.load(Ordering::SeqCst), FILES);
    let before = count(&database, "prediction");
    println!("{before} of {FILES} loops were labelled between the kills");

    let deadline = Instant::now() + Duration::from_secs(300);
    while count(&database, "prediction") < FILES as u64 && Instant::now() < deadline {
        let arguments = ["watch", inbox.to_str().unwrap(), "--once", "--pipeline", "tte11-tiny", "--db"];
        let (_, _, stderr) =
            run(&[&arguments[..], &[database.to_str().unwrap(), "--config", config.to_str().unwrap()]].concat());
        print!("{stderr}");
    }
    assert_eq!(count(&database, "loop"), FILES as u64);
    assert_eq!(count(&database, "prediction"), FILES as u64);
    assert_eq!(count(&database, "(SELECT DISTINCT loop_id FROM prediction)"), FILES as u64);
    assert_eq!(count(&database, "job WHERE state NOT IN ('done', 'skipped')"), 0);
}

/// 200 loops that all have a view, from as many small studies as that takes.
fn two_hundred_loops(away: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for (study, truth) in small_studies(away, FILES.div_ceil(11) as u32, 21) {
        let loops = truth["loops"].as_array().unwrap();
        let has_view = |file: &PathBuf| {
            let name = file.file_name().unwrap().to_str().unwrap();
            loops.iter().any(|known| known["file"] == name && !known["view"].is_null())
        };
        files.extend(dicom_files(&study).into_iter().filter(has_view));
    }
    files.truncate(FILES);
    assert_eq!(files.len(), FILES);
    files
}

/// Brings a file in one of the ways that files come: written in two halves, or renamed in, into a folder per study.
fn deliver(file: &Path, inbox: &Path, number: usize) {
    let folder = inbox.join(format!("study-{}", number / 11));
    fs::create_dir_all(&folder).unwrap();
    let target = folder.join(format!("{number}.dcm"));
    let bytes = fs::read(file).unwrap();
    if number.is_multiple_of(2) {
        let part = folder.join(format!("{number}.part"));
        fs::write(&part, &bytes).unwrap();
        fs::rename(&part, &target).unwrap();
    } else {
        fs::write(&target, &bytes[..bytes.len() / 2]).unwrap();
        std::thread::sleep(Duration::from_millis(20));
        fs::write(&target, &bytes).unwrap();
    }
}

fn start(inbox: &Path, database: &Path, config: &Path) -> Child {
    echolabel()
        .args(["watch", "--pipeline", "tte11-tiny", "--threads", "1"])
        .arg(inbox)
        .arg("--db")
        .arg(database)
        .arg("--config")
        .arg(config)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Random moments from a seed (xorshift), so that a failure can be repeated as far as a kill can.
struct Moments(u64);

impl Moments {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}
