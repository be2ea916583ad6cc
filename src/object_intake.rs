//! Queueing of the objects of prefixes that are watched.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use daemon::settings::InboxSettings;
use domain::path_tag;
use jiff::Timestamp;
use store::{Enqueued, FileIdentity, FileKnowledge, Queue};

use crate::place::objects;

/// Sleep between two looks at whether the run has ended.
const NAP: Duration = Duration::from_millis(200);
/// Least time between two lists of a prefix: a store charges for them.
const MIN_INTERVAL: Duration = Duration::from_secs(5);

/// Lists prefixes and queues the objects that the store does not know.
///
/// An object has its name when it is whole, so none is waited for; its tag and length tell another one of the same name.
pub struct ObjectIntake<'a> {
    store: &'a dyn Queue,
    prefixes: &'a [PathBuf],
    interval: Duration,
    /// Versions that have a job.
    queued: HashSet<FileIdentity>,
}

impl<'a> ObjectIntake<'a> {
    /// Looks at the prefixes of the settings; nothing is listed yet.
    pub fn new(store: &'a dyn Queue, settings: &'a InboxSettings) -> Self {
        let interval = Duration::try_from(settings.rescan).unwrap_or(MIN_INTERVAL).max(MIN_INTERVAL);
        Self { store, prefixes: &settings.prefixes, interval, queued: HashSet::new() }
    }

    /// Queues what is new.
    ///
    /// # Errors
    /// A prefix cannot be listed, or the database not be written.
    pub fn take(&mut self) -> anyhow::Result<()> {
        for prefix in self.prefixes {
            let address = prefix.to_str().context("an address is text")?;
            let mut seen = HashSet::new();
            for object in objects::list(address).with_context(|| format!("{address} cannot be listed"))? {
                let identity = object.identity();
                if !self.queued.contains(&identity) && self.store.knowledge(&identity)? == FileKnowledge::Unknown {
                    let sample = object.sample_sha256()?;
                    if let Enqueued::New { .. } = self.store.enqueue(&identity, sample, None, Timestamp::now())? {
                        tracing::info!(file = path_tag(&identity.path), "object taken");
                    }
                }
                seen.insert(identity);
            }
            self.queued.extend(seen);
        }
        Ok(())
    }

    /// Queues what is new again and again, until the run has ended.
    pub fn run(mut self, ended: &AtomicBool) {
        let mut last: Option<Instant> = None;
        while !self.prefixes.is_empty() && !ended.load(Ordering::SeqCst) {
            if last.is_none_or(|last| last.elapsed() >= self.interval) {
                last = Some(Instant::now());
                if let Err(error) = self.take() {
                    tracing::warn!(error = format!("{error:#}"), "objects are not seen");
                }
            }
            std::thread::sleep(NAP);
        }
    }
}
