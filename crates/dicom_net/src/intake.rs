//! Everything that the ways into the folder share: C-STORE and STOW-RS.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::ReceiveSettings;
use tokio::sync::watch;

use crate::connection_limit::ConnectionLimit;
use crate::host::{Host, ReceiveEvent};
use crate::object_folder::ObjectFolder;

/// Settings, folder, limits and counters of a receiver.
pub(crate) struct Intake {
    pub settings: ReceiveSettings,
    pub folder: Arc<ObjectFolder>,
    pub host: Arc<dyn Host>,
    pub associations: ConnectionLimit,
    pub stopping: watch::Receiver<bool>,
    refused_peers: AtomicU64,
}

impl Intake {
    pub fn new(
        settings: ReceiveSettings,
        folder: Arc<ObjectFolder>,
        host: Arc<dyn Host>,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        Self {
            settings,
            folder,
            host,
            associations: ConnectionLimit::default(),
            stopping,
            refused_peers: AtomicU64::new(0),
        }
    }

    /// Counts a connection that was not accepted, and tells of it.
    pub fn peer_refused(&self, peer: Option<String>, address: IpAddr, reason: &str) {
        let total = self.refused_peers.fetch_add(1, Ordering::Relaxed) + 1;
        self.host.notice(&ReceiveEvent::PeerRefused { peer, address, reason: reason.to_owned(), total });
    }
}
