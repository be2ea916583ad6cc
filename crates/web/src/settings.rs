//! Everything that a server is given.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::ViewerLink;
use ecg::PlanSettings;
use store::PageBackend;

use crate::session::Token;

/// Settings of a server.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    /// Secret that opens the page.
    pub token: Token,
    /// Names by which browsers may reach the server, with the port, such as `echo-pc:8042`.
    pub hosts: Vec<String>,
    /// Names that people may choose from when they log in; any name where there are none.
    pub reviewers: Vec<String>,
    /// True where pixels outside the ultrasound image, which may hold names, are shown.
    pub show_burned_in_text: bool,
    /// True where they are blackened before a frame leaves the server, also in frames that browsers could show as they are
    /// stored.
    pub mask_on_server: bool,
    /// Links of every study to other programs.
    pub viewers: Vec<ViewerLink>,
    /// Sampling that a loop's frames are marked by.
    pub plan: PlanSettings,
}

/// Connections to the database: some that read, and one that writes.
#[derive(Clone)]
pub struct Stores {
    readers: Arc<[Arc<dyn PageBackend>]>,
    writer: Arc<dyn PageBackend>,
    next: Arc<AtomicUsize>,
}

impl Stores {
    /// Returns the connections; without `readers` the writer reads too.
    pub fn new(readers: Vec<Arc<dyn PageBackend>>, writer: Arc<dyn PageBackend>) -> Self {
        let readers = if readers.is_empty() { vec![Arc::clone(&writer)] } else { readers };
        Self { readers: readers.into(), writer, next: Arc::default() }
    }

    /// Returns the next connection that reads.
    pub(crate) fn reader(&self) -> Arc<dyn PageBackend> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        self.readers.get(turn % self.readers.len()).map_or_else(|| self.writer(), Arc::clone)
    }

    /// Returns the connection that writes.
    pub(crate) fn writer(&self) -> Arc<dyn PageBackend> {
        Arc::clone(&self.writer)
    }
}
