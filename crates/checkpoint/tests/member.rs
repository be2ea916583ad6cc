//! A weight file among the other files of a zip archive.

mod common;

use std::path::PathBuf;

use checkpoint::{CheckpointError, Format, read, read_member};
use common::archive::archive;

fn weights() -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/golden/files/tiny_torch.pth");
    std::fs::read(path).unwrap()
}

#[test]
fn the_named_file_is_read_and_the_others_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("release.zip");
    let (weights, noise) = (weights(), vec![7; 300_000]);
    let bare = folder.path().join("bare.pt");
    std::fs::write(&bare, &weights).unwrap();
    let entries =
        [("data/a.csv", noise.as_slice()), ("data/weights/b.pt", &weights), ("data/weights/c.pt", b"no weights")];
    std::fs::write(&path, archive(&entries)).unwrap();
    let member = read_member(&path, "weights/b.pt").unwrap().unwrap();
    assert_eq!(member, read(&bare).unwrap());
    assert_eq!(member.format, Format::TorchZip);
    assert_eq!(read_member(&path, "weights/d.pt").unwrap(), None);
    assert_eq!(read_member(&bare, "weights/b.pt").unwrap(), None, "the weights themselves");
    let error = read_member(&path, "weights/c.pt").unwrap_err();
    assert!(matches!(error, CheckpointError::NotAWeightFile { .. }), "{error}");
}

#[test]
fn damage_and_doubt_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("release.zip");
    let weights = weights();
    let whole = archive(&[("weights/b.pt", weights.as_slice()), ("data.csv", b"1,2")]);
    std::fs::write(&path, &whole[..whole.len() - 40]).unwrap();
    assert!(matches!(read_member(&path, "weights/b.pt"), Err(CheckpointError::Damaged { .. })));
    let mut flipped = whole.clone();
    flipped[200] ^= 1;
    std::fs::write(&path, flipped).unwrap();
    assert!(matches!(read_member(&path, "weights/b.pt"), Err(CheckpointError::Damaged { .. })));
    std::fs::write(&path, archive(&[("weights/b.pt", weights.as_slice()), ("old/weights/b.pt", &weights)])).unwrap();
    assert!(matches!(read_member(&path, "weights/b.pt"), Err(CheckpointError::NotRead { .. })));
    std::fs::write(&path, b"PK").unwrap();
    assert_eq!(read_member(&path, "weights/b.pt").unwrap(), None);
    assert!(matches!(read_member(&folder.path().join("none"), "b.pt"), Err(CheckpointError::Open { .. })));
}
