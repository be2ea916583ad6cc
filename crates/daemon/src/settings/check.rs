//! Problems of settings that parse.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::check_receive::{self, lies_in};
use super::problem::Problem;
use super::{Polling, Settings};
use crate::inbox::network_name;

/// Looks at the folders and the database's place; changes nothing.
pub fn check(settings: &Settings) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut problem = |key, fatal, message: String| problems.push(Problem { key, message, fatal });
    let folders = &settings.inbox.folders;
    if folders.is_empty() && settings.inbox.prefixes.is_empty() {
        problem("inbox.folders", true, "no folder to watch".to_owned());
    }
    for folder in folders {
        if let Err(error) = fs::read_dir(folder) {
            // A share that is not mounted yet is no mistake of the configuration; the daemon says what keeps it.
            let is_mistake = matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory);
            problem("inbox.folders", is_mistake, format!("{} cannot be read: {}", folder.display(), error.kind()));
        } else if let Some(name) = network_name(folder)
            && settings.inbox.polling == Polling::Never
        {
            let message = format!("{} lies on {name}, which sends no events: use \"auto\"", folder.display());
            problem("inbox.polling", false, message);
        }
        if folders.iter().any(|other| lies_in(folder, other)) {
            problem("inbox.folders", false, format!("{} lies in another watch folder", folder.display()));
        }
    }
    if let Some(file) = settings.database.file() {
        check_database_file(file, &mut problem);
    }
    if settings.retry.backoff.longest < settings.retry.backoff.first {
        problem("retry.longest_wait_seconds", false, "is shorter than first_wait_seconds".to_owned());
    }
    if let Some(receive) = &settings.receive {
        problems.extend(check_receive::check(receive, folders));
    }
    problems
}

fn check_database_file(file: &Path, problem: &mut impl FnMut(&'static str, bool, String)) {
    if file.is_dir() {
        problem("database", true, format!("{} is a folder, not a file", file.display()));
    }
    let place = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if !place.is_dir() {
        problem("database", true, format!("there is no folder {}", place.display()));
    } else if let Some(name) = network_name(place) {
        let message = format!("{} lies on {name}, where SQLite's log is not safe: use a local disk", place.display());
        problem("database", false, message);
    }
}
