//! The inbox: finds files, waits until they are complete, makes jobs of them.
//!
//! The walk over the folders is the truth; events of the system only say where to look first. A file is taken when it
//! has not changed for the stability time and its bytes say that they are all there.

mod arrival;
mod candidate;
mod file_system;
mod hints;
mod names;
mod own_files;
mod sample;

use std::collections::{BTreeMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use domain::{Sha256, path_tag};
use files::{Links, Unreadable};
use jiff::{SignedDuration, Timestamp};
use sha2::Digest as _;
use store::{Backend, Enqueued, FileIdentity, FileKnowledge, SettledFile, StoreError};

use crate::path_tag::without_path;
use crate::reporter::Reporter;
use crate::settings::InboxSettings;
use crate::{Clock, Completeness, DaemonEvent, FileCheck, Polling};
use arrival::{Arrival, read_error};
use candidate::Candidate;
use own_files::OwnFiles;

pub use candidate::{FileStat, stat};
pub(crate) use file_system::network_name;
pub(crate) use hints::{Hint, HintReceiver, HintSender, channel as hint_channel, watch};
pub use names::is_ignored as is_ignored_name;
pub(crate) use names::is_ignored_below;
pub use sample::sample_sha256;

/// Difference of the wall clock and the steady one beyond which somebody has set the wall clock.
const MAX_CLOCK_DIFFERENCE: SignedDuration = SignedDuration::from_secs(1);

/// Dependencies of the inbox.
#[derive(Clone, Copy)]
pub(crate) struct InboxContext<'a> {
    pub settings: &'a InboxSettings,
    /// The database file, which may lie in a watch folder.
    pub database: Option<&'a Path>,
    pub store: &'a dyn Backend,
    pub clock: &'a dyn Clock,
    pub file_check: &'a dyn FileCheck,
    pub reporter: &'a Reporter<'a>,
    /// A job was made.
    pub wake_worker: &'a (dyn Fn() + Sync),
    pub is_stopping: &'a (dyn Fn() -> bool + Sync),
}

pub(crate) struct Inbox<'a> {
    around: InboxContext<'a>,
    /// The watch folders without links in them, so that a file has one path.
    roots: Vec<PathBuf>,
    trust_file_times: bool,
    own_files: Option<OwnFiles>,
    candidates: BTreeMap<PathBuf, Candidate>,
    /// File versions the store knows. Only their hashes: an archive has millions.
    settled: HashSet<Settled>,
    next_walk: Timestamp,
    /// Folders that were reported as unreadable.
    unreadable: HashSet<PathBuf>,
}

type Settled = [u8; 16];

impl<'a> Inbox<'a> {
    pub fn new(around: InboxContext<'a>, roots: Vec<PathBuf>) -> Self {
        let trust_file_times = roots.iter().all(|root| network_name(root).is_none());
        Self {
            around,
            roots,
            trust_file_times,
            own_files: around.database.map(OwnFiles::new),
            candidates: BTreeMap::new(),
            settled: HashSet::new(),
            next_walk: Timestamp::MIN,
            unreadable: HashSet::new(),
        }
    }

    /// The folders whose change events are worth having.
    pub fn folders_with_events(&self) -> Vec<PathBuf> {
        let wanted = |root: &&PathBuf| match self.around.settings.polling {
            Polling::Always => false,
            Polling::Never => true,
            Polling::Auto => network_name(root).is_none(),
        };
        self.roots.iter().filter(wanted).cloned().collect()
    }

    /// Does what is due: looks at the files that wait for a look, and walks when it is time to.
    pub fn tick(&mut self, now: Timestamp) -> Result<(), StoreError> {
        if now >= self.next_walk {
            self.walk_everything(now)?;
        }
        let due: Vec<PathBuf> = self
            .candidates
            .iter()
            .filter(|(_, candidate)| candidate.next_look <= now)
            .map(|(path, _)| path.clone())
            .collect();
        for path in due {
            self.look_at(&path, now)?;
        }
        Ok(())
    }

    /// Follows a hint.
    pub fn follow(&mut self, hint: &Hint, now: Timestamp) -> Result<(), StoreError> {
        match hint {
            Hint::LookEverywhere => self.next_walk = now,
            Hint::Vanished(file) => {
                self.settled.remove(&settled_key(file));
            }
            Hint::Look(path) if self.roots.iter().any(|root| names::is_ignored_below(root, path)) => {}
            Hint::Look(path) if path.is_dir() => {
                self.walk_below(std::slice::from_ref(path), now)?;
            }
            Hint::Look(path) => self.look_at(path, now)?,
            Hint::Whole(path) => self.take_whole(path, now)?,
        }
        Ok(())
    }

