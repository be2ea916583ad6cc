//! Files that hang, crash or fill a decoder beside good ones: each is named as failed, the others are labelled, and a
//! signal is obeyed.

#[path = "../crates/cine/tests/common/bombs.rs"]
mod bombs;
#[path = "../crates/cine/tests/common/odd.rs"]
#[allow(dead_code, reason = "the bombs need a part of it")]
mod odd;
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rusqlite::Connection;
use support::{count, dicom_files, echolabel, json_lines, run, small_studies};

/// A decoder of this computes until its time limit.
const HANGS: &str = "h264_4096x4096_60000f";

/// Writes some bombs into a folder.
fn write_bombs(folder: &Path, wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    fs::create_dir_all(folder).unwrap();
    let mut paths = Vec::new();
    for (name, make) in bombs::ALL.iter().filter(|(name, _)| wanted(name)) {
        paths.push(folder.join(format!("{name}.dcm")));
        fs::write(paths.last().unwrap(), make()).unwrap();
    }
    paths
}

/// Small loops that have a view.
fn innocents(folder: &Path, wanted: usize) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for (study, truth) in small_studies(&folder.join("studies"), 1, 5) {
        let loops = truth["loops"].as_array().unwrap();
        let has_view = |file: &PathBuf| {
            let name = file.file_name().unwrap().to_str().unwrap();
            loops.iter().any(|known| known["file"] == name && !known["view"].is_null())
        };
        files.extend(dicom_files(&study).into_iter().filter(has_view));
    }
    files.truncate(wanted);
    files
}

#[test]
fn bombs_are_failures_by_name_and_the_loops_beside_them_are_labelled() {
    let folder = tempfile::tempdir().unwrap();
    let bombs = write_bombs(&folder.path().join("bombs"), |_| true);
    let innocents = innocents(folder.path(), 4);
    let paths = bombs.iter().chain(&innocents).map(|path| path.to_str().unwrap());
    let arguments: Vec<&str> = ["label", "--json", "--pipeline", "tte11-tiny"].into_iter().chain(paths).collect();
    let (code, stdout, stderr) = run(&arguments);
    assert_eq!(code, 1, "{stderr}");
    let lines = json_lines(&stdout);
    assert_eq!(lines.len(), bombs.len() + innocents.len(), "one line a file");
    for line in &lines {
        let path = Path::new(line["path"].as_str().unwrap());
        let name = path.file_stem().unwrap().to_str().unwrap();
        if innocents.iter().any(|innocent| innocent == path) {
            assert_eq!(line["error"], serde_json::Value::Null, "{name}");
            continue;
        }
        let kind = line["error"]["kind"].as_str().unwrap_or("none");
        let expected = expected_kind(name);
        assert!(expected.contains(&kind), "{name}: {kind} instead of {expected:?}");
    }
}

/// The kinds of failure that a bomb may end with; `none` for those that are loops, if large ones.
fn expected_kind(name: &str) -> &'static [&'static str] {
    match name {
        HANGS | "jpeg_progressive_many_scans" => &["decoder_too_slow"],
        "native_50_million_frames_of_a_pixel" | "deflated_data_set_2_gb" => &["too_large"],
        "fragments_a_million" => &["incomplete"],
        // Large frames that can be decoded: in time and memory, or not.
        "jpeg_4096x4096_30f" | "deflated_frame_4096x4096_30f" | "jpeg_sequential_many_scans" => {
            &["none", "too_large", "decoder_too_slow"]
        }
        "h264_2147483647_frames" | "native_120000_frames_of_a_pixel" | "deflated_frame_expands" => &["none"],
        _ => &["corrupt_frame"],
    }
}

#[test]
fn a_signal_is_obeyed_while_decoders_hang_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let (inbox, database) = (folder.path().join("inbox"), folder.path().join("lab.sqlite"));
    for number in 0..2 {
        write_bombs(&inbox.join(number.to_string()), |name| name == HANGS);
    }
    let config = folder.path().join("echolabel.toml");
    fs::write(&config, "[inbox]\nstability_seconds = 0.05\nrescan_seconds = 0.2\n").unwrap();
    let mut daemon = echolabel()
        .args(["watch", "--pipeline", "tte11-tiny", "--threads", "1"])
        .arg(&inbox)
        .arg("--db")
        .arg(&database)
        .arg("--config")
        .arg(&config)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_until(|| database.is_file() && running_jobs(&database) == 2);
    let signal = ["-TERM", &daemon.id().to_string()].map(str::to_owned);
    assert!(std::process::Command::new("kill").args(signal).status().unwrap().success());
    daemon.wait().unwrap();
    assert_eq!(count(&database, "job WHERE state = 'failed'"), 0, "it did not wait for the decoders");
    assert_eq!(count(&database, "job WHERE state IN ('running', 'pending')"), 2, "the files are still to be done");
}

fn running_jobs(database: &Path) -> u64 {
    // The tables may not be there yet.
    let connection = Connection::open(database).unwrap();
    let query = "SELECT COUNT(*) FROM job WHERE state = 'running'";
    connection.query_row(query, [], |row| row.get::<_, i64>(0)).map_or(0, |count| count as u64)
}

/// Waits far longer than it can take.
fn wait_until(done: impl Fn() -> bool) {
    for _ in 0..1200 {
        if done() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("waited in vain for a minute");
}
