//! Files that the program itself has received.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::inbox::{Hint, HintSender};

/// Tells a running daemon of files that are whole, since the program wrote and synced them itself. They are taken at once,
/// not when they have not changed for a while. Clones tell the same daemon.
#[derive(Debug, Clone, Default)]
pub struct ReceivedFiles(Arc<Mutex<Option<HintSender>>>);

impl ReceivedFiles {
    /// Tells of a file. While no daemon runs nobody is told: the walk over the folders finds the file.
    pub fn tell(&self, path: &Path) {
        if let Some(hints) = &*self.lock() {
            hints.give(Hint::Whole(path.to_owned()));
        }
    }

    pub(crate) fn connect(&self, hints: HintSender) {
        *self.lock() = Some(hints);
    }

    fn lock(&self) -> MutexGuard<'_, Option<HintSender>> {
        // It is whole after every statement, also where a holder panicked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
