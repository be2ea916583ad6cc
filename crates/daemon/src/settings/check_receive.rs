//! Problems of receiving by DICOM.

use std::path::{Path, PathBuf};

use domain::ReceiveSettings;

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
    if let Some(tls) = &receive.tls {
        for file in
            [Some(&tls.identity.certificate), Some(&tls.identity.key), tls.client_ca.as_ref()].into_iter().flatten()
        {
            if let Err(error) = std::fs::File::open(file) {
                problem("receive.tls", true, format!("{} cannot be read: {}", file.display(), error.kind()));
            }
        }
    }
    problems
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