    /// Looks at a file that does not change any more.
    fn take_whole(&mut self, path: &Path, now: Timestamp) -> Result<(), StoreError> {
        // A file has one path here, without links in it.
        let Ok(path) = path.canonicalize() else { return Ok(()) };
        self.look_at(&path, now)?;
        // Still a candidate, it waits for its stability time.
        let waits = self.candidates.get(&path).is_some_and(|candidate| candidate.incomplete_looks == 0);
        match stat(&path) {
            Ok(Some(found)) if waits => self.check(&found.identity, found.last_change, now),
            _ => Ok(()),
        }
    }

    /// Files that are not complete, or not yet known to be.
    pub fn waiting(&self) -> usize {
        self.candidates.len()
    }

    /// Returns whether a file has still to be looked at a second time before anything can be said about it.
    pub fn has_unstable(&self) -> bool {
        self.candidates.values().any(|candidate| candidate.incomplete_since.is_none())
    }

    fn walk_everything(&mut self, now: Timestamp) -> Result<(), StoreError> {
        self.next_walk = now.saturating_add(self.around.settings.rescan).unwrap_or(Timestamp::MAX);
        let roots = self.roots.clone();
        if let Some(seen) = self.walk_below(&roots, now)? {
            self.settled.retain(|known| seen.contains(known));
            self.unreadable.clear();
        }
        Ok(())
    }

    /// Looks at every file below some folders; the versions that were seen, if the walk was complete.
    fn walk_below(&mut self, folders: &[PathBuf], now: Timestamp) -> Result<Option<HashSet<Settled>>, StoreError> {
        let mut seen = HashSet::new();
        let mut unreadable = Vec::new();
        for found in files::walk(folders, Links::Follow, |name| !names::is_ignored(name)) {
            if (self.around.is_stopping)() {
                return Ok(None);
            }
            match found.map(|path| stat(&path)) {
                Ok(Ok(Some(found))) => {
                    seen.insert(settled_key(&found.identity));
                    self.consider(found, now)?;
                }
                // Gone, or not readable just now: the next walk sees it if it is back.
                Ok(Ok(None) | Err(_)) => {}
                Err(folder) => unreadable.push(folder),
            }
        }
        let complete = unreadable.is_empty();
        for Unreadable { path, error } in unreadable {
            let (path_tag, reason) = (path_tag(&path), error.kind().to_string());
            if self.unreadable.insert(path) {
                self.around.reporter.emit(&DaemonEvent::FolderUnreadable { path_tag, reason });
            }
        }
        Ok(complete.then_some(seen))
    }

    fn look_at(&mut self, path: &Path, now: Timestamp) -> Result<(), StoreError> {
        match stat(path) {
            Ok(Some(found)) => self.consider(found, now),
            // Gone, or not readable just now: the next walk sees it if it is back.
            Ok(None) | Err(_) => {
                self.candidates.remove(path);
                Ok(())
            }
        }
    }

    /// Decides about a file that was just seen.
    fn consider(&mut self, found: FileStat, now: Timestamp) -> Result<(), StoreError> {
        let path = found.identity.path.clone();
        if self.own_files.as_ref().is_some_and(|own| own.contains(&path)) {
            return Ok(());
        }
        if path.file_name().is_some_and(names::is_ignored) {
            return self.leave_alone(&found.identity);
        }
        if self.settled.contains(&settled_key(&found.identity)) {
            self.candidates.remove(&path);
            return Ok(());
        }
        let as_before = self.candidates.get(&path).is_some_and(|candidate| candidate.identity == found.identity);
        if !as_before {
            if self.is_known(&found.identity)? {
                self.settle(&found.identity);
                return Ok(());
            }
            self.candidates.insert(path.clone(), Candidate::new(found.identity.clone(), now));
        }
        let (stability, trust) = (self.around.settings.stability, self.file_times_are_trusted());
        let ready = self.candidates.get_mut(&path).is_some_and(|candidate| {
            (!as_before || candidate.next_look <= now) && candidate.is_stable(&found, stability, trust, now)
        });
        if ready { self.check(&found.identity, found.last_change, now) } else { Ok(()) }
    }

    /// Returns whether the store knows this version of a file, if need be by a sample of its content.
    fn is_known(&self, file: &FileIdentity) -> Result<bool, StoreError> {
        let is_same = |sample| sample_sha256(&file.path).is_ok_and(|found| found == sample);
        match self.around.store.knowledge(file)? {
            FileKnowledge::Known => Ok(true),
            FileKnowledge::KnownBySample(sample) if is_same(sample) => {
                self.around.store.confirm(file)?;
                Ok(true)
            }
            FileKnowledge::KnownBySample(_) | FileKnowledge::Unknown => Ok(false),
        }
    }

