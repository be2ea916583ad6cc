//! Ends of an association and errors of the receiver.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The reason why an association ended other than by its release.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NetError {
    /// The connection broke.
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
    /// The peer closed the connection without releasing the association.
    #[error("the peer closed the connection")]
    Closed,
    /// The peer aborted.
    #[error("the peer aborted the association")]
    Aborted,
    /// The peer sent nothing of use for too long.
    #[error("no progress within the idle time")]
    Idle,
    /// The data set comes too slowly.
    #[error("the data set comes more slowly than the least rate")]
    TooSlow,
    /// The program ends.
    #[error("the program is stopping")]
    Stopping,
    /// The peer did not keep to the protocol.
    #[error("protocol violation: {0}")]
    Protocol(String),
}

/// The reason why the receiver does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiveError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Error of the system.
        source: io::Error,
    },
    /// The folder cannot be used.
    #[error("cannot store objects in {folder}")]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Error of the system.
        source: io::Error,
    },
    /// Another program receives into the folder.
    #[error("another program receives into {folder}")]
    FolderInUse {
        /// The folder.
        folder: PathBuf,
    },
    /// Certificates or key cannot be used.
    #[error("cannot use {file}: {problem}")]
    Tls {
        /// The file.
        file: PathBuf,
        /// Problem of its content.
        problem: String,
    },
    /// The threads of the receiver cannot be started.
    #[error("cannot start the threads of the receiver")]
    Threads(#[source] io::Error),
}
