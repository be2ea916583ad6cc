//! Encrypted connections, with certificates made by openssl.

#[path = "../../../tests/support/certificates.rs"]
mod certificates;
mod common;

use certificates::Authority;
use common::peer::Peer;
use common::{Lab, MULTI_FRAME_ULTRASOUND, object};
use dicom_net::{SendOutcome, SentObject, echo, send};
use domain::{DestinationTls, ReceiveTls, TlsIdentity};

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
