//! The end of a worker whose decoder hangs after the program that asked is gone.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The program ends a worker at its time limit; so much later it must be gone itself.
const GRACE: Duration = Duration::from_secs(2);
const ROUND: Duration = Duration::from_millis(500);

/// A thread that ends the process when a task takes much longer than its limit.
pub(crate) struct Watchdog(Arc<Mutex<Option<Instant>>>);

impl Watchdog {
    /// Starts the thread.
    pub(crate) fn start() -> std::io::Result<Self> {
        let deadline = Arc::new(Mutex::new(None));
        let watched = Arc::clone(&deadline);
        std::thread::Builder::new().name("watchdog".to_owned()).spawn(move || {
            loop {
                std::thread::sleep(ROUND);
                let deadline: Option<Instant> = *watched.lock().unwrap_or_else(PoisonError::into_inner);
                if deadline.is_some_and(|deadline| Instant::now() > deadline) {
                    // An orderly exit would wait for locks that the decoder may hold.
                    std::process::abort();
                }
            }
        })?;
        Ok(Self(deadline))
    }

    /// Watches a task until the returned value is dropped.
    pub(crate) fn watch(&self, limit: Duration) -> Watched<'_> {
        self.set(Instant::now().checked_add(limit + GRACE));
        Watched(self)
    }

    fn set(&self, deadline: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = deadline;
    }
}

/// A task in work.
pub(crate) struct Watched<'a>(&'a Watchdog);

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        self.0.set(None);
    }
}