    /// Remembers a file that is not read because of its name, so that it is counted.
    fn leave_alone(&mut self, file: &FileIdentity) -> Result<(), StoreError> {
        if self.settled.contains(&settled_key(file)) {
            return Ok(());
        }
        if !self.is_known(file)?
            && let Ok(sample) = sample_sha256(&file.path)
        {
            let reason = "left alone because of its name: hidden, unfinished, or the index of a disc";
            self.around.store.settle(file, sample, &SettledFile::IgnoredName, reason, self.around.clock.now())?;
        }
        self.settle(file);
        Ok(())
    }

    /// Returns whether a file's age can be told from its times: the file system's clock is ours, and nobody has set it.
    fn file_times_are_trusted(&self) -> bool {
        let clock = self.around.clock;
        self.trust_file_times && clock.now().duration_since(clock.steady()).abs() < MAX_CLOCK_DIFFERENCE
    }

    /// Asks whether the bytes are all there and acts on the answer.
    fn check(&mut self, file: &FileIdentity, last_change: Timestamp, now: Timestamp) -> Result<(), StoreError> {
        let answer = catch_unwind(AssertUnwindSafe(|| self.around.file_check.check(&file.path))).unwrap_or_else(|_| {
            Completeness::Incomplete { reason: "the completeness check panicked".to_owned(), identity: None }
        });
        // Of a file that cannot be read nothing was found either: its sample is that of nothing.
        let sample = sample_sha256(&file.path).unwrap_or(Sha256::from([0; 32]));
        match stat(&file.path) {
            Ok(Some(found)) if found.identity == *file => {}
            // It changed under the check: the answer is worth nothing. Not asked again at once, since a file that never
            // stops changing would keep us here for ever.
            Ok(Some(found)) => {
                let mut candidate = Candidate::new(found.identity, now);
                candidate.next_look = now.saturating_add(self.around.settings.stability).unwrap_or(Timestamp::MAX);
                self.candidates.insert(file.path.clone(), candidate);
                return Ok(());
            }
            Ok(None) | Err(_) => {
                self.candidates.remove(&file.path);
                return Ok(());
            }
        }
        let path_tag = path_tag(&file.path);
        match answer {
            Completeness::Complete { identity } => {
                let enqueued = self.around.store.enqueue(file, sample, identity.as_ref(), self.around.clock.now())?;
                self.settle(file);
                let study_instance_uid = identity.map(|identity| identity.study_instance_uid);
                if let Enqueued::New { reopened_study, .. } = enqueued {
                    (self.around.wake_worker)();
                    self.around
                        .reporter
                        .emit(&DaemonEvent::FileTaken { path_tag, study_instance_uid: study_instance_uid.clone() });
                    if let Some(study_instance_uid) = study_instance_uid.filter(|_| reopened_study) {
                        self.around.reporter.emit(&DaemonEvent::StudyReopened { study_instance_uid });
                    }
                }
            }
            Completeness::NotDicom { reason } => {
                let reason = without_path(&reason, &file.path);
                self.around.store.settle(file, sample, &SettledFile::NotDicom, &reason, self.around.clock.now())?;
                self.settle(file);
                self.around.reporter.emit(&DaemonEvent::FileIgnored { path_tag, reason });
            }
            Completeness::Archive { reason } => {
                self.around.store.settle(file, sample, &SettledFile::Archive, &reason, self.around.clock.now())?;
                self.settle(file);
                self.around.reporter.emit(&DaemonEvent::ArchiveIgnored { path_tag, reason });
            }
            Completeness::Incomplete { reason, identity } => {
                let last_change = self.file_times_are_trusted().then_some(last_change);
                let Some(candidate) = self.candidates.get_mut(&file.path) else { return Ok(()) };
                let (store, reporter) = (self.around.store, self.around.reporter);
                let arrival = Arrival { store, reporter, file, sample, now };
                if let Some(error) = read_error(&file.path) {
                    return arrival.wait_until_readable(candidate, &error);
                }
                let found = (identity, without_path(&reason, &file.path));
                if arrival.wait_for_the_rest(candidate, found, last_change, self.around.settings.incomplete_limit)? {
                    self.settle(file);
                }
            }
        }
        Ok(())
    }

    fn settle(&mut self, file: &FileIdentity) {
        self.candidates.remove(&file.path);
        self.settled.insert(settled_key(file));
    }
}

/// 128 bits of a hash: two files of an archive will not meet by chance.
fn settled_key(file: &FileIdentity) -> Settled {
    let mut hasher = sha2::Sha256::new();
    hasher.update(file.size_bytes.to_le_bytes());
    hasher.update(file.modified_unix_ns.to_le_bytes());
    hasher.update(file.inode.to_le_bytes());
    hasher.update(file.changed_unix_ns.to_le_bytes());
    hasher.update(file.path.as_os_str().as_encoded_bytes());
    let mut key = Settled::default();
    key.iter_mut().zip(hasher.finalize()).for_each(|(to, from)| *to = from);
    key
}

#[cfg(test)]
mod tests;
