//! The server: its socket, its threads, its end.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::oneshot;

use crate::PageError;
use crate::app::App;
use crate::program::Program;
use crate::router::router;
use crate::session::Sessions;
use crate::settings::{ServerSettings, Stores};

/// Threads that answer; files and the database are read by others.
const THREADS: usize = 2;
/// Requests that read files or the database at once; others wait.
const MAX_BLOCKING_THREADS: usize = 8;
/// Time that requests have to end when the server is stopped.
const MAX_ORDERLY_END: Duration = Duration::from_millis(500);

/// A server that answers until it is stopped or dropped.
pub struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens on `address` and answers from threads of its own.
    ///
    /// # Errors
    /// The address is in use, or may not be listened on.
    pub fn start(
        address: &str,
        mut settings: ServerSettings,
        stores: Stores,
        program: Program,
    ) -> Result<Self, PageError> {
        let listen = |source| PageError::Listen { address: address.to_owned(), source };
        let socket = TcpListener::bind(address).map_err(listen)?;
        socket.set_nonblocking(true).map_err(listen)?;
        let address = socket.local_addr().map_err(listen)?;
        settings.hosts.extend(own_names(address));
        let app = App { settings: Arc::new(settings), stores, program, sessions: Sessions::default() };
        let runtime = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .max_blocking_threads(MAX_BLOCKING_THREADS)
            .thread_name("page")
            .enable_all()
            .build()
            .map_err(listen)?;
        let (stop, stopped) = oneshot::channel();
        let serve = move || {
            runtime.block_on(async move {
                match tokio::net::TcpListener::from_std(socket) {
                    Ok(socket) => {
                        tokio::select! {
                            ended = axum::serve(socket, router(app)).into_future() => {
                                if let Err(error) = ended {
                                    tracing::error!(reason = %error, "the page has ended");
                                }
                            }
                            // Streams of frames may last; the browser asks again after a restart.
                            _ = stopped => {}
                        }
                    }
                    Err(error) => tracing::error!(reason = %error, "the page cannot listen"),
                }
            });
            runtime.shutdown_timeout(MAX_ORDERLY_END);
        };
        let thread = std::thread::Builder::new().name("page".to_owned()).spawn(serve).map_err(listen)?;
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }

    /// Returns the address that it listens on, with the port that the system chose where 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the page has ended by a fault");
        }
    }
}

/// The names that browsers on the same computer use.
fn own_names(address: SocketAddr) -> Vec<String> {
    let port = address.port();
    let mut names = vec![address.to_string()];
    if address.ip().is_loopback() || address.ip().is_unspecified() {
        names.extend([format!("localhost:{port}"), format!("127.0.0.1:{port}"), format!("[::1]:{port}")]);
    }
    names
}
