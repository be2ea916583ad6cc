//! The listener: accepts connections, decides who comes in, and serves each association in a task of its own.

use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::Sender;
use std::time::Duration;

use dicom_ul::Pdu;
use domain::ReceiveSettings;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::TlsAcceptor;

use crate::ReceiveError;
use crate::association::Association;
use crate::commitment::{PendingRequests, Reporter};
use crate::host::{Host, ReceiveEvent};
use crate::negotiation::{self, RefusedContext, Rejected, Remote};
use crate::object_folder::ObjectFolder;
use crate::scp::Scp;
use crate::seats::Seats;
use crate::tls;

/// Threads of the runtime.
const THREADS: usize = 2;

/// Connections that have not asked for an association yet, at most; more are closed at once.
const MAX_UNDECIDED: usize = 256;

/// Time within which a connection must be encrypted.
const MAX_HANDSHAKE: Duration = Duration::from_secs(5);

/// Time within which a connection must ask for an association.
const MAX_UNTIL_REQUEST: Duration = Duration::from_secs(10);

/// Time that open associations have to end when the receiver stops.
const MAX_STOP: Duration = Duration::from_secs(2);

/// Pause after the system refused to accept a connection, mostly for lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A receiver of DICOM objects. Dropped, it stops.
pub struct Receiver {
    runtime: Option<Runtime>,
    stopping: watch::Sender<bool>,
    /// Dropped, the thread that reports on commitment ends.
    _reporting: Sender<()>,
    address: SocketAddr,
}

/// Everything that the tasks of a receiver share.
struct Shared {
    settings: ReceiveSettings,
    folder: Arc<ObjectFolder>,
    requests: Arc<PendingRequests>,
    host: Arc<dyn Host>,
    tls: Option<TlsAcceptor>,
    seats: Seats,
    undecided: AtomicUsize,
    refused_peers: AtomicU64,
    refused_contexts: AtomicU64,
    stopping: watch::Receiver<bool>,
}

impl Receiver {
    /// Listens, and receives on threads of its own until it is stopped.
    ///
    /// # Errors
    /// [`ReceiveError`]: the address is taken, the folder cannot be written to, a certificate cannot be used.
    pub fn start(settings: ReceiveSettings, host: Arc<dyn Host>) -> Result<Self, ReceiveError> {
        let tls = settings.tls.as_ref().map(tls::server_config).transpose()?;
        let folder = Arc::new(ObjectFolder::open(&settings.folder)?);
        let requests = PendingRequests::open(folder.pending_requests())
            .map_err(|source| ReceiveError::Folder { folder: settings.folder.clone(), source })?;
        let requests = Arc::new(requests);
        let failed = |source| ReceiveError::Listen { address: settings.listen, source };
        let listener = TcpListener::bind(settings.listen).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("dicom-net")
            .enable_io()
            .enable_time()
            .build()
            .map_err(ReceiveError::Threads)?;
        let listener = {
            let _inside = runtime.enter();
            tokio::net::TcpListener::from_std(listener).map_err(failed)?
        };
        let reporter = Reporter {
            requests: Arc::clone(&requests),
            settings: settings.clone(),
            folder: Arc::clone(&folder),
            host: Arc::clone(&host),
        };
        let (reporting, until) = std::sync::mpsc::channel();
        std::thread::Builder::new()
            .name("dicom-report".to_owned())
            .spawn(move || reporter.run(&until))
            .map_err(ReceiveError::Threads)?;
        let (stopping, watched) = watch::channel(false);
        let shared = Shared {
            folder,
            requests,
            host,
            tls: tls.map(|config| TlsAcceptor::from(Arc::new(config))),
            seats: Seats::default(),
            undecided: AtomicUsize::new(0),
            refused_peers: AtomicU64::new(0),
            refused_contexts: AtomicU64::new(0),
            stopping: watched,
            settings,
        };
        runtime.spawn(Arc::new(shared).listen(listener));
        Ok(Self { runtime: Some(runtime), stopping, _reporting: reporting, address })
    }

