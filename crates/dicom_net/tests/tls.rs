//! Encrypted connections, with certificates made by openssl.

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::peer::Peer;
use common::{Lab, MULTI_FRAME_ULTRASOUND, object};
use dicom_net::{SendOutcome, SentObject, echo, send};
use domain::{DestinationTls, ReceiveTls, TlsIdentity};
use sha2::Digest as _;

/// An authority with the certificates that it signed.
struct Authority {
    openssl: PathBuf,
    folder: tempfile::TempDir,
}

impl Authority {
    fn new(openssl: &Path) -> Self {
        let authority = Self { openssl: openssl.to_owned(), folder: tempfile::tempdir().unwrap() };
        authority.openssl("req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=ca");
        authority
    }

    fn openssl(&self, arguments: &str) {
        let ran =
            Command::new(&self.openssl).args(arguments.split(' ')).current_dir(self.folder.path()).output().unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Makes a certificate for 127.0.0.1.
    fn identity(&self, name: &str) -> TlsIdentity {
        std::fs::write(self.path("names"), "subjectAltName=IP:127.0.0.1,DNS:localhost\n").unwrap();
        self.openssl(&format!("req -newkey rsa:2048 -nodes -keyout {name}.key -out {name}.csr -subj /CN={name}"));
        self.openssl(&format!(
            "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out {name}.pem"
        ));
        TlsIdentity { certificate: self.path(&format!("{name}.pem")), key: self.path(&format!("{name}.key")) }
    }

    /// Returns the digest of a certificate.
    fn fingerprint(&self, name: &str) -> domain::Sha256 {
        self.openssl(&format!("x509 -in {name}.pem -outform DER -out {name}.der"));
        let digest = sha2::Sha256::digest(std::fs::read(self.path(&format!("{name}.der"))).unwrap());
        <[u8; 32]>::from(digest).into()
    }
}

#[test]
fn certificates_decide_who_sends() {
    let Some(openssl) = test_support::program("openssl") else { return };
    let (lab_ca, other_ca) = (Authority::new(&openssl), Authority::new(&openssl));
    let (server, cart, twin) = (lab_ca.identity("server"), lab_ca.identity("cart"), lab_ca.identity("twin"));
    let stranger = other_ca.identity("stranger");
    let lab = Lab::with(|settings| {
        settings.tls = Some(ReceiveTls { identity: server, client_ca: Some(lab_ca.path("ca.pem")) });
        settings.peers[0].certificate_sha256 = Some(lab_ca.fingerprint("cart"));
    });
    let with = |ca: &Authority, identity: Option<&TlsIdentity>| {
        let mut destination = lab.destination();
        destination.tls = Some(DestinationTls { ca: ca.path("ca.pem"), identity: identity.cloned() });
        destination
    };
    let objects = [SentObject::Bytes(object(MULTI_FRAME_ULTRASOUND, "1.2.3", "1.2", &[3; 300_000]))];
    assert_eq!(send(&with(&lab_ca, Some(&cart)), &objects), [SendOutcome::Stored { status: 0 }]);
    assert!(echo(&with(&lab_ca, Some(&cart))).is_ok());
    for (refused, destination) in [
        ("another certificate of the authority", with(&lab_ca, Some(&twin))),
        ("a certificate of another authority", with(&lab_ca, Some(&stranger))),
        ("no certificate", with(&lab_ca, None)),
        ("a server that is not trusted", with(&other_ca, Some(&cart))),
        ("no encryption", lab.destination()),
    ] {
        assert!(echo(&destination).is_err(), "{refused}");
    }
    // A peer that never starts to encrypt is cut off by the deadline of the handshake.
    Peer::connect(&lab).wait_for_end();
    assert_eq!(lab.stored().len(), 1);
}
