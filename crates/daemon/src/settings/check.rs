//! Problems of settings that parse.

use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::{Polling, Settings, check_receive};
use crate::inbox::network_name;

/// Something a person should change before the daemon is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The key, e.g. `inbox.folders`.
    pub key: &'static str,
    /// Problem of its value.
    pub message: String,
    /// The daemon would not start, or would lose its purpose.
    pub fatal: bool,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.message)
    }
}

/// Looks at the folders and the database's place; changes nothing.
pub fn check(settings: &Settings) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut problem = |key, fatal, message: String| problems.push(Problem { key, message, fatal });
    let folders = &settings.inbox.folders;
    if folders.is_empty() {
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
    if settings.database.is_dir() {
        problem("database", true, format!("{} is a folder, not a file", settings.database.display()));
    }
    let place = match settings.database.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if !place.is_dir() {
        problem("database", true, format!("there is no folder {}", place.display()));
    } else if let Some(name) = network_name(place) {
        let message = format!("{} lies on {name}, where SQLite's log is not safe: use a local disk", place.display());
        problem("database", false, message);
    }
    if settings.retry.backoff.longest < settings.retry.backoff.first {
        problem("retry.longest_wait_seconds", false, "is shorter than first_wait_seconds".to_owned());
    }
    if let Some(receive) = &settings.receive {
        problems.extend(check_receive::check(receive, folders));
    }
    problems
}

/// By what the folders are: `./echo/new` lies in `echo`, and so does a link to it.
pub(super) fn lies_in(folder: &Path, other: &Path) -> bool {
    match (folder.canonicalize(), other.canonicalize()) {
        (Ok(folder), Ok(other)) => folder != other && folder.starts_with(&other),
        _ => false,
    }
}
