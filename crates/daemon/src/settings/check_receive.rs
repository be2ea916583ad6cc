//! Problems of receiving by DICOM.

use std::path::{Path, PathBuf};

use domain::{ReceiveSettings, ReceiveTls, SecretSource, StowSettings};

use super::problem::Problem;
use crate::inbox::is_ignored_below;

/// Looks at the folder and at who may connect; changes nothing.
pub(super) fn check(receive: &ReceiveSettings, watched: &[PathBuf]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut problem = |key, fatal, message: String| problems.push(Problem { key, message, fatal });
    let folder = &receive.folder;
    let root = watched.iter().find(|root| is_same(folder, root) || lies_in(folder, root));
    match root {
        None if folder.as_os_str().is_empty() => {}
        None => {
            let message = format!(
                "{} is not there or lies in no watched folder: make it, or add it to inbox.folders",
                folder.display()
            );
            problem("receive.folder", true, message);
        }
        Some(root) if is_ignored_below(root, folder) => {
            let message = format!("{} is hidden or named as unfinished: files in it are never read", folder.display());
            problem("receive.folder", true, message);
        }
        Some(_) => {
            if let Ok(free) = files::free_bytes(folder)
                && free < receive.limits.keep_free
            {
                let message = format!(
                    "the disk of {} has {} MiB free, so every object is refused: free space, or set a smaller keep_free",
                    folder.display(),
                    free >> 20
                );
                problem("receive.keep_free", false, message);
            }
        }
    }
    if receive.peers.is_empty() {
        let example = "peers = [{ ae = \"US7\", addresses = [\"10.1.2.0/24\"] }]";
        problem(
            "receive.peers",
            false,
            format!("the list is empty, so nobody may connect: name senders, such as {example}"),
        );
    }
    let only_local = receive.listen.ip().is_loopback();
    for peer in &receive.peers {
        let (ae, is_certified) = (&peer.ae_title, peer.certificate_sha256.is_some());
        if peer.addresses.is_empty() && !is_certified && !only_local {
            let message = format!("{ae} may connect from any address: name its addresses, such as [\"10.1.2.0/24\"]");
            problem("receive.peers", false, message);
        }
        if only_local && !peer.addresses.is_empty() && peer.addresses.iter().all(|range| !range.addr().is_loopback()) {
            let message = format!("{ae} cannot reach {}: use \"0.0.0.0:{}\"", receive.listen, receive.listen.port());
            problem("receive.listen", false, message);
        }
        if is_certified && receive.tls.as_ref().is_none_or(|tls| tls.client_ca.is_none()) {
            let message = format!("certificate_sha256 of {ae} needs receive.tls with client_ca");
            problem("receive.peers", true, message);
        }
    }
    problems.extend(receive.tls.as_ref().map(|tls| unreadable("receive.tls", tls)).into_iter().flatten());
    problems.extend(receive.stow.as_ref().map(check_stow).into_iter().flatten());
    problems
}

/// Looks at who may store by STOW-RS.
fn check_stow(stow: &StowSettings) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut problem = |key, fatal, message: String| problems.push(Problem { key, message, fatal });
    if stow.senders.is_empty() {
        let example = "senders = [{ name = \"PACS\", token_file = \"pacs.token\" }]";
        problem(
            "receive.stow.senders",
            false,
            format!("the list is empty, so nobody may store: name senders, such as {example}"),
        );
    }
    if stow.tls.is_none() && !stow.listen.ip().is_loopback() {
        let message = "tokens and images cross the network in the clear: set receive.stow.tls".to_owned();
        problem("receive.stow.tls", false, message);
    }
    let asks_for_certificates = stow.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some());
    for sender in &stow.senders {
        if sender.certificate_sha256.is_some() && !asks_for_certificates {
            let message = format!("certificate_sha256 of {} needs receive.stow.tls with client_ca", sender.name);
            problem("receive.stow.senders", true, message);
        }
        if let Some(SecretSource::File(file)) = &sender.token
            && let Err(error) = std::fs::File::open(file)
        {
            let message = format!("{} cannot be read: {}", file.display(), error.kind());
            problem("receive.stow.senders", true, message);
        }
    }
    problems.extend(stow.tls.as_ref().map(|tls| unreadable("receive.stow.tls", tls)).into_iter().flatten());
    problems
}

/// Names the files of a certificate that cannot be read.
fn unreadable(key: &'static str, tls: &ReceiveTls) -> Vec<Problem> {
    [Some(&tls.identity.certificate), Some(&tls.identity.key), tls.client_ca.as_ref()]
        .into_iter()
        .flatten()
        .filter_map(|file| {
            let error = std::fs::File::open(file).err()?;
            Some(Problem { key, message: format!("{} cannot be read: {}", file.display(), error.kind()), fatal: true })
        })
        .collect()
}

fn is_same(folder: &Path, other: &Path) -> bool {
    matches!((folder.canonicalize(), other.canonicalize()), (Ok(folder), Ok(other)) if folder == other)
}

/// By what the folders are: `./echo/new` lies in `echo`, and so does a link to it.
pub(super) fn lies_in(folder: &Path, other: &Path) -> bool {
    match (folder.canonicalize(), other.canonicalize()) {
        (Ok(folder), Ok(other)) => folder != other && folder.starts_with(&other),
        _ => false,
    }
}
