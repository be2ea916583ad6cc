//! Receiving by DICOM and DICOMweb beside the daemon: the check of each object, the log, the end.

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::Context as _;
use daemon::{ReceivedFiles, Settings, Shutdown};
use dicom_net::{Host, ObjectIdentity, ReceiveEvent, Receiver, UnusableObject};
use domain::{ReceiveSettings, ReceiveTls, SecretSource, SopUid, path_tag};
use store::LabelStore as _;

use crate::database::Database;

/// The program as the receiver sees it.
struct Program {
    /// Tells of objects that were moved away from where they were received.
    database: Database,
    /// Tells the daemon of what was stored.
    received: ReceivedFiles,
}

/// Starts to receive until shutdown is requested; the thread that is given back ends then. What is stored lies in a watched
/// folder, so the inbox finds it; the daemon is told of it, so that it need not wait.
///
/// # Errors
/// The address is taken, the folder cannot be written to, a certificate cannot be used.
pub fn start(
    settings: &ReceiveSettings,
    database: Database,
    received: &ReceivedFiles,
    shutdown: &Shutdown,
) -> anyhow::Result<JoinHandle<()>> {
    let program = Program { database, received: received.clone() };
    let mut receiver = Receiver::start(settings.clone(), Arc::new(program)).context("[receive]")?;
    tracing::info!(address = %receiver.address(), ae_title = settings.ae_title.as_str(), "receiving");
    if let Some(address) = receiver.stow_address() {
        tracing::info!(%address, "receiving by STOW-RS");
    }
    let shutdown = shutdown.clone();
    let wait = move || {
        shutdown.wait();
        receiver.stop();
    };
    std::thread::Builder::new().name("receive".to_owned()).spawn(wait).context("[receive]")
}

/// Returns what is wrong with the certificates and keys that senders are met with; files that are not there are told by the check of
/// the settings.
pub fn problems(settings: &Settings) -> Vec<String> {
    let Some(receive) = &settings.receive else { return Vec::new() };
    let stow = receive.stow.as_ref().and_then(|stow| stow.tls.as_ref());
    let is_there = |tls: &&ReceiveTls| {
        let files = [Some(&tls.identity.certificate), Some(&tls.identity.key), tls.client_ca.as_ref()];
        files.into_iter().flatten().all(|file| file.is_file())
    };
    [("receive.tls", receive.tls.as_ref()), ("receive.stow.tls", stow)]
        .into_iter()
        .filter_map(|(key, tls)| Some((key, tls.filter(is_there)?)))
        .filter_map(|(key, tls)| Some(format!("{key}: {}", dicom_net::check_server_tls(tls).err()?)))
        .collect()
}

impl Host for Program {
    fn check(&self, path: &Path) -> Result<ObjectIdentity, UnusableObject> {
        let unusable = |reason: &str| Err(UnusableObject(reason.to_owned()));
        match cine::completeness(path) {
            cine::Completeness::Complete { uids: Some(uids) } => {
                Ok(ObjectIdentity { sop_class: uids.sop_class, sop: uids.sop, study: uids.study })
            }
            cine::Completeness::Complete { uids: None } => unusable("the data set has neither an image nor a study"),
            cine::Completeness::Incomplete { reason, .. } => {
                unusable(&format!("the data set is not complete: {reason}"))
            }
            cine::Completeness::Archive { .. } | cine::Completeness::NotDicom { .. } => {
                unusable("the data set is not DICOM")
            }
        }
    }

    fn holds(&self, sop: &SopUid) -> bool {
        // While the database cannot be read nobody knows, and a sender that is told no keeps its copy.
        let file = self.database.open_read_only().and_then(|store| store.loop_file(sop));
        file.is_ok_and(|file| file.is_some_and(|(_, path)| path.is_file()))
    }

    fn secret(&self, source: &SecretSource) -> Result<String, String> {
        crate::secret::read(source)
    }

    fn notice(&self, event: &ReceiveEvent) {
        match event {
            ReceiveEvent::PeerRefused { peer, address, reason, total } => {
                tracing::warn!(peer, %address, reason, total, "connection refused");
            }
            ReceiveEvent::ContextsRefused { ae_title, classes, total } => {
                tracing::warn!(ae_title, ?classes, total, "classes of objects refused");
            }
            ReceiveEvent::Stored { peer, study, sop, path, named_other_uid, conflict } => {
                self.received.tell(path);
                let file = path_tag(path);
                tracing::info!(peer, %study, %sop, file, "object received");
                if *named_other_uid {
                    tracing::warn!(peer, %sop, "the sender named another SOP Instance UID than the data set");
                }
                if *conflict {
                    tracing::warn!(peer, %sop, file, "other bytes have this SOP Instance UID, both are kept");
                }
            }
            ReceiveEvent::AlreadyStored { peer, sop } => {
                tracing::info!(peer, %sop, "object received again, with the same bytes");
            }
            ReceiveEvent::ObjectRefused { peer, sop, status, reason } => {
                let (sop, status) = (sop.as_ref().map(SopUid::as_str), format!("{status:04X}"));
                tracing::warn!(peer, sop, status, reason, "object refused");
            }
            ReceiveEvent::CommitmentRequested { ae_title, objects } => {
                tracing::info!(ae_title, objects, "storage commitment asked for");
            }
            ReceiveEvent::CommitmentNotReported { ae_title, reason } => {
                tracing::warn!(ae_title, reason, "report on storage commitment not delivered, will try again");
            }
            ReceiveEvent::AssociationEnded { ae_title, address, stored, refused, trouble: None } => {
                tracing::info!(ae_title, %address, stored, refused, "association released");
            }
            ReceiveEvent::AssociationEnded { ae_title, address, stored, refused, trouble: Some(trouble) } => {
                tracing::warn!(ae_title, %address, stored, refused, trouble, "association broken off");
            }
            ReceiveEvent::RequestEnded { peer, address, status, stored, refused, trouble: None } => {
                tracing::info!(peer, %address, status, stored, refused, "request to store answered");
            }
            ReceiveEvent::RequestEnded { peer, address, status, stored, refused, trouble: Some(trouble) } => {
                tracing::warn!(peer, %address, status, stored, refused, trouble, "request to store broken off");
            }
            _ => tracing::debug!(?event, "event"),
        }
    }
}