    /// Returns the address that is listened on; its port is a free one where the settings say 0.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends all associations: an object of which all bytes have come is finished and answered, others are dropped.
    pub fn stop(&mut self) {
        self.stopping.send_replace(true);
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(MAX_STOP);
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    async fn listen(self: Arc<Self>, listener: tokio::net::TcpListener) {
        let mut stopping = self.stopping.clone();
        loop {
            let accepted = tokio::select! {
                _ = stopping.wait_for(|stopping| *stopping) => return,
                accepted = listener.accept() => accepted,
            };
            let Ok((stream, address)) = accepted else {
                sleep(ACCEPT_PAUSE).await;
                continue;
            };
            let Some(place) = Undecided::new(&self) else {
                self.peer_refused(None, address, "too many connections wait to ask for an association");
                continue;
            };
            tokio::spawn(Arc::clone(&self).connect(stream, address, place));
        }
    }

    async fn connect(self: Arc<Self>, stream: TcpStream, address: SocketAddr, place: Undecided) {
        // With Nagle's algorithm every answer would wait for the peer's delayed acknowledgment.
        let _ = stream.set_nodelay(true);
        let Some(acceptor) = &self.tls else {
            return self.associate(stream, Remote { address: address.ip(), certificate: None }, place).await;
        };
        match timeout(MAX_HANDSHAKE, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => {
                let certificate =
                    stream.get_ref().1.peer_certificates().and_then(|shown| shown.first()).map(tls::fingerprint);
                self.associate(stream, Remote { address: address.ip(), certificate }, place).await;
            }
            Ok(Err(error)) => self.peer_refused(None, address, &format!("no encrypted connection: {error}")),
            Err(_) => self.peer_refused(None, address, "no encrypted connection within 5 seconds"),
        }
    }

    async fn associate<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S, remote: Remote, place: Undecided) {
        let limits = &self.settings.limits;
        let address = SocketAddr::new(remote.address, 0);
        let mut association = Association::new(stream, limits.max_pdu, limits.idle, self.stopping.clone());
        let deadline = Instant::now() + MAX_UNTIL_REQUEST.min(limits.idle);
        let request = match association.read_unit(deadline).await {
            Ok(Pdu::AssociationRQ(request)) => request,
            Ok(_) => {
                association.abort().await;
                return self.peer_refused(None, address, "its first message is no request for an association");
            }
            Err(error) => return self.peer_refused(None, address, &error.to_string()),
        };
        let admitted = negotiation::admitted(&self.settings, &request, remote)
            .and_then(|peer| self.seats.take(&peer.ae_title, limits).map_err(negotiation::congested));
        let seat = match admitted {
            Ok(seat) => seat,
            Err(Rejected { answer, reason }) => {
                self.peer_refused(Some(request.calling_ae_title), address, &reason);
                if association.send(&Pdu::AssociationRJ(answer)).await.is_ok() {
                    association.linger().await;
                }
                return;
            }
        };
        drop(place);
        let ae_title = request.calling_ae_title.clone();
        let accepted = negotiation::accept(&self.settings, request);
        self.contexts_refused(&ae_title, accepted.refused);
        if association.send(&Pdu::AssociationAC(accepted.answer)).await.is_err() {
            return;
        }
        association.peer_max_pdu = accepted.peer_max_pdu;
        let scp = Scp {
            association,
            contexts: accepted.contexts,
            ae_title,
            address: remote.address,
            settings: &self.settings,
            folder: &self.folder,
            host: &*self.host,
            requests: &self.requests,
            reports: HashMap::new(),
            next_report: 0,
            stored: 0,
            refused: 0,
        };
        scp.serve().await;
        drop(seat);
    }

    fn peer_refused(&self, ae_title: Option<String>, address: SocketAddr, reason: &str) {
        let total = self.refused_peers.fetch_add(1, Ordering::Relaxed) + 1;
        let (address, reason) = (address.ip(), reason.to_owned());
        self.host.notice(&ReceiveEvent::PeerRefused { ae_title, address, reason, total });
    }

    fn contexts_refused(&self, ae_title: &str, refused: Vec<RefusedContext>) {
        if refused.is_empty() {
            return;
        }
        let count = refused.len() as u64;
        let total = self.refused_contexts.fetch_add(count, Ordering::Relaxed) + count;
        let classes = refused.into_iter().map(|context| (context.abstract_syntax, context.reason)).collect();
        self.host.notice(&ReceiveEvent::ContextsRefused { ae_title: ae_title.to_owned(), classes, total });
    }
}

/// The place of a connection that has not asked for an association yet; such connections take no seat of a peer.
struct Undecided(Arc<Shared>);

impl Undecided {
    fn new(shared: &Arc<Shared>) -> Option<Self> {
        let before = shared.undecided.fetch_add(1, Ordering::Relaxed);
        let place = Self(Arc::clone(shared));
        (before < MAX_UNDECIDED).then_some(place)
    }
}

impl Drop for Undecided {
    fn drop(&mut self) {
        self.0.undecided.fetch_sub(1, Ordering::Relaxed);
    }
}
