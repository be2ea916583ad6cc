//! Settings of receiving by DICOM and DICOMweb: who may send, to where, and within which limits.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use crate::{AeTitle, SecretSource, Sha256};

/// Settings of the receiver of DICOM objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiveSettings {
    /// Address and port that are listened on.
    pub listen: SocketAddr,
    /// The title that peers call.
    pub ae_title: AeTitle,
    /// Who may connect; nobody where it is empty.
    pub peers: Vec<Peer>,
    /// Objects are stored below this watched folder.
    pub folder: PathBuf,
    /// SOP Class UIDs that are accepted beside those of the standard.
    pub private_classes: Vec<String>,
    /// Limits of associations and objects.
    pub limits: ReceiveLimits,
    /// Encryption; none for plain DICOM.
    pub tls: Option<ReceiveTls>,
    /// Receiving by STOW-RS; none where it is off.
    pub stow: Option<StowSettings>,
}

/// Settings of receiving by STOW-RS, into the same folder and within the same limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StowSettings {
    /// Address and port that are listened on.
    pub listen: SocketAddr,
    /// Who may store; nobody where it is empty.
    pub senders: Vec<StowSender>,
    /// Encryption; none for plain HTTP.
    pub tls: Option<ReceiveTls>,
}

/// A program that may store by STOW-RS. It must show all that is named here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StowSender {
    /// Its name in the log.
    pub name: AeTitle,
    /// Addresses that it may come from; empty for any.
    pub addresses: Vec<IpNet>,
    /// Its bearer token.
    pub token: Option<SecretSource>,
    /// The digest of its certificate, in DER.
    pub certificate_sha256: Option<Sha256>,
}

impl StowSender {
    /// Returns true when the sender may come from `address`.
    pub fn may_come_from(&self, address: IpAddr) -> bool {
        lies_within(&self.addresses, address)
    }
}

/// A program that may connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// The title that it calls itself.
    pub ae_title: AeTitle,
    /// Addresses that it may come from; empty for any.
    pub addresses: Vec<IpNet>,
    /// The digest of its certificate, in DER; none for any certificate.
    pub certificate_sha256: Option<Sha256>,
    /// Host and port where it listens for reports on storage commitment.
    pub report_to: Option<(String, u16)>,
}

impl Peer {
    /// Returns true when the peer may come from `address`.
    pub fn may_come_from(&self, address: IpAddr) -> bool {
        lies_within(&self.addresses, address)
    }
}

/// Returns true for an address in one of some ranges, or where there are none.
fn lies_within(ranges: &[IpNet], address: IpAddr) -> bool {
    // A listener of both families sees IPv4 peers as mapped addresses.
    let address = address.to_canonical();
    ranges.is_empty() || ranges.iter().any(|range| range.contains(&address))
}

/// Limits of associations and objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceiveLimits {
    /// Bytes of a protocol data unit.
    pub max_pdu: u32,
    /// Bytes of an object.
    pub max_object: u64,
    /// Associations at once.
    pub max_associations: usize,
    /// Associations at once of one peer.
    pub max_associations_per_peer: usize,
    /// Time without progress after which an association is aborted.
    pub idle: Duration,
    /// Bytes a second that a data set must come with on average.
    pub least_rate: u64,
    /// Bytes that stay free on the disk of the folder.
    pub keep_free: u64,
}

/// A certificate and its key, in PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsIdentity {
    /// The certificate, with those between it and the authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// Encryption of connections that are accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiveTls {
    /// Shown to peers.
    pub identity: TlsIdentity,
    /// PEM file with the authorities that sign certificates of peers; with it a peer must show one.
    pub client_ca: Option<PathBuf>,
}

/// Encryption of connections that are opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DestinationTls {
    /// PEM file with the authorities that sign the destination's certificate.
    pub ca: PathBuf,
    /// Shown to the destination, where it asks for a certificate.
    pub identity: Option<TlsIdentity>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_comes_from_its_addresses() {
        let peer = |addresses: &[&str]| Peer {
            ae_title: "US7".parse().unwrap(),
            addresses: addresses.iter().map(|range| range.parse().unwrap()).collect(),
            certificate_sha256: None,
            report_to: None,
        };
        let lab = peer(&["10.1.2.0/24", "fd00::/8"]);
        for inside in ["10.1.2.200", "::ffff:10.1.2.3", "fd00::1"] {
            assert!(lab.may_come_from(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["10.1.3.1", "::1", "::ffff:10.1.3.1"] {
            assert!(!lab.may_come_from(outside.parse().unwrap()), "{outside}");
        }
        assert!(peer(&[]).may_come_from("192.0.2.1".parse().unwrap()));
    }
}
