//! Objects from our sender to our receiver.

mod common;

use std::fs;

use common::{Lab, MULTI_FRAME_ULTRASOUND, data_set, object};
use dicom_net::{ReceiveEvent, SendOutcome, SentObject, echo, send};

const STORED: SendOutcome = SendOutcome::Stored { status: 0 };

fn loop_object(sop: &str, content: &[u8]) -> SentObject {
    SentObject::Bytes(object(MULTI_FRAME_ULTRASOUND, sop, "1.2", content))
}

#[test]
fn what_was_sent_lies_in_the_folder_byte_for_byte() {
    let lab = Lab::start();
    echo(&lab.destination()).unwrap();
    // Around the sizes at which units end, and larger than all buffers.
    let sizes = [0, 1, 16_000, 32_750, 32_754, 32_756, 131_072, 700_001];
    let sent: Vec<Vec<u8>> = sizes
        .iter()
        .enumerate()
        .map(|(number, size)| {
            let content: Vec<u8> = (0..*size).map(|at: u32| ((at * 31) >> 3) as u8).collect();
            object(MULTI_FRAME_ULTRASOUND, &format!("1.2.3.{number}"), "1.2", &content)
        })
        .collect();
    let away = tempfile::tempdir().unwrap();
    let objects: Vec<SentObject> = sent
        .iter()
        .enumerate()
        .map(|(number, bytes)| {
            let path = away.path().join(number.to_string());
            fs::write(&path, bytes).unwrap();
            SentObject::File(path)
        })
        .collect();
    assert_eq!(send(&lab.destination(), &objects), vec![STORED; sizes.len()]);
    let stored = lab.stored();
    assert_eq!(stored.len(), sizes.len());
    for (path, bytes) in stored.iter().zip(&sent) {
        assert_eq!(data_set(&fs::read(path).unwrap()), data_set(bytes), "{}", path.display());
    }
    assert_eq!(lab.unfinished(), 0);
}

#[test]
fn the_same_object_is_kept_once_and_another_of_its_uid_beside_it() {
    let lab = Lab::start();
    let objects = [loop_object("1.2.3", b"a"), loop_object("1.2.3", b"a"), loop_object("1.2.3", b"b")];
    assert_eq!(send(&lab.destination(), &objects), [STORED; 3]);
    let mut other = lab.destination();
    other.calling_ae_title = "US8".parse().unwrap();
    assert_eq!(send(&other, &objects), [STORED; 3]);
    let names: Vec<_> = lab.stored().iter().map(|path| path.file_name().unwrap().to_owned()).collect();
    assert_eq!(names, ["1.2.3.1.dcm", "1.2.3.dcm"]);
    assert_eq!(lab.host.count(|event| matches!(event, ReceiveEvent::AlreadyStored { .. })), 4);
}

#[test]
fn two_senders_of_one_uid_at_once_lose_nothing() {
    let lab = Lab::start();
    let contents: Vec<Vec<u8>> = (0..6_u8).map(|number| vec![number; 300_000]).collect();
    std::thread::scope(|scope| {
        for content in &contents {
            let destination = lab.destination();
            scope.spawn(move || assert_eq!(send(&destination, &[loop_object("1.2.3", content)]), [STORED]));
        }
    });
    let mut kept: Vec<Vec<u8>> = lab.stored().iter().map(|path| fs::read(path).unwrap()).collect();
    kept.sort();
    let mut sent: Vec<Vec<u8>> =
        contents.iter().map(|content| object(MULTI_FRAME_ULTRASOUND, "1.2.3", "1.2", content)).collect();
    sent.sort();
    let data_sets = |files: &[Vec<u8>]| files.iter().map(|file| data_set(file).to_vec()).collect::<Vec<_>>();
    assert!(data_sets(&kept) == data_sets(&sent));
}

