//! Helpers of the whole-program tests.
#![allow(dead_code, reason = "every test file uses another part of it")]

pub mod certificates;
pub mod http_server;
pub mod mail_server;
pub mod receiver;
pub mod start_model;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

/// The program, with the tiny pipeline so that tests do not wait for a large network.
pub fn echolabel() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_echolabel"));
    command.env("ECHOLABEL_LOG", "warn").env_remove("ECHOLABEL_MODELS");
    command
}

/// A program that is ended with the test.
pub struct Running(pub Child);

impl Running {
    /// Starts a daemon whose output nobody reads.
    pub fn watch(config: &Path) -> Self {
        let mut command = echolabel();
        command.args(["watch", "--config"]).arg(config).stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().expect("the program starts"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs the program and gives back exit code, stdout and stderr.
pub fn run(arguments: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = echolabel().args(arguments).output().expect("the program starts");
    (
        status.code().unwrap_or(-1),
        String::from_utf8(stdout).expect("stdout is text"),
        String::from_utf8_lossy(&stderr).into_owned(),
    )
}

/// The lines of stdout as JSON objects.
pub fn json_lines(stdout: &str) -> Vec<Value> {
    stdout.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

/// Writes small simulated studies below `folder` and gives back each study's folder and truth.
pub fn small_studies(folder: &Path, studies: u32, seed: u64) -> Vec<(PathBuf, Value)> {
    let out = folder.to_str().expect("a plain path");
    let (code, stdout, stderr) =
        run(&["phantom", "--small", "--studies", &studies.to_string(), "--seed", &seed.to_string(), "--out", out]);
    assert_eq!(code, 0, "{stderr}");
    stdout
        .lines()
        .map(|line| {
            let study = PathBuf::from(line);
            let truth = std::fs::read(study.join("truth.json")).expect("truth.json is there");
            (study, serde_json::from_slice(&truth).expect("truth.json is JSON"))
        })
        .collect()
}

/// The DICOM files of a folder, sorted.
pub fn dicom_files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "dcm"));
    files.sort();
    files
}

/// Counts rows: `SELECT COUNT(*) FROM table`.
pub fn count(database: &Path, table: &str) -> u64 {
    let connection = rusqlite::Connection::open(database).expect("the database opens");
    connection
        .query_row(&format!("SELECT COUNT(*) FROM {table}"), [], |row| row.get::<_, i64>(0))
        .map(|count| count as u64)
        .expect("the table is there")
}

/// Exports a database into `folder` and returns its loops with their latest labels, sorted, without the time of labelling.
/// Numbers are in single precision: the last binary digit of a double may differ after it was a text of JSON.
pub fn exported_labels(database: &str, folder: &Path) -> Vec<Vec<String>> {
    let out = folder.to_str().expect("a plain path");
    let (code, _, stderr) = run(&["export", "--format", "csv", "--out", out, "--db", database]);
    assert_eq!(code, 0, "{stderr}");
    let mut table = csv::Reader::from_path(folder.join("loops.csv")).expect("loops.csv is there");
    let names = table.headers().expect("names of columns").clone();
    let time = names.iter().position(|name| name == "predicted_at").expect("a time of labelling");
    let single = |cell: &str| cell.parse().map_or_else(|_| cell.to_owned(), |number: f32| number.to_string());
    let without_time = |row: csv::StringRecord| {
        row.iter().enumerate().filter(|(index, _)| *index != time).map(|(_, cell)| single(cell)).collect()
    };
    let mut rows: Vec<Vec<String>> = table.records().map(|row| without_time(row.expect("a row"))).collect();
    rows.sort();
    rows
}
