//! Peers that do not keep to the protocol: no panic, bounded memory, and the others are served.
//!
//! One test, since it watches the memory and the panics of the whole process.

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use common::peer::{LOOPS, Peer, command, part, request, store, store_command};
use common::{Lab, MULTI_FRAME_ULTRASOUND, Random, object, resident_kib};
use dicom_net::{SendOutcome, SentObject, echo, send};
use dicom_ul::pdu::PDataValueType::{Command, Data};

/// Memory that the whole campaign may take.
const MAX_GROWTH_KIB: u64 = 64 * 1024;

static PANICS: AtomicUsize = AtomicUsize::new(0);

#[test]
fn hostile_peers_harm_nobody() {
    std::panic::set_hook(Box::new(|panic| {
        PANICS.fetch_add(1, Ordering::SeqCst);
        eprintln!("{panic}");
    }));
    let lab = Lab::start();
    serve_a_good_peer(&lab, "1.2.0");
    let idle = resident_kib();

    for (name, send_bytes) in malformed() {
        let mut peer = Peer::connect(&lab);
        if name.starts_with("associated") {
            peer = Peer::associate(&lab);
        }
        peer.write(&send_bytes);
        peer.wait_for_end();
        assert!(echo(&lab.destination()).is_ok(), "after {name}");
    }
    refused_but_served(&lab);
    mutated(&lab);
    slow(&lab);

    serve_a_good_peer(&lab, "1.2.1");
    let grown = resident_kib().saturating_sub(idle);
    assert!(grown < MAX_GROWTH_KIB, "{grown} KiB more than idle");
    assert_eq!(PANICS.load(Ordering::SeqCst), 0);
    lab.check_folder();
}

/// Bytes that are no association, or end one.
fn malformed() -> Vec<(&'static str, Vec<u8>)> {
    let mut huge = request();
    huge[2..6].copy_from_slice(&u32::MAX.to_be_bytes());
    let mut long_part = part(LOOPS, Data, true, &[0; 20]);
    long_part[6..10].copy_from_slice(&1000_u32.to_be_bytes());
    let mut endless_element = store_command("1.2.3");
    endless_element[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
    let started = || part(LOOPS, Command, true, &store_command("1.2.3"));
    vec![
        ("HTTP", b"GET / HTTP/1.1\r\nHost: lab\r\n\r\n".to_vec()),
        ("TLS", b"\x16\x03\x01\x02\0\x01\0\x01\xFC\x03\x03".repeat(20)),
        ("a unit of 4 GB", huge.clone()),
        ("an unknown unit", vec![0x77, 0, 0, 0, 0, 4, 1, 2, 3, 4]),
        ("data before an association", part(1, Data, true, b"x")),
        ("a release before an association", vec![5, 0, 0, 0, 0, 4, 0, 0, 0, 0]),
        ("a request without content", vec![1, 0, 0, 0, 0, 0]),
        ("associated: a second request", request()),
        ("associated: a unit of 4 GB", huge),
        ("associated: an unknown unit", vec![0x77, 0, 0, 0, 0, 4, 1, 2, 3, 4]),
        ("associated: a part longer than its unit", long_part),
        ("associated: a part of length 0", vec![4, 0, 0, 0, 0, 4, 0, 0, 0, 0]),
        ("associated: a context that was not accepted", part(99, Command, true, &store_command("1.2.3"))),
        ("associated: an element of 4 GB", part(LOOPS, Command, true, &endless_element)),
        ("associated: a command of noise", part(LOOPS, Command, true, &[0xAA; 333])),
        ("associated: a command without end", part(LOOPS, Command, false, &[0; 9000]).repeat(3)),
        ("associated: a command in a data set", [started(), started()].concat()),
        ("associated: data without a command", part(LOOPS, Data, true, b"data")),
        ("associated: data on another context", [started(), part(3, Data, true, b"data")].concat()),
        ("associated: a response to nothing", part(LOOPS, Command, true, &command(&[(0x0100, 0x8001)], &[]))),
        ("associated: a release in a data set", [started(), vec![5, 0, 0, 0, 0, 4, 0, 0, 0, 0]].concat()),
        ("associated: an abort in a data set", [started(), vec![7, 0, 0, 0, 0, 4, 0, 0, 0, 0]].concat()),
    ]
}

/// Sends messages that are answered with a status, after which the association goes on.
fn refused_but_served(lab: &Lab) {
    let mut peer = Peer::associate(lab);
    let wrong = [
        store("../../x", b"content"),
        store("", b""),
        store("1..2", b""),
        part(LOOPS, Command, true, &command(&[(0x0100, 1), (0x0110, 1), (0x0800, 0x0101)], &[])),
        part(LOOPS, Command, true, &command(&[(0x0100, 0x0020), (0x0110, 1), (0x0800, 0x0101)], &[])),
        [part(LOOPS, Command, true, &store_command("1.2.3")), part(LOOPS, Data, true, &[7; 200])].concat(),
    ];
    for bytes in wrong {
        peer.write(&bytes);
        let answer = peer.read();
        assert!(matches!(answer, Some(dicom_ul::Pdu::PData { .. })), "{answer:?}");
    }
    peer.write(&store("1.2.77", b"good"));
    assert!(peer.read().is_some());
    peer.finish();
    assert!(lab.stored().iter().any(|file| file.ends_with("1.2/1.2.77.dcm")));
}

/// Requests and objects with some bytes changed.
fn mutated(lab: &Lab) {
    let mut random = Random::new();
    for _ in 0..400 {
        let mut peer = Peer::connect(lab);
        peer.write(&random.changed(request()));
        peer.finish();
    }
    for number in 0..300 {
        let mut peer = Peer::associate(lab);
        peer.write(&random.changed(store(&format!("1.2.9.{number}"), &[number as u8; 15_000])));
        peer.finish();
    }
    serve_a_good_peer(lab, "1.2.2");
}

/// Peers that hold a connection without using it, all at once.
fn slow(lab: &Lab) {
    let silent: Vec<Peer> = (0..100).map(|_| Peer::connect(lab)).collect();
    let mut half: Vec<Peer> = (0..3).map(|_| Peer::associate(lab)).collect();
    for peer in &mut half {
        peer.write(&part(LOOPS, Command, true, &store_command("1.2.3")));
    }
    let start = Instant::now();
    std::thread::scope(|scope| {
        for (number, mut peer) in half.into_iter().enumerate() {
            scope.spawn(move || {
                // One byte a second, units that carry nothing, and nothing at all.
                let trickle = match number {
                    0 => vec![4],
                    1 => vec![4, 0, 0, 0, 0, 0],
                    _ => Vec::new(),
                };
                for _ in 0..5 {
                    peer.write(&trickle);
                    std::thread::sleep(Duration::from_secs(1));
                }
                peer.wait_for_end();
            });
        }
        serve_a_good_peer(lab, "1.2.4");
        assert!(echo(&lab.destination()).is_ok());
        for mut peer in silent {
            peer.wait_for_end();
        }
    });
    assert!(start.elapsed() < Duration::from_secs(60));
}

fn serve_a_good_peer(lab: &Lab, sop: &str) {
    let mut destination = lab.destination();
    destination.calling_ae_title = "US8".parse().unwrap();
    let objects = [SentObject::Bytes(object(MULTI_FRAME_ULTRASOUND, sop, "1.2", &[1; 100_000]))];
    assert_eq!(send(&destination, &objects), [SendOutcome::Stored { status: 0 }]);
}
