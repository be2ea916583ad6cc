//! The configuration file as it is written, with the defaults of what it leaves out.
//!
//! The doc comments of fields are the descriptions of the JSON Schema.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::notify::RawNotify;
use super::page::RawPage;
use super::privacy::RawPrivacy;
use super::receive::RawReceive;
use super::send::RawSend;

/// Configuration of echolabel.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Settings")]
pub(super) struct RawSettings {
    /// The database: a file on a local disk, or `postgres://USER@HOST/NAME` on a server.
    pub(super) database: Option<PathBuf>,
    /// Folder that holds weight files.
    pub(super) models: Option<PathBuf>,
    /// Which folders are watched, and when a file is taken.
    pub(super) inbox: RawInbox,
    /// Model, device and hours.
    pub(super) labelling: RawLabelling,
    /// Tries after failures that may pass.
    pub(super) retry: RawRetry,
    /// End of a study.
    pub(super) study: RawStudy,
    /// Values that the database may not hold in readable form.
    pub(super) privacy: RawPrivacy,
    /// Receiving by DICOM; off without this table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) receive: Option<RawReceive>,
    /// Reports that are sent, and to whom.
    pub(super) send: RawSend,
    /// Events and the people who are told of them.
    pub(super) notify: RawNotify,
    /// The page in a browser; off without this table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) page: Option<RawPage>,
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Inbox")]
pub(super) struct RawInbox {
    /// Folders that are watched with all their subfolders, or prefixes in object stores, such as s3://bucket/loops/.
    pub(super) folders: Vec<PathBuf>,
    /// Time for which a file must not have changed before it is looked into.
    #[schemars(range(min = 0.0))]
    pub(super) stability_seconds: f64,
    /// Time between two walks over the folders.
    #[schemars(range(min = 0.1))]
    pub(super) rescan_seconds: f64,
    /// Use of change events: `auto` on local disks only, `always` polls only, `never` uses events everywhere.
    #[schemars(extend("enum" = ["auto", "always", "never"]))]
    pub(super) polling: String,
    /// Time after which an incomplete file becomes a failed job.
    #[schemars(range(min = 0.0))]
    pub(super) incomplete_minutes: f64,
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Labelling")]
pub(super) struct RawLabelling {
    /// Name of a pipeline or model, or a .toml file.
    pub(super) pipeline: Option<String>,
    /// Device of the model.
    #[schemars(regex(pattern = r"^(auto|cpu|cuda(:[0-9]+)?|metal)$"))]
    pub(super) device: String,
    /// Threads for the arithmetic; 0 for all cores.
    pub(super) threads: usize,
    /// Loops in work at once.
    #[schemars(range(min = 1))]
    pub(super) workers: usize,
    /// Hours of labelling, local time, such as `22:00-06:00`; always without it.
    pub(super) window: Option<String>,
    /// IANA name of the time zone of `window`; the computer's without it.
    pub(super) time_zone: Option<String>,
    /// Time without a sign of life after which another worker takes a job.
    #[schemars(range(min = 1.0))]
    pub(super) lease_seconds: f64,
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Retry")]
pub(super) struct RawRetry {
    /// Tries in all.
    #[schemars(range(min = 1))]
    pub(super) max_attempts: u32,
    /// Wait before the second try; later ones double.
    #[schemars(range(min = 0.0))]
    pub(super) first_wait_seconds: f64,
    /// Longest wait between tries.
    #[schemars(range(min = 0.0))]
    pub(super) longest_wait_seconds: f64,
    /// Deaths of the program during a file after which it is labelled in a process of its own.
    #[schemars(range(min = 1))]
    pub(super) isolate_after: u32,
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Study")]
pub(super) struct RawStudy {
    /// Time without a new file or label after which a study is closed.
    #[schemars(range(min = 0.0))]
    pub(super) quiet_minutes: f64,
    /// Protocol that says what a complete study holds: a name of `echolabel protocols`, or a .toml file.
    pub(super) protocol: String,
}

impl Default for RawInbox {
    fn default() -> Self {
        Self {
            folders: Vec::new(),
            stability_seconds: 2.0,
            rescan_seconds: 60.0,
            polling: "auto".to_owned(),
            incomplete_minutes: 30.0,
        }
    }
}

impl Default for RawLabelling {
    fn default() -> Self {
        Self {
            pipeline: None,
            device: "auto".to_owned(),
            threads: 0,
            workers: 2,
            window: None,
            time_zone: None,
            lease_seconds: 120.0,
        }
    }
}

impl Default for RawRetry {
    fn default() -> Self {
        Self { max_attempts: 5, first_wait_seconds: 30.0, longest_wait_seconds: 3600.0, isolate_after: 2 }
    }
}

impl Default for RawStudy {
    fn default() -> Self {
        Self { quiet_minutes: 10.0, protocol: "minimal".to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::settings::{Overrides, json_schema};

    const EXAMPLE: &str = include_str!("../../../../docs/echolabel.example.toml");

    fn parsed(text: &str) -> RawSettings {
        toml::from_str(text).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The keys serde knows in a table, as it lists them when it meets one it does not know.
    fn keys_of(table: &str) -> Vec<String> {
        let header = if table.is_empty() { String::new() } else { format!("[{table}]\n") };
        let error = toml::from_str::<RawSettings>(&format!("{header}no_such_key = 1")).unwrap_err();
        let names: Vec<String> = error.message().split('`').skip(3).step_by(2).map(str::to_owned).collect();
        assert!(!names.is_empty(), "{error}");
        names
    }

    #[test]
    fn the_example_shows_every_key() {
        let tables =
            ["inbox", "labelling", "retry", "study", "privacy", "send", "notify", "receive", "receive.stow", "page"];
        for key in keys_of("").into_iter().filter(|key| !tables.contains(&key.as_str())) {
            assert!(EXAMPLE.contains(&format!("\n{key} = ")), "{key}");
        }
        for table in tables {
            // A table that is off by default is shown as a comment.
            let text = EXAMPLE.replace("\n# [", "\n[");
            let section = text.split(&format!("\n[{table}]\n")).nth(1).expect(table);
            let section = section.split("\n[").next().unwrap();
            for key in keys_of(table).into_iter().filter(|key| !tables.contains(&format!("{table}.{key}").as_str())) {
                let shown = section.lines().any(|line| line.trim_start_matches("# ").starts_with(&format!("{key} = ")));
                assert!(shown, "{table}.{key}");
            }
        }
    }

    #[test]
    fn the_example_shows_the_defaults_and_its_examples_are_sound() {
        let resolve = |raw: RawSettings| raw.resolve("test", Path::new(""), Overrides::default()).unwrap();
        assert_eq!(resolve(parsed(EXAMPLE)), resolve(RawSettings::default()));
        let is_key = |line: &str| {
            let is_name =
                |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || b"_0123456789".contains(&byte));
            line.strip_prefix("# ").is_some_and(|rest| {
                rest.starts_with('[') || rest.split_once(" = ").is_some_and(|(key, _)| is_name(key))
            })
        };
        let all: Vec<&str> =
            EXAMPLE.lines().map(|line| if is_key(line) { line.trim_start_matches("# ") } else { line }).collect();
        let raw = parsed(&all.join("\n"));
        assert!(raw.labelling.pipeline.is_some() && raw.labelling.time_zone.is_some());
        assert!(raw.receive.as_ref().is_some_and(|receive| !receive.peers.is_empty() && receive.tls.is_some()));
        let window = raw.labelling.window.clone().unwrap();
        assert_eq!(window.parse::<crate::NightWindow>().unwrap().to_string(), window);
        resolve(raw);
    }

    #[test]
    fn the_schema_takes_the_example_and_refuses_what_the_program_refuses() {
        let schema = json_schema();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let is_valid = |text: &str| {
            let table: toml::Table = text.parse().unwrap();
            validator.is_valid(&serde_json::to_value(table).unwrap())
        };
        assert!(is_valid(EXAMPLE) && is_valid(""));
        for wrong in [
            "no_such_key = 1",
            "inbox.polling = \"sometimes\"",
            "inbox.folders = \"one\"",
            "inbox.rescan_seconds = 0.0",
            "labelling.workers = 0",
            "labelling.device = \"gpu\"",
            "retry.max_attempts = 0",
            "study.quiet_minutes = \"ten\"",
        ] {
            assert!(!is_valid(wrong), "{wrong}");
        }
    }
}
