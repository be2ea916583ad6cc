//! Objects that come by STOW-RS.

mod common;

use std::fs;
use std::io::Write as _;

use common::stow::{TOKEN, body, exchange, head, lab, store};
use common::{Lab, MULTI_FRAME_ULTRASOUND, data_set, object};
use dicom_net::{ReceiveEvent, SendOutcome, SentObject, send};

const STUDIES: &str = "/dicom-web/studies";
const STORED: &str = "00081199";
const FAILED: &str = "00081198";
const OTHERS: &str = "0008119A";

fn file(sop: &str, study: &str, content: &[u8]) -> Vec<u8> {
    object(MULTI_FRAME_ULTRASOUND, sop, study, content)
}

#[test]
fn what_was_sent_lies_in_the_folder_as_if_it_had_come_by_c_store() {
    let lab = lab();
    let sizes = [0, 1, 900, 16_000, 262_144, 3_000_001];
    let files: Vec<Vec<u8>> = sizes
        .iter()
        .enumerate()
        .map(|(number, size)| {
            let content: Vec<u8> = (0..*size).map(|at: u32| ((at * 31) >> 3) as u8).collect();
            file(&format!("1.2.3.{number}"), "1.2", &content)
        })
        .collect();
    let answer = store(&lab, STUDIES, &files);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.uids(STORED).len(), sizes.len());
    assert!(answer.head.contains("application/dicom+json"), "{answer:?}");
    let stored = lab.stored();
    assert_eq!(stored.len(), sizes.len());
    let whole: Vec<Vec<u8>> = stored.iter().map(|path| fs::read(path).unwrap()).collect();
    for (stored, sent) in whole.iter().zip(&files) {
        assert!(data_set(stored) == data_set(sent));
    }
    // The same objects by C-STORE are the same bytes, so they are known.
    let objects: Vec<SentObject> = files.into_iter().map(SentObject::Bytes).collect();
    assert_eq!(send(&lab.destination(), &objects), vec![SendOutcome::Stored { status: 0 }; sizes.len()]);
    assert_eq!(lab.host.count(|event| matches!(event, ReceiveEvent::AlreadyStored { .. })), sizes.len());
    assert_eq!((lab.stored().len(), lab.unfinished()), (sizes.len(), 0));
}

#[test]
fn each_object_has_its_own_answer() {
    let lab = lab();
    let mut cut = file("1.2.4", "1.2", &[0; 500]);
    cut.truncate(cut.len() - 100);
    let files = [
        file("1.2.3", "1.2", b"good"),
        cut,
        object("1.2.840.10008.5.1.4.1.1.4", "1.2.5", "1.2", b"MR"),
        file("../../x", "1.2", b"path"),
        b"no DICOM file".to_vec(),
        Vec::new(),
    ];
    let answer = store(&lab, STUDIES, &files);
    assert_eq!(answer.status, 202, "{answer:?}");
    assert_eq!(answer.uids(STORED), ["1.2.3"]);
    assert_eq!((answer.uids(FAILED), answer.reasons(FAILED)), (vec!["1.2.4", "1.2.5"], vec![0xC000, 0x0122]));
    assert_eq!(answer.reasons(OTHERS), [0xA900, 0xC000, 0xC000]);
    let mut unknown_syntax = file("1.2.6", "1.2", b"");
    let known = common::EXPLICIT_LITTLE.as_bytes();
    let at = unknown_syntax.windows(known.len()).position(|window| window == known).unwrap();
    unknown_syntax[at + known.len() - 1] = b'9';
    let answer = store(&lab, STUDIES, &[unknown_syntax]);
    assert_eq!((answer.status, answer.reasons(FAILED)), (409, vec![0xC122]), "{answer:?}");
    assert_eq!((lab.stored().len(), lab.unfinished()), (1, 0));
    assert_eq!(lab.host.count(|event| matches!(event, ReceiveEvent::ObjectRefused { .. })), 6);
}

#[test]
fn an_address_of_a_study_takes_its_objects_alone() {
    let lab = lab();
    let answer = store(&lab, "/dicom-web/studies/1.2", &[file("1.2.3", "1.2", b"own"), file("1.2.4", "1.9", b"other")]);
    assert_eq!((answer.status, answer.uids(STORED), answer.uids(FAILED)), (202, vec!["1.2.3"], vec!["1.2.4"]));
    assert_eq!(answer.reasons(FAILED), [0xA900]);
    assert_eq!(lab.stored().len(), 1);
}

