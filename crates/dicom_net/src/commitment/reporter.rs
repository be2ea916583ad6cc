//! Reports on associations of our own, for peers that have closed theirs.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use domain::{AeTitle, DestinationTls, Peer, ReceiveSettings};

use super::{Encoding, Pending, PendingRequests, Report, pending};
use crate::host::{Host, ReceiveEvent};
use crate::object_folder::ObjectFolder;
use crate::send::{Destination, report_event};

/// Time that a peer has to take the report on the association that it asked on.
const PATIENCE: Duration = Duration::from_secs(5);

/// The first wait between two tries; later ones double.
const FIRST_WAIT: Duration = Duration::from_secs(10);

/// The longest wait between two tries.
const MAX_WAIT: Duration = Duration::from_secs(3600);

/// Time between two looks at the requests.
const ROUND: Duration = Duration::from_secs(1);

/// Time without an answer after which a peer counts as away.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Works off the requests that wait.
pub(crate) struct Reporter {
    pub requests: Arc<PendingRequests>,
    pub settings: ReceiveSettings,
    pub folder: Arc<ObjectFolder>,
    pub host: Arc<dyn Host>,
}

/// The tries of one request in this run.
struct Tries {
    next: Instant,
    wait: Duration,
}

impl Reporter {
    /// Reports until the other end of `until` is dropped.
    pub fn run(&self, until: &Receiver<()>) {
        let mut tries: HashMap<PathBuf, Tries> = HashMap::new();
        while matches!(until.recv_timeout(ROUND), Err(RecvTimeoutError::Timeout)) {
            let waiting = self.requests.all();
            tries.retain(|path, _| waiting.iter().any(|(waiting, _)| waiting == path));
            for (path, pending) in waiting {
                let now = Instant::now();
                let tries = tries.entry(path.clone()).or_insert(Tries { next: now + PATIENCE, wait: FIRST_WAIT });
                if now < tries.next {
                    continue;
                }
                match self.report(&pending) {
                    Ok(()) => pending::forget(&path),
                    Err(reason) => {
                        tries.next = now + tries.wait;
                        tries.wait = (tries.wait * 2).min(MAX_WAIT);
                        self.host.notice(&ReceiveEvent::CommitmentNotReported { ae_title: pending.ae_title, reason });
                    }
                }
            }
        }
    }

    fn report(&self, pending: &Pending) -> Result<(), String> {
        let peer = self.settings.peers.iter().find(|peer| peer.ae_title.as_str() == pending.ae_title);
        let destination =
            peer.and_then(|peer| self.destination(peer)).ok_or("receive.peers has no report_to for it")?;
        let report = Report::new(&pending.request, &self.folder, &*self.host, Encoding::Explicit);
        report_event(&destination, &report)
    }

    /// Returns the place where a peer listens for reports.
    fn destination(&self, peer: &Peer) -> Option<Destination> {
        let (host, port) = peer.report_to.clone()?;
        let called_ae_title: AeTitle = peer.ae_title.clone();
        // The authorities of peers' certificates are known where peers must show one.
        let tls =
            self.settings.tls.as_ref().and_then(|tls| {
                Some(DestinationTls { ca: tls.client_ca.clone()?, identity: Some(tls.identity.clone()) })
            });
        Some(Destination {
            host,
            port,
            called_ae_title,
            calling_ae_title: self.settings.ae_title.clone(),
            timeout: TIMEOUT,
            tls,
        })
    }
}
