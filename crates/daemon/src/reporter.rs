//! Emission of events and their counts.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use domain::JobId;

use crate::{DaemonEvent, Observer, Summary};

/// Emits every event to the observer and counts it.
pub(crate) struct Reporter<'a> {
    observer: &'a dyn Observer,
    tally: Mutex<Tally>,
}

#[derive(Default)]
struct Tally {
    summary: Summary,
    /// Jobs whose last try failed and that will be tried again.
    retrying: HashSet<JobId>,
}

impl<'a> Reporter<'a> {
    pub fn new(observer: &'a dyn Observer) -> Self {
        Self { observer, tally: Mutex::default() }
    }

    pub fn emit(&self, event: &DaemonEvent) {
        tracing::debug!(?event);
        self.tally.lock().unwrap_or_else(PoisonError::into_inner).count(event);
        self.observer.notice(event);
    }

    /// The counts so far.
    pub fn summary(&self) -> Summary {
        let tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        Summary { retrying: tally.retrying.len() as u64, ..tally.summary.clone() }
    }
}

impl Tally {
    fn count(&mut self, event: &DaemonEvent) {
        let summary = &mut self.summary;
        match event {
            DaemonEvent::FileTaken { .. } => summary.taken += 1,
            DaemonEvent::FileIgnored { .. } | DaemonEvent::ArchiveIgnored { .. } => summary.not_dicom += 1,
            DaemonEvent::FileIncomplete { given_up: true, .. } => summary.incomplete += 1,
            DaemonEvent::JobStarted { job_id, .. } => {
                self.retrying.remove(job_id);
            }
            DaemonEvent::LoopLabelled { view: Some(_), .. } => summary.labelled += 1,
            DaemonEvent::LoopLabelled { view: None, .. } => summary.abstained += 1,
            DaemonEvent::LoopSkipped { .. } => summary.skipped += 1,
            DaemonEvent::LoopDuplicate { .. } => summary.duplicates += 1,
            DaemonEvent::LoopMoved { .. } => summary.moved += 1,
            DaemonEvent::LoopConflict { .. } => summary.conflicts += 1,
            DaemonEvent::LoopFailed { will_retry: false, .. } => summary.failed += 1,
            DaemonEvent::LoopFailed { job_id, will_retry: true, .. } => {
                self.retrying.insert(*job_id);
            }
            DaemonEvent::FolderUnreadable { .. } => summary.unreadable_folders += 1,
            DaemonEvent::StudyClosed { .. } => summary.studies_closed += 1,
            DaemonEvent::Started { .. }
            | DaemonEvent::FileIncomplete { given_up: false, .. }
            | DaemonEvent::PollingOnly { .. }
            | DaemonEvent::StudyReopened { .. }
            | DaemonEvent::DatabaseUnusable { .. }
            | DaemonEvent::DatabaseUsable
            | DaemonEvent::WindowChanged { .. }
            | DaemonEvent::Morning { .. }
            | DaemonEvent::Alive
            | DaemonEvent::Stopping => {}
        }
    }
}
