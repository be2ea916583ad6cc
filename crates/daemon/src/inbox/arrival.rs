//! Files that are there in part, or cannot be read.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use domain::{Sha256, path_tag};
use jiff::{SignedDuration, Timestamp};
use store::{Backend, DicomIdentity, FileIdentity, SettledFile, StoreError};

use super::candidate::Candidate;
use crate::reporter::Reporter;
use crate::{Backoff, DaemonEvent};

/// Waits between checks of an incomplete file: uploads resume within seconds or not at all.
const BACKOFF: Backoff = Backoff { first: SignedDuration::from_secs(1), longest: SignedDuration::from_secs(60) };

/// Returns the error of reading a file of which nothing can be read.
pub(super) fn read_error(path: &Path) -> Option<io::Error> {
    File::open(path).and_then(|mut file| file.read(&mut [0])).err()
}

/// A file that has not come whole, and where that is recorded.
pub(super) struct Arrival<'a> {
    pub store: &'a dyn Backend,
    pub reporter: &'a Reporter<'a>,
    pub file: &'a FileIdentity,
    pub sample: Sha256,
    pub now: Timestamp,
}

impl Arrival<'_> {
    /// Remembers that a part is missing; returns true when the file has been so for `limit`.
    ///
    /// `last_change` is that of the file, where the file system's clock can be believed.
    pub fn wait_for_the_rest(
        &self,
        candidate: &mut Candidate,
        (identity, reason): (Option<DicomIdentity>, String),
        last_change: Option<Timestamp>,
        limit: SignedDuration,
    ) -> Result<bool, StoreError> {
        let first_time = candidate.incomplete_since.is_none();
        let since = match candidate.incomplete_since {
            Some(since) => since,
            // An earlier run may have seen it like this.
            None => self.settle(identity.clone(), false, &reason)?,
        };
        candidate.incomplete_since = Some(since);
        candidate.incomplete_looks += 1;
        candidate.next_look = self.next_look(candidate.incomplete_looks);
        let since = last_change.map_or(since, |last_change| since.min(last_change));
        let given_up = self.now.duration_since(since) >= limit;
        if given_up {
            self.settle(identity, true, &reason)?;
        }
        if first_time || given_up {
            let path_tag = path_tag(&self.file.path);
            self.reporter.emit(&DaemonEvent::FileIncomplete { path_tag, reason, given_up });
        }
        Ok(given_up)
    }

    /// Remembers that the file cannot be read. A share that is away says nothing about the file, so the file is never given
    /// up for it.
    pub fn wait_until_readable(&self, candidate: &mut Candidate, error: &io::Error) -> Result<(), StoreError> {
        candidate.unreadable_looks += 1;
        candidate.next_look = self.next_look(candidate.unreadable_looks);
        if candidate.unreadable_looks == 1 {
            let (path_tag, reason) = (path_tag(&self.file.path), format!("it cannot be read: {}", error.kind()));
            self.settle(None, false, &reason)?;
            self.reporter.emit(&DaemonEvent::FileIncomplete { path_tag, reason, given_up: false });
        }
        Ok(())
    }

    fn settle(&self, identity: Option<DicomIdentity>, given_up: bool, reason: &str) -> Result<Timestamp, StoreError> {
        let how = SettledFile::Incomplete { identity, given_up };
        self.store.settle(self.file, self.sample, &how, reason, self.now)
    }

    fn next_look(&self, looks: u32) -> Timestamp {
        self.now.saturating_add(BACKOFF.wait_after(looks)).unwrap_or(Timestamp::MAX)
    }
}
