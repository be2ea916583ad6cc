//! A port: accepts connections and encrypts them.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use domain::{ReceiveTls, Sha256};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use crate::ReceiveError;
use crate::intake::Intake;
use crate::tls;

/// Connections that have not said yet who they are, at most; more are closed at once.
const MAX_PENDING: usize = 256;

/// Time within which a connection must be encrypted.
const MAX_HANDSHAKE: Duration = Duration::from_secs(5);

/// Pause after the system refused to accept a connection, mostly for lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A connection, encrypted or not.
pub(crate) trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Connection for S {}

/// The other end of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Remote {
    pub address: IpAddr,
    /// The digest of its certificate, where it has shown one.
    pub certificate: Option<Sha256>,
}

/// A connection that was accepted.
pub(crate) struct AcceptedConnection {
    pub connection: Box<dyn Connection>,
    pub remote: Remote,
    pub pending_slot: PendingSlot,
}

/// The slot of a connection that has not said who it is; such connections take no permit of a peer.
pub(crate) struct PendingSlot(Arc<AtomicUsize>);

impl Drop for PendingSlot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A port that is listened on.
pub(crate) struct Acceptor {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    pending: Arc<AtomicUsize>,
}

impl Acceptor {
    /// Listens; must be called on a runtime.
    ///
    /// # Errors
    /// [`ReceiveError`]: the address is taken, a certificate cannot be used.
    pub fn new(address: SocketAddr, tls: Option<&ReceiveTls>) -> Result<Self, ReceiveError> {
        let failed = |source| ReceiveError::Listen { address, source };
        let tls = tls.map(tls::server_config).transpose()?.map(|config| TlsAcceptor::from(Arc::new(config)));
        let listener = std::net::TcpListener::bind(address).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        Ok(Self { listener: TcpListener::from_std(listener).map_err(failed)?, tls, pending: Arc::default() })
    }

    /// Returns the address that is listened on; its port is a free one where 0 was asked for.
    ///
    /// # Errors
    /// Of the system.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves every connection in a task of its own until the receiver stops.
    pub async fn serve<F: Future<Output = ()> + Send + 'static>(
        self,
        intake: Arc<Intake>,
        serve: impl Fn(AcceptedConnection) -> F + Send + Sync + 'static,
    ) {
        let (tls, serve) = (Arc::new(self.tls), Arc::new(serve));
        let mut stopping = intake.stopping.clone();
        loop {
            let accepted = tokio::select! {
                _ = stopping.wait_for(|stopping| *stopping) => return,
                accepted = self.listener.accept() => accepted,
            };
            let Ok((stream, address)) = accepted else {
                sleep(ACCEPT_PAUSE).await;
                continue;
            };
            let pending_slot = PendingSlot(Arc::clone(&self.pending));
            if self.pending.fetch_add(1, Ordering::Relaxed) >= MAX_PENDING {
                intake.peer_refused(None, address.ip(), "too many connections have not said who they are");
                continue;
            }
            let (tls, serve, intake) = (Arc::clone(&tls), Arc::clone(&serve), Arc::clone(&intake));
            tokio::spawn(async move {
                match encrypt(stream, address.ip(), tls.as_ref().as_ref()).await {
                    Ok((connection, remote)) => serve(AcceptedConnection { connection, remote, pending_slot }).await,
                    Err(reason) => intake.peer_refused(None, address.ip(), &reason),
                }
            });
        }
    }
}

async fn encrypt(
    stream: TcpStream,
    address: IpAddr,
    tls: Option<&TlsAcceptor>,
) -> Result<(Box<dyn Connection>, Remote), String> {
    // With Nagle's algorithm every answer would wait for the peer's delayed acknowledgment.
    let _ = stream.set_nodelay(true);
    let Some(acceptor) = tls else { return Ok((Box::new(stream), Remote { address, certificate: None })) };
    match timeout(MAX_HANDSHAKE, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => {
            let certificates = stream.get_ref().1.peer_certificates();
            let certificate = certificates.and_then(|shown| shown.first()).map(tls::fingerprint);
            Ok((Box::new(stream), Remote { address, certificate }))
        }
        Ok(Err(error)) => Err(format!("no encrypted connection: {error}")),
        Err(_) => Err("no encrypted connection within 5 seconds".to_owned()),
    }
}
