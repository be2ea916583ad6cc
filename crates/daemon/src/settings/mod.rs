//! The configuration file: read strictly, resolved to values the daemon can use.

mod check;
mod check_receive;
mod context;
mod network;
mod notify;
mod page;
mod polling;
mod privacy;
mod problem;
mod raw;
mod receive;
mod resolve;
mod send;
mod stow;

use std::path::{Path, PathBuf};

use domain::ReceiveSettings;
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use store::DatabaseLocation;

use crate::{Backoff, DaemonError, NightWindow};

pub use check::check;
pub use notify::{EmailSettings, MailEncryption, NotifyEvent, NotifySettings, WebhookSettings};
pub use page::PageSettings;
pub use polling::Polling;
pub use privacy::PrivacySettings;
pub use problem::Problem;
pub use send::{ReportDestination, SendProtocol, SendSettings};

/// Everything the daemon needs to know, with no gaps left.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The database.
    pub database: DatabaseLocation,
    /// Folder that holds weight files; only whoever runs the model reads it.
    pub models: PathBuf,
    /// Folders that are watched, and conditions for taking a file.
    pub inbox: InboxSettings,
    /// Pipeline, device and resources.
    pub labelling: LabellingSettings,
    /// Tries after failures.
    pub retry: RetrySettings,
    /// A study is closed after this time without news.
    pub study_quiet: SignedDuration,
    /// Name or file of the protocol that says what a complete study holds.
    pub study_protocol: String,
    /// Values that the database may not hold in readable form.
    pub privacy: PrivacySettings,
    /// Receiving by DICOM; none for folders alone.
    pub receive: Option<ReceiveSettings>,
    /// Reports that are sent, and to whom.
    pub send: SendSettings,
    /// Events and the people who are told of them.
    pub notify: NotifySettings,
    /// The page in a browser; none without it.
    pub page: Option<PageSettings>,
}

/// Folders that are watched, and conditions for taking a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxSettings {
    /// Watched with all their sub-folders.
    pub folders: Vec<PathBuf>,
    /// Addresses of prefixes in object stores, such as `s3://bucket/loops/`, which the program lists.
    pub prefixes: Vec<PathBuf>,
    /// A file must not have changed for this long.
    pub stability: SignedDuration,
    /// Time between two walks over the folders.
    pub rescan: SignedDuration,
    /// Use of the system's change events.
    pub polling: Polling,
    /// A file that stays incomplete for this long is given up until it changes.
    pub incomplete_limit: SignedDuration,
}

/// Pipeline, device and resources.
#[derive(Debug, Clone, PartialEq)]
pub struct LabellingSettings {
    /// Name of the pipeline; none for the program's default.
    pub pipeline: Option<String>,
    /// `auto`, `cpu`, `cuda`, `cuda:N` or `metal`: read by whoever runs the model.
    pub device: String,
    /// Threads for the arithmetic; none for as many as there are cores.
    pub threads: Option<usize>,
    /// Loops in work at once.
    pub workers: usize,
    /// When loops are labelled; none for always.
    pub window: Option<NightWindow>,
    /// Whose clock the window goes by.
    pub time_zone: TimeZone,
    /// A job whose worker gives no sign of life for this long is given to another.
    pub lease: SignedDuration,
}

/// Tries after failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetrySettings {
    /// Tries in all.
    pub max_attempts: u32,
    /// Waits between tries.
    pub backoff: Backoff,
    /// A file during which the program died this often is labelled in a process of its own.
    pub isolate_after: u32,
}

/// Settings of the command line; they take precedence over the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Folders to watch; empty for the file's.
    pub folders: Vec<PathBuf>,
    /// Database: a file, or `postgres://...`.
    pub database: Option<PathBuf>,
    /// Pipeline name.
    pub pipeline: Option<String>,
    /// Device name.
    pub device: Option<String>,
    /// Threads for the arithmetic.
    pub threads: Option<usize>,
    /// Folder that holds weight files.
    pub models: Option<PathBuf>,
}

impl Settings {
    /// Reads a configuration file, if one is given, and lays the command line over it.
    ///
    /// Relative paths in the file count from the file's folder, those of the command line from the current one.
    ///
    /// # Errors
    /// [`DaemonError::ReadConfig`], [`DaemonError::ParseConfig`] or [`DaemonError::Setting`], each naming file and key.
    pub fn load(file: Option<&Path>, overrides: Overrides) -> Result<Self, DaemonError> {
        let (raw, origin, base) = match file {
            Some(file) => (raw::RawSettings::read(file)?, file.display().to_string(), file.parent()),
            None => (raw::RawSettings::default(), "command line".to_owned(), None),
        };
        raw.resolve(&origin, base.unwrap_or(Path::new("")), overrides)
    }

    /// The settings as a configuration file says them, with every key; paths count from the current folder.
    ///
    /// # Errors
    /// [`DaemonError::WriteConfig`] where a path is no text.
    pub fn as_file(&self) -> Result<String, DaemonError> {
        toml::to_string(&raw::RawSettings::from(self))
            .map_err(|error| DaemonError::WriteConfig { message: error.to_string() })
    }
}

/// Returns the JSON Schema of the configuration file.
pub fn json_schema() -> serde_json::Value {
    schemars::schema_for!(raw::RawSettings).to_value()
}
