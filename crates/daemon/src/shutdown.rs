//! Asking the daemon to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Time between two looks at the flag, which a signal may set.
const POLL: Duration = Duration::from_millis(100);

/// A flag that every part of the daemon watches; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Shutdown(Arc<AtomicBool>);

impl Shutdown {
    /// Not asked for yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Watches a flag that exists already, such as one a signal handler sets.
    pub const fn from_flag(flag: Arc<AtomicBool>) -> Self {
        Self(flag)
    }

    /// Stop intake, finish running jobs, return.
    pub fn request(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Returns whether it was asked for.
    pub fn requested(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// Waits until it is asked for.
    pub fn wait(&self) {
        while !self.requested() {
            std::thread::sleep(POLL);
        }
    }
}
