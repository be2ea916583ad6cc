//! The configuration file turned into settings that the daemon can use.

use std::fs;
use std::path::{Path, PathBuf};

use store::DatabaseLocation;

use super::context::Context;
use super::notify::RawNotify;
use super::page::RawPage;
use super::privacy::RawPrivacy;
use super::raw::{RawInbox, RawLabelling, RawRetry, RawSettings, RawStudy};
use super::receive::RawReceive;
use super::send::RawSend;
use super::{InboxSettings, LabellingSettings, Overrides, RetrySettings, Settings};
use crate::{Backoff, DaemonError};

/// Used when neither the file nor the command line names a database.
const DEFAULT_DATABASE: &str = "echolabel.sqlite";

/// Folder of weight files where nothing names one. It is absolute, so a service and a person find the same; packages set their
/// own when they build the program.
const DEFAULT_MODELS: &str = match option_env!("ECHOLABEL_DEFAULT_MODELS") {
    Some(folder) => folder,
    None => "/var/lib/echolabel/models",
};

impl RawSettings {
    pub fn read(file: &Path) -> Result<Self, DaemonError> {
        let text =
            fs::read_to_string(file).map_err(|source| DaemonError::ReadConfig { file: file.to_owned(), source })?;
        toml::from_str(&text).map_err(|error: toml::de::Error| DaemonError::ParseConfig {
            file: file.to_owned(),
            message: error.to_string(),
        })
    }

    pub fn resolve(self, origin: &str, base: &Path, overrides: Overrides) -> Result<Settings, DaemonError> {
        let context = Context { origin };
        let from_file = |path: PathBuf| base.join(path);
        let from_file_or_store = |path: PathBuf| if is_address(&path) { path } else { from_file(path) };
        let watched: Vec<PathBuf> = if overrides.folders.is_empty() {
            self.inbox.folders.into_iter().map(from_file_or_store).collect()
        } else {
            overrides.folders
        };
        let (prefixes, folders): (Vec<PathBuf>, Vec<PathBuf>) = watched.into_iter().partition(|path| is_address(path));
        let database = match (overrides.database, self.database) {
            (Some(named), _) => DatabaseLocation::try_from(named),
            (None, Some(named)) => DatabaseLocation::try_from(named).map(|database| database.within(base)),
            (None, None) => Ok(DatabaseLocation::File(PathBuf::from(DEFAULT_DATABASE))),
        }
        .map_err(|error| context.problem("database", error.to_string()))?;
        let threads = overrides.threads.unwrap_or(self.labelling.threads);
        let models = overrides.models.or(self.models.map(from_file)).unwrap_or_else(|| PathBuf::from(DEFAULT_MODELS));
        let receive = self.receive.map(|receive| receive.resolve(&context, base, &folders)).transpose()?;
        Ok(Settings {
            database,
            models,
            inbox: InboxSettings {
                folders,
                prefixes,
                stability: context.seconds("inbox.stability_seconds", self.inbox.stability_seconds, 0.0)?,
                rescan: context.seconds("inbox.rescan_seconds", self.inbox.rescan_seconds, 0.1)?,
                polling: context.polling(&self.inbox.polling)?,
                incomplete_limit: context.minutes("inbox.incomplete_minutes", self.inbox.incomplete_minutes)?,
            },
            labelling: LabellingSettings {
                pipeline: overrides.pipeline.or(self.labelling.pipeline),
                device: overrides.device.unwrap_or(self.labelling.device),
                threads: (threads > 0).then_some(threads),
                workers: context.at_least_one("labelling.workers", self.labelling.workers)?,
                window: self
                    .labelling
                    .window
                    .map(|text| text.parse().map_err(|problem| context.problem("labelling.window", problem)))
                    .transpose()?,
                time_zone: context.time_zone(self.labelling.time_zone.as_deref())?,
                lease: context.seconds("labelling.lease_seconds", self.labelling.lease_seconds, 1.0)?,
            },
            retry: RetrySettings {
                max_attempts: context.at_least_one("retry.max_attempts", self.retry.max_attempts)?,
                backoff: Backoff {
                    first: context.seconds("retry.first_wait_seconds", self.retry.first_wait_seconds, 0.0)?,
                    longest: context.seconds("retry.longest_wait_seconds", self.retry.longest_wait_seconds, 0.0)?,
                },
                isolate_after: context.at_least_one("retry.isolate_after", self.retry.isolate_after)?,
            },
            study_quiet: context.minutes("study.quiet_minutes", self.study.quiet_minutes)?,
            study_protocol: protocol(self.study.protocol, base),
            privacy: self.privacy.resolve(base),
            receive,
            send: self.send.resolve(&context, base)?,
            notify: self.notify.resolve(&context, base)?,
            page: self.page.map(|page| page.resolve(&context, base)).transpose()?,
        })
    }
}

impl From<&Settings> for RawSettings {
    fn from(settings: &Settings) -> Self {
        let Settings {
            database,
            models,
            inbox,
            labelling,
            retry,
            study_quiet,
            study_protocol,
            privacy,
            receive,
            send,
            notify,
            page,
        } = settings;
        Self {
            database: Some(PathBuf::from(database.to_string())),
            models: Some(models.clone()),
            inbox: RawInbox {
                folders: inbox.folders.iter().chain(&inbox.prefixes).cloned().collect(),
                stability_seconds: inbox.stability.as_secs_f64(),
                rescan_seconds: inbox.rescan.as_secs_f64(),
                polling: inbox.polling.to_string(),
                incomplete_minutes: inbox.incomplete_limit.as_secs_f64() / 60.0,
            },
            labelling: RawLabelling {
                pipeline: labelling.pipeline.clone(),
                device: labelling.device.clone(),
                threads: labelling.threads.unwrap_or(0),
                workers: labelling.workers,
                window: labelling.window.map(|window| window.to_string()),
                time_zone: labelling.time_zone.iana_name().map(str::to_owned),
                lease_seconds: labelling.lease.as_secs_f64(),
            },
            retry: RawRetry {
                max_attempts: retry.max_attempts,
                first_wait_seconds: retry.backoff.first.as_secs_f64(),
                longest_wait_seconds: retry.backoff.longest.as_secs_f64(),
                isolate_after: retry.isolate_after,
            },
            study: RawStudy { quiet_minutes: study_quiet.as_secs_f64() / 60.0, protocol: study_protocol.clone() },
            privacy: RawPrivacy::from(privacy),
            receive: receive.as_ref().map(RawReceive::from),
            send: RawSend::from(send),
            notify: RawNotify::from(notify),
            page: page.as_ref().map(RawPage::from),
        }
    }
}

/// Returns the name of a protocol, or the path of its file counted from the configuration's folder.
fn protocol(name: String, base: &Path) -> String {
    if name.ends_with(".toml") { base.join(name).to_string_lossy().into_owned() } else { name }
}

/// Tells addresses such as `s3://bucket/loops/` from folders.
fn is_address(path: &Path) -> bool {
    path.to_str().is_some_and(|text| text.contains("://"))
}
