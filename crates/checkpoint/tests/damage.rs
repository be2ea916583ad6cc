//! Damaged and truncated files: an error that says what, never a crash.

mod common;

use checkpoint::{CheckpointError, read_bytes};
use common::archive::archive;
use common::{bytes, weight_files};
use proptest::prelude::*;

fn error(bytes: &[u8]) -> CheckpointError {
    read_bytes(bytes, "test").expect_err("a file that must be refused")
}

#[test]
fn a_file_truncated_at_any_byte_is_refused() {
    for (name, bytes) in weight_files() {
        let step = 1 + bytes.len() / 3000;
        for length in (0..bytes.len()).rev().step_by(step) {
            assert!(read_bytes(&bytes[..length], &name).is_err(), "{name} of {length} bytes");
        }
        for length in (0..bytes.len().min(600)).chain(bytes.len().saturating_sub(600)..bytes.len()) {
            assert!(read_bytes(&bytes[..length], &name).is_err(), "{name} of {length} bytes");
        }
    }
}

#[test]
fn a_file_with_something_appended_is_refused() {
    for (name, mut bytes) in weight_files() {
        for extra in [&b"\0"[..], b"PK\x05\x06", b"a second file behind the first one"] {
            let length = bytes.len();
            bytes.extend_from_slice(extra);
            assert!(read_bytes(&bytes, &name).is_err(), "{name} and {} bytes", extra.len());
            bytes.truncate(length);
        }
    }
}

#[test]
fn bytes_of_no_format_are_named_with_what_is_read() {
    let cases: [(&[u8], &str); 5] = [
        (b"", "it is empty"),
        (b"0123456789abcdef", "it starts with \"0123456789abcdef\""),
        (b"\x80\x04\x95\0\0\0\0\0\0\0\0}.", "a Python pickle that torch.save did not write"),
        (b"\x93NUMPY\x01\0", "it starts with \"\\x93NUMPY"),
        (&archive(&[("notes.txt", b"hello")]), "it holds notes.txt"),
    ];
    for (bytes, says) in cases {
        let error = error(bytes);
        assert!(matches!(error, CheckpointError::NotAWeightFile { .. }), "{error}");
        let message = error.to_string();
        assert!(
            message.contains(says) && message.contains("safetensors") && message.contains("Keras .h5"),
            "{message}"
        );
    }
}

#[test]
fn a_changed_number_in_a_zip_archive_is_found_by_its_checksum() {
    let mut bytes = bytes("tiny_torch.pth");
    let first_number = bytes.windows(4).position(|window| window == 0.334_693_8_f32.to_le_bytes()).unwrap();
    bytes[first_number] ^= 1;
    let message = error(&bytes).to_string();
    assert!(message.contains("feature.0.0.weight") && message.contains("checksum"), "{message}");
}

#[test]
fn a_missing_or_endless_file_is_an_error_with_its_path() {
    let error = checkpoint::read("no/such/file.h5".as_ref()).unwrap_err();
    assert!(matches!(&error, CheckpointError::Open { path, .. } if path.ends_with("file.h5")), "{error}");
    let error = checkpoint::read("/dev/zero".as_ref()).unwrap_err();
    assert!(matches!(error, CheckpointError::Open { .. }), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever a few changed bytes do, reading ends, and what is read has as many values as its shape says.
    #[test]
    fn changed_bytes_never_panic(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        for (name, mut bytes) in weight_files() {
            for (index, byte) in &changes {
                let at = index.index(bytes.len());
                bytes[at] = *byte;
            }
            if let Ok(checkpoint) = read_bytes(&bytes, &name) {
                for tensor in checkpoint.tensors {
                    prop_assert_eq!(tensor.values.len(), tensor.shape.iter().product::<usize>());
                }
            }
        }
    }
}
