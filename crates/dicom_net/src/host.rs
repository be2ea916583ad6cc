//! The program that the receiver is part of.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use domain::{SecretSource, SopUid, StudyUid};

/// Questions and events that the receiver has for the program. Called from several threads.
pub trait Host: Send + Sync + 'static {
    /// Checks that a file is a complete object, and says which.
    ///
    /// # Errors
    /// [`UnusableObject`] for a file that is cut short or no object.
    fn check(&self, path: &Path) -> Result<ObjectIdentity, UnusableObject>;

    /// Returns true when the program has an object on the disk, wherever it was moved to.
    fn holds(&self, sop: &SopUid) -> bool;

    /// Returns a secret of the configuration.
    ///
    /// # Errors
    /// It is not there, in words without the secret.
    fn secret(&self, source: &SecretSource) -> Result<String, String>;

    /// Receives an event; must not block for long.
    fn notice(&self, event: &ReceiveEvent);
}

/// The UIDs that the data set of an object states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectIdentity {
    /// SOP Class UID, where there is one.
    pub sop_class: Option<String>,
    /// SOP Instance UID.
    pub sop: SopUid,
    /// Study Instance UID.
    pub study: StudyUid,
}

/// The reason why a file is no complete object, in words without patient data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnusableObject(pub String);

/// An event of the receiver. It carries UIDs, titles and addresses, never patient data.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReceiveEvent {
    /// A connection was not accepted.
    PeerRefused {
        /// The title that the peer calls itself, or its name in `receive.stow.senders`, where it is known.
        peer: Option<String>,
        /// Its address.
        address: IpAddr,
        /// In words.
        reason: String,
        /// Connections refused since the start.
        total: u64,
    },
    /// A peer asked for something that is not accepted here; the rest of its association goes on.
    ContextsRefused {
        /// The peer's title.
        ae_title: String,
        /// SOP classes, and why each was refused.
        classes: BTreeMap<String, &'static str>,
        /// Presentation contexts refused since the start.
        total: u64,
    },
    /// An object is on the disk under its name.
    Stored {
        /// The peer's title, or its name in `receive.stow.senders`.
        peer: String,
        /// Its study.
        study: StudyUid,
        /// The object.
        sop: SopUid,
        /// The file.
        path: PathBuf,
        /// The command, or the file's meta header, had another SOP Instance UID than the data set.
        named_other_uid: bool,
        /// Other bytes were stored under the same UID before.
        conflict: bool,
    },
    /// An object was there already, with the same bytes.
    AlreadyStored {
        /// The peer's title, or its name in `receive.stow.senders`.
        peer: String,
        /// The object.
        sop: SopUid,
    },
    /// An object was not stored; the peer was told.
    ObjectRefused {
        /// The peer's title, or its name in `receive.stow.senders`.
        peer: String,
        /// SOP Instance UID of the command or the meta header, if it is one.
        sop: Option<SopUid>,
        /// DICOM status.
        status: u16,
        /// In words.
        reason: String,
    },
    /// A peer asked whether objects are safe here, and will be told.
    CommitmentRequested {
        /// The peer's title.
        ae_title: String,
        /// Objects that it asked about.
        objects: usize,
    },
    /// A report about the safety of objects did not reach the peer; it is tried again.
    CommitmentNotReported {
        /// The peer's title.
        ae_title: String,
        /// In words.
        reason: String,
    },
    /// An association ended.
    AssociationEnded {
        /// The peer's title.
        ae_title: String,
        /// Its address.
        address: IpAddr,
        /// Objects that were answered with success.
        stored: u64,
        /// Objects that were refused.
        refused: u64,
        /// In words, where it was not released.
        trouble: Option<String>,
    },
    /// A request to store by STOW-RS was answered.
    RequestEnded {
        /// The sender's name.
        peer: String,
        /// Its address.
        address: IpAddr,
        /// Status of HTTP.
        status: u16,
        /// Objects that were answered with success.
        stored: u64,
        /// Objects that were refused.
        refused: u64,
        /// In words, where the request did not come to its end.
        trouble: Option<String>,
    },
}
