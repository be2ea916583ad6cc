//! Requests to store that do not keep to the protocol: no panic, bounded memory, and the others are served.
//!
//! One test, since it watches the memory and the panics of the whole process.

mod common;

use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use common::stow::{BOUNDARY, TOKEN, body, connect, exchange, head, lab, read_answer, store};
use common::{Lab, MULTI_FRAME_ULTRASOUND, Random, object, resident_kib};

/// Memory that the whole campaign may take.
const MAX_GROWTH_KIB: u64 = 64 * 1024;

const STUDIES: &str = "/dicom-web/studies";

static PANICS: AtomicUsize = AtomicUsize::new(0);

#[test]
fn hostile_requests_harm_nobody() {
    std::panic::set_hook(Box::new(|panic| {
        PANICS.fetch_add(1, Ordering::SeqCst);
        eprintln!("{panic}");
    }));
    let lab = lab();
    serve_a_good_sender(&lab, "1.2.0");
    let idle = resident_kib();
    malformed(&lab);
    endless(&lab);
    mutated(&lab);
    slow(&lab);
    serve_a_good_sender(&lab, "1.2.1");
    let grown = resident_kib().saturating_sub(idle);
    assert!(grown < MAX_GROWTH_KIB, "{grown} KiB more than idle");
    assert_eq!(PANICS.load(Ordering::SeqCst), 0);
    lab.check_folder();
}

/// Requests with a status each that says what is wrong.
fn malformed(lab: &Lab) {
    let good = body(&[object(MULTI_FRAME_ULTRASOUND, "1.2.3", "1.2", b"")]);
    let request = |head: String, body: &[u8]| [head.as_bytes(), body].concat();
    let plain = |body: &[u8]| request(head(STUDIES, body.len(), ""), body);
    let huge_header = format!("X: {}\r\n", "a".repeat(1 << 20));
    let nested =
        format!("--{BOUNDARY}\r\nContent-Type: multipart/related; boundary=b\r\n\r\n--b\r\n\r\n--{BOUNDARY}--");
    let part = |headers: &str| format!("--{BOUNDARY}\r\n{headers}\r\n\r\nx\r\n--{BOUNDARY}--").into_bytes();
    for (name, bytes, expected) in [
        ("no HTTP", b"\x01\0\0\0\0\x04abcd\r\n\r\n".to_vec(), 400),
        ("huge headers", request(head(STUDIES, good.len(), &huge_header), &good), 431),
        ("many headers", request(head(STUDIES, good.len(), &"X: y\r\n".repeat(500)), &good), 431),
        (
            "no boundary",
            request(head(STUDIES, good.len(), "").replace(&format!("; boundary={BOUNDARY}"), ""), &good),
            400,
        ),
        (
            "a boundary that does not come",
            request(head(STUDIES, good.len(), "").replace("=edge", "=other"), &good),
            400,
        ),
        ("an empty body", plain(b""), 400),
        ("no parts", plain(format!("--{BOUNDARY}--").as_bytes()), 400),
        ("a preamble without end", plain(&[b'a'; 100_000]), 400),
        ("part headers without end", plain(&part(&format!("X: {}", "a".repeat(100_000)))), 400),
        ("a part that is cut off", plain(&good[..good.len() - 30]), 400),
        ("a shorter body than it says", request(head(STUDIES, good.len() + 100, ""), &good[..good.len() - 10]), 400),
        ("a part of another type", plain(&part("Content-Type: text/html")), 409),
        ("parts in a part", plain(nested.as_bytes()), 409),
        ("a file name in a part", plain(&part("Content-Disposition: attachment; filename=\"../../x\"")), 409),
        ("JSON", request(head(STUDIES, 2, "").replace("application/dicom", "application/dicom+json"), b"{}"), 415),
        ("a path", request(head("/dicom-web/studies/../../x", good.len(), ""), &good), 404),
        ("two lengths", request(head(STUDIES, good.len(), "Content-Length: 1\r\n"), &good), 400),
        ("no token", request(head(STUDIES, good.len(), "").replace(TOKEN, ""), &good), 401),
    ] {
        let answer = exchange(lab, &bytes);
        assert_eq!(answer.status, expected, "{name}: {answer:?}");
    }
    assert!(lab.stored().iter().all(|file| file.ends_with("1.2/1.2.0.dcm")));
    serve_a_good_sender(lab, "1.2.2");
}

