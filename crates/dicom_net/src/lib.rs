//! DICOM over the network: C-ECHO and C-STORE in and out, storage commitment and STOW-RS in.
//!
//! [`Receiver`] starts and owns an async runtime; the program speaks to it through [`Host`].
//! [`send`] blocks, for a thread of the program's own.
//! Nothing is answered with success before it is on the disk under its final name.

mod acceptor;
mod association;
mod classes;
mod command;
mod commitment;
mod connection_limit;
mod error;
mod file_meta;
mod host;
mod incoming_object;
mod intake;
mod listener;
mod media_type;
mod multipart;
mod negotiation;
mod object_folder;
mod receiver;
mod scp;
mod scp_commitment;
mod send;
mod status;
mod stow;
mod tls;

pub use error::ReceiveError;
pub use host::{Host, ObjectIdentity, ReceiveEvent, UnusableObject};
pub use media_type::MediaType;
pub use multipart::{MultipartError, MultipartParser, PartEvent};
pub use receiver::Receiver;
pub use send::{Destination, SendOutcome, SentObject, echo, send};
pub use tls::{check_client_tls, check_server_tls};