#[test]
fn strangers_are_turned_away() {
    let lab = lab();
    let body = body(&[file("1.2.3", "1.2", b"")]);
    let good = head(STUDIES, body.len(), "");
    for line in ["Authorization: Bearer another", "Authorization: Basic YTpi", "X: y", "Authorization: Bearer "] {
        let head = good.replace(&format!("Authorization: Bearer {TOKEN}"), line);
        let answer = exchange(&lab, &[head.as_bytes(), &body].concat());
        assert!(answer.status == 401 && answer.head.to_lowercase().contains("www-authenticate: bearer"), "{answer:?}");
    }
    let elsewhere = Lab::with(|settings| {
        let mut stow = common::stow::settings();
        stow.senders[0].addresses = vec!["192.0.2.0/24".parse().unwrap()];
        settings.stow = Some(stow);
    });
    assert_eq!(store(&elsewhere, STUDIES, &[file("1.2.3", "1.2", b"")]).status, 401);
    let nobody = Lab::with(|settings| {
        settings.stow = Some(domain::StowSettings { senders: Vec::new(), ..common::stow::settings() });
    });
    assert_eq!(store(&nobody, STUDIES, &[file("1.2.3", "1.2", b"")]).status, 401);
    assert_eq!(lab.host.count(|event| matches!(event, ReceiveEvent::PeerRefused { .. })), 4);
    assert!(Lab::start().receiver.stow_address().is_none());
    assert!(lab.stored().is_empty() && elsewhere.stored().is_empty() && nobody.stored().is_empty());
}

#[test]
fn a_full_disk_and_a_large_object_are_for_later() {
    let full = Lab::with(|settings| {
        settings.stow = Some(common::stow::settings());
        settings.limits.keep_free = u64::MAX;
    });
    let answer = store(&full, STUDIES, &[file("1.2.3", "1.2", &[7; 200_000])]);
    assert_eq!((answer.status, answer.reasons(FAILED)), (507, vec![0xA700]));
    let small = Lab::with(|settings| {
        settings.stow = Some(common::stow::settings());
        settings.limits.max_object = 100_000;
    });
    let answer = store(&small, STUDIES, &[file("1.2.3", "1.2", &[7; 150_000]), file("1.2.4", "1.2", b"")]);
    assert_eq!((answer.status, answer.uids(STORED), answer.reasons(FAILED)), (202, vec!["1.2.4"], vec![0xA700]));
    assert_eq!((small.stored().len(), small.unfinished()), (1, 0));
}

#[test]
fn a_body_may_come_in_chunks_and_what_came_before_a_break_is_named() {
    let lab = lab();
    let files = [file("1.2.3", "1.2", &[1; 50_000]), file("1.2.4", "1.2", &[2; 50_000])];
    let body = body(&files);
    let chunked = |more: &str| {
        let head = head(STUDIES, 0, &format!("Transfer-Encoding: chunked\r\n{more}"));
        let mut request = head.replace("Content-Length: 0\r\n", "").into_bytes();
        for chunk in body.chunks(777) {
            write!(request, "{:x}\r\n", chunk.len()).unwrap();
            request.extend(chunk);
            request.extend(b"\r\n");
        }
        request.extend(b"0\r\n\r\n");
        request
    };
    let whole = chunked("");
    let answer = exchange(&lab, &whole[..whole.len() - 20_000]);
    assert_eq!((answer.status, answer.uids(STORED)), (400, vec!["1.2.3"]), "{answer:?}");
    assert_eq!((lab.stored().len(), lab.unfinished()), (1, 0));
    let answer = exchange(&lab, &whole);
    assert_eq!((answer.status, answer.uids(STORED)), (200, vec!["1.2.3", "1.2.4"]), "{answer:?}");
    let answer = exchange(&lab, &chunked("Expect: 100-continue\r\n"));
    assert_eq!(answer.status, 100, "whoever asks is told to go on");
    assert_eq!((lab.stored().len(), lab.unfinished()), (2, 0));
}
