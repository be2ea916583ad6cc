//! The system's change events. They only hurry the walk up: some are lost, and a share sends none.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use store::FileIdentity;

/// Hints that may wait to be followed; beyond that, looking everywhere is cheaper.
const MOST_WAITING: usize = 65_536;

/// Place to look at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Hint {
    /// At this file, or at everything below this folder.
    Look(PathBuf),
    /// At this file, which is whole.
    Whole(PathBuf),
    /// Everywhere: events were lost.
    LookEverywhere,
    /// A job found no file: should it come back, it must be looked at as if it were new.
    Vanished(FileIdentity),
}

/// Gives hints; never blocks.
#[derive(Debug, Clone)]
pub(crate) struct HintSender {
    sender: Sender<Hint>,
    overflowed: Arc<AtomicBool>,
}

/// Takes hints.
#[derive(Debug)]
pub(crate) struct HintReceiver {
    receiver: Receiver<Hint>,
    overflowed: Arc<AtomicBool>,
}

/// A sender and its receiver.
pub(crate) fn channel() -> (HintSender, HintReceiver) {
    let (sender, receiver) = bounded(MOST_WAITING);
    let overflowed = Arc::new(AtomicBool::new(false));
    (HintSender { sender, overflowed: Arc::clone(&overflowed) }, HintReceiver { receiver, overflowed })
}

impl HintSender {
    pub fn give(&self, hint: Hint) {
        if self.sender.try_send(hint).is_err() {
            self.overflowed.store(true, Ordering::SeqCst);
        }
    }
}

impl HintReceiver {
    /// Waits for a hint and takes all there are, each once.
    pub fn take(&self, patience: Duration) -> HashSet<Hint> {
        let mut hints: HashSet<Hint> = self.receiver.recv_timeout(patience).into_iter().collect();
        hints.extend(self.receiver.try_iter().take(MOST_WAITING));
        if self.overflowed.swap(false, Ordering::SeqCst) {
            hints.insert(Hint::LookEverywhere);
        }
        hints
    }
}

/// Starts to watch a folder with its sub-folders; the events end when the watcher is dropped.
pub(crate) fn watch(folder: &Path, hints: HintSender) -> notify::Result<RecommendedWatcher> {
    // The callback must return at once, or the system's event queue overflows.
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        for hint in hints_of(event) {
            hints.give(hint);
        }
    })?;
    watcher.watch(folder, RecursiveMode::Recursive)?;
    Ok(watcher)
}

fn hints_of(event: notify::Result<Event>) -> Vec<Hint> {
    match event {
        Err(_) => vec![Hint::LookEverywhere],
        Ok(event) if event.need_rescan() => vec![Hint::LookEverywhere],
        Ok(event) => match event.kind {
            // Reading a file is an access too, ours included; only the end of writing is news.
            EventKind::Access(kind) if kind != AccessKind::Close(AccessMode::Write) => Vec::new(),
            EventKind::Remove(_) => Vec::new(),
            _ => event.paths.into_iter().map(Hint::Look).collect(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lost_hints_become_a_look_everywhere() {
        let (sender, receiver) = channel();
        for number in 0..=MOST_WAITING {
            sender.give(Hint::Look(number.to_string().into()));
        }
        let hints = receiver.take(Duration::ZERO);
        assert!(hints.contains(&Hint::LookEverywhere));
        assert_eq!(hints.len(), MOST_WAITING + 1);
        assert!(receiver.take(Duration::ZERO).is_empty());
    }
}