/// Bodies that go on until the receiver has enough.
fn endless(lab: &Lab) {
    let start = object(MULTI_FRAME_ULTRASOUND, "1.2.3", "1.2", b"");
    // Elements of the meta group, and nothing else.
    let meta = [&start[..132], &b"\x02\0\x99\0SH\0\0".repeat(200_000)].concat();
    for (name, first) in [("an object", start), ("a meta group", meta), ("no object", Vec::new())] {
        let mut stream = connect(lab);
        let head = head(STUDIES, 1 << 40, "");
        stream.write_all(head.as_bytes()).unwrap();
        let part = format!("--{BOUNDARY}\r\n\r\n");
        let mut sent = 0_u64;
        let mut more = [part.as_bytes(), &first].concat();
        while stream.write_all(&more).is_ok() {
            sent += more.len() as u64;
            more = vec![0; 1 << 20];
            assert!(sent < 1 << 30, "{name} is taken without end");
        }
        // It may have closed before the answer was read.
        if let Some(answer) = read_answer(stream) {
            assert_eq!(answer.status, 400, "{name}");
        }
    }
    serve_a_good_sender(lab, "1.2.5");
}

/// Requests with some bytes changed.
fn mutated(lab: &Lab) {
    let mut random = Random::new();
    for number in 0..300 {
        let body = body(&[object(MULTI_FRAME_ULTRASOUND, &format!("1.2.9.{number}"), "1.2", &[number as u8; 9_000])]);
        let request = [head(STUDIES, body.len(), "").as_bytes(), &body].concat();
        // Changes of the head first, then of part headers and meta group.
        let (first, rest) = request.split_at(request.len() - 9_000);
        let changed = [random.changed(first.to_vec()), rest.to_vec()].concat();
        let mut stream = connect(lab);
        let _ = stream.write_all(&changed);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let _ = read_answer(stream);
    }
    serve_a_good_sender(lab, "1.2.6");
}

/// Senders that hold a connection without using it, all at once.
fn slow(lab: &Lab) {
    let start = Instant::now();
    let silent: Vec<_> = (0..100).map(|_| connect(lab)).collect();
    std::thread::scope(|scope| {
        let first = format!("--{BOUNDARY}\r\n\r\n");
        for begin in
            [String::new(), "POST /dicom".to_owned(), head(STUDIES, 1000, ""), head(STUDIES, 1000, "") + &first]
        {
            scope.spawn(move || {
                let mut stream = connect(lab);
                stream.write_all(begin.as_bytes()).unwrap();
                // One byte a second.
                for _ in 0..6 {
                    let _ = stream.write_all(b"x");
                    std::thread::sleep(Duration::from_secs(1));
                }
                let answer = read_answer(stream);
                assert!(answer.is_none_or(|answer| [400, 408].contains(&answer.status)), "{begin}");
            });
        }
        serve_a_good_sender(lab, "1.2.7");
        for stream in silent {
            assert!(read_answer(stream).is_none_or(|answer| answer.status == 408));
        }
    });
    assert!(start.elapsed() < Duration::from_secs(60));
}

fn serve_a_good_sender(lab: &Lab, sop: &str) {
    let answer = store(lab, STUDIES, &[object(MULTI_FRAME_ULTRASOUND, sop, "1.2", &[1; 100_000])]);
    assert_eq!(answer.status, 200, "{answer:?}");
}
