//! The receiver: its threads, its ports, its end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::Sender;
use std::time::Duration;

use domain::ReceiveSettings;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::ReceiveError;
use crate::acceptor::Acceptor;
use crate::commitment::{PendingRequests, Reporter};
use crate::host::Host;
use crate::intake::Intake;
use crate::listener::Listener;
use crate::object_folder::ObjectFolder;
use crate::stow::StowServer;

/// Threads of the runtime.
const THREADS: usize = 2;

/// Time that open associations and requests have to end when the receiver stops.
const MAX_STOP: Duration = Duration::from_secs(2);

/// A receiver of DICOM objects. Dropped, it stops.
pub struct Receiver {
    runtime: Option<Runtime>,
    stopping: watch::Sender<bool>,
    /// Dropped, the thread that reports on commitment ends.
    _reporting: Sender<()>,
    address: SocketAddr,
    stow_address: Option<SocketAddr>,
}

impl Receiver {
    /// Listens, and receives on threads of its own until it is stopped.
    ///
    /// # Errors
    /// [`ReceiveError`]: an address is taken, the folder cannot be written to, a certificate cannot be used.
    pub fn start(settings: ReceiveSettings, host: Arc<dyn Host>) -> Result<Self, ReceiveError> {
        let folder = Arc::new(ObjectFolder::open(&settings.folder)?);
        let requests = PendingRequests::open(folder.pending_requests())
            .map_err(|source| ReceiveError::Folder { folder: settings.folder.clone(), source })?;
        let requests = Arc::new(requests);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("dicom-net")
            .enable_io()
            .enable_time()
            .build()
            .map_err(ReceiveError::Threads)?;
        let reporter = Reporter {
            requests: Arc::clone(&requests),
            settings: settings.clone(),
            folder: Arc::clone(&folder),
            host: Arc::clone(&host),
        };
        let (stopping, watched) = watch::channel(false);
        let intake = Arc::new(Intake::new(settings, folder, host, watched));
        let (address, stow_address) = {
            let _inside = runtime.enter();
            // Both ports are opened before either is served: a start that fails has taken nothing.
            let (acceptor, stow_acceptor) = (listen_dicom(&intake)?, listen_stow(&intake)?);
            let listener =
                Arc::new(Listener { intake: Arc::clone(&intake), requests, refused_contexts: AtomicU64::new(0) });
            runtime.spawn(acceptor.0.serve(Arc::clone(&intake), move |connection| {
                let listener = Arc::clone(&listener);
                async move { listener.serve(connection).await }
            }));
            let stow_address = stow_acceptor.map(|(acceptor, address, server)| {
                runtime.spawn(
                    acceptor.serve(Arc::clone(&intake), move |connection| Arc::clone(&server).serve(connection)),
                );
                address
            });
            (acceptor.1, stow_address)
        };
        let (reporting, until) = std::sync::mpsc::channel();
        std::thread::Builder::new()
            .name("dicom-report".to_owned())
            .spawn(move || reporter.run(&until))
            .map_err(ReceiveError::Threads)?;
        Ok(Self { runtime: Some(runtime), stopping, _reporting: reporting, address, stow_address })
    }

    /// Returns the address that is listened on; its port is a free one where the settings say 0.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the address of STOW-RS, where it is on.
    pub const fn stow_address(&self) -> Option<SocketAddr> {
        self.stow_address
    }

    /// Ends all associations and requests: an object of which all bytes have come is finished and answered, others are dropped.
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

fn listen_dicom(intake: &Intake) -> Result<(Acceptor, SocketAddr), ReceiveError> {
    let ReceiveSettings { listen, tls, .. } = &intake.settings;
    let acceptor = Acceptor::new(*listen, tls.as_ref())?;
    let address = acceptor.address().map_err(|source| ReceiveError::Listen { address: *listen, source })?;
    Ok((acceptor, address))
}

fn listen_stow(intake: &Arc<Intake>) -> Result<Option<(Acceptor, SocketAddr, Arc<StowServer>)>, ReceiveError> {
    let Some(settings) = &intake.settings.stow else { return Ok(None) };
    let acceptor = Acceptor::new(settings.listen, settings.tls.as_ref())?;
    let address = acceptor.address().map_err(|source| ReceiveError::Listen { address: settings.listen, source })?;
    Ok(Some((acceptor, address, Arc::new(StowServer::new(settings.clone(), Arc::clone(intake))))))
}
