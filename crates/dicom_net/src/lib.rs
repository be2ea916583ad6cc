//! DICOM over the network: C-ECHO and C-STORE in and out, storage commitment in.
//!
//! The only crate with an async runtime, which [`Receiver`] starts and owns; the program speaks to it through [`Host`].
//! [`send`] blocks, for a thread of the program's own.
//! Nothing is answered with success before it is on the disk under its final name.

mod association;
mod classes;
mod command;
mod commitment;
mod error;
mod file_meta;
mod host;
mod incoming_object;
mod negotiation;
mod object_folder;
mod receiver;
mod scp;
mod scp_commitment;
mod seats;
mod send;
mod status;
mod tls;

pub use error::ReceiveError;
pub use host::{Host, ObjectIdentity, ReceiveEvent, UnusableObject};
pub use receiver::Receiver;
pub use send::{Destination, SendOutcome, SentObject, echo, send};