#[test]
fn a_refused_object_does_not_end_the_association() {
    let lab = Lab::start();
    let mut cut = object(MULTI_FRAME_ULTRASOUND, "1.2.4", "1.2", &[0; 500]);
    cut.truncate(cut.len() - 100);
    let objects = [
        SentObject::Bytes(object(MULTI_FRAME_ULTRASOUND, "../../x", "1.2", b"")),
        SentObject::Bytes(cut),
        SentObject::Bytes(object("1.2.840.10008.5.1.4.1.1.4", "1.2.5", "1.2", b"MR")),
        loop_object("1.2.3", b"good"),
    ];
    let outcomes = send(&lab.destination(), &objects);
    assert!(matches!(outcomes[0], SendOutcome::Refused { status: Some(0xA900), .. }), "{outcomes:?}");
    assert!(matches!(outcomes[1], SendOutcome::TryLater { status: Some(0xC000), .. }), "{outcomes:?}");
    assert!(matches!(outcomes[2], SendOutcome::Refused { status: None, .. }), "{outcomes:?}");
    assert_eq!(outcomes[3], STORED);
    assert_eq!((lab.stored().len(), lab.unfinished()), (1, 0));
    let classes = |event: &ReceiveEvent| match event {
        ReceiveEvent::ContextsRefused { classes, .. } => classes.contains_key("1.2.840.10008.5.1.4.1.1.4"),
        _ => false,
    };
    assert_eq!(lab.host.count(classes), 1);
}

#[test]
fn a_full_disk_and_a_large_object_are_for_later() {
    let full = Lab::with(|settings| settings.limits.keep_free = u64::MAX);
    let outcomes = send(&full.destination(), &[loop_object("1.2.3", &[7; 200_000]), loop_object("1.2.4", b"")]);
    for outcome in outcomes {
        assert!(matches!(outcome, SendOutcome::TryLater { status: Some(0xA700), .. }), "{outcome:?}");
    }
    let small = Lab::with(|settings| settings.limits.max_object = 100_000);
    let outcomes = send(&small.destination(), &[loop_object("1.2.3", &[7; 150_000]), loop_object("1.2.4", b"")]);
    assert!(matches!(outcomes[0], SendOutcome::TryLater { status: Some(0xA700), .. }), "{outcomes:?}");
    assert_eq!(outcomes[1], STORED);
    assert_eq!((small.stored().len(), small.unfinished()), (1, 0));
}

#[test]
fn strangers_are_turned_away() {
    let lab = Lab::start();
    let mut stranger = lab.destination();
    stranger.calling_ae_title = "STRANGER".parse().unwrap();
    assert!(matches!(send(&stranger, &[loop_object("1.2.3", b"")])[..], [SendOutcome::TryLater { status: None, .. }]));
    let nobody = Lab::with(|settings| settings.peers.clear());
    assert!(echo(&nobody.destination()).is_err());
    let elsewhere = Lab::with(|settings| settings.peers[0].addresses = vec!["192.0.2.0/24".parse().unwrap()]);
    assert!(echo(&elsewhere.destination()).is_err());
    for lab in [lab, nobody, elsewhere] {
        assert_eq!(lab.host.count(|event| matches!(event, ReceiveEvent::PeerRefused { .. })), 1);
        assert!(lab.stored().is_empty());
    }
}

#[test]
fn an_object_that_is_no_file_is_named_and_the_others_are_sent() {
    let lab = Lab::start();
    let objects =
        [SentObject::File("/no/such/file".into()), SentObject::Bytes(b"not DICOM".to_vec()), loop_object("1.2.3", b"")];
    let outcomes = send(&lab.destination(), &objects);
    assert!(outcomes[..2].iter().all(|outcome| matches!(outcome, SendOutcome::Refused { status: None, .. })));
    assert_eq!(outcomes[2], STORED);
    let mut away = lab.destination();
    away.port = 1;
    assert!(matches!(send(&away, &objects)[2], SendOutcome::TryLater { status: None, .. }));
}
