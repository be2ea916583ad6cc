//! Frames of an object cost their own bytes: counted on a loop of 300 frames and 13 MB.

#[allow(dead_code)]
#[path = "../../cine/tests/common/build.rs"]
mod build;

use std::sync::Arc;

use build::{Fragmenting, encapsulated_file, native_file};
use cine::{Loop, ReadAt};
use objects::{ObjectError, ObjectReader, ObjectStores, ObjectUrl};

/// Lets the test count after the loop has taken the object.
struct Shared(Arc<ObjectReader>);

impl ReadAt for Shared {
    fn size_bytes(&self) -> std::io::Result<u64> {
        self.0.size_bytes()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.read_at(offset, buffer)
    }
}

fn store() -> (tempfile::TempDir, ObjectStores, ObjectUrl) {
    let folder = tempfile::tempdir().unwrap();
    let prefix = format!("file://{}/", folder.path().display()).parse().unwrap();
    (folder, ObjectStores::new([]).unwrap(), prefix)
}

fn url(prefix: &ObjectUrl, name: &str) -> ObjectUrl {
    prefix.with_key(&format!("{}{name}", prefix.key()))
}

/// Decodes 16 of the frames and returns the bytes that were fetched for it, and those of the whole.
fn fetched_for_16_frames(file: Vec<u8>) -> (u64, u64) {
    let (_folder, stores, prefix) = store();
    let url = url(&prefix, "loop.dcm");
    let whole = file.len() as u64;
    let expected: Vec<_> = {
        let mut source = Loop::from_bytes(file.clone()).unwrap();
        (0..16).map(|index| source.frame(index * 18).unwrap()).collect()
    };
    assert!(stores.put_new(&url, file, &[]).unwrap());
    let object = Arc::new(stores.open(&url).unwrap());
    let mut source = Loop::from_bytes(Shared(Arc::clone(&object))).unwrap();
    let frames: Vec<_> = (0..16).map(|index| source.frame(index * 18).unwrap()).collect();
    assert!(frames == expected, "the same frames as from memory");
    (object.fetched_bytes(), whole)
}

#[test]
fn sixteen_of_300_frames_cost_a_megabyte_and_not_13() {
    let (fetched, whole) = fetched_for_16_frames(native_file(200, 216, 300));
    println!("native: {fetched} of {whole} bytes");
    assert!(whole > 12_900_000);
    assert!(fetched < 16 * 200 * 216 + 100_000, "{fetched} of {whole} bytes");
}

#[test]
fn compressed_frames_cost_their_own_bytes_with_and_without_a_table() {
    for fragmenting in [Fragmenting::WithTable, Fragmenting::WithoutTable] {
        let (fetched, whole) = fetched_for_16_frames(encapsulated_file(400, 8_000, 300, fragmenting));
        println!("RLE: {fetched} of {whole} bytes");
        // Without a table the head of every fragment is read once.
        assert!(fetched < whole / 16 + 300 * 4096 + 100_000, "{fetched} of {whole} bytes");
    }
}

#[test]
fn what_has_a_name_is_not_written_again_and_a_replaced_object_is_an_error() {
    let (folder, stores, prefix) = store();
    let url = url(&prefix, "a");
    assert!(stores.put_new(&url, vec![1; 100_000], &[]).unwrap());
    assert!(!stores.put_new(&url, vec![2; 10], &[]).unwrap());
    let object = stores.open(&url).unwrap();
    let mut buffer = [0; 10];
    assert_eq!(object.read_at(0, &mut buffer).unwrap(), 10);
    assert_eq!((buffer, stores.list(&prefix).unwrap().len()), ([1; 10], 1));

    std::fs::write(folder.path().join("a"), vec![3; 100_000]).unwrap();
    let error = object.read_at(50_000, &mut buffer).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::StaleNetworkFileHandle, "{error}");
    assert!(matches!(stores.info(&prefix.with_key("nowhere/at/all")), Err(ObjectError::Missing)));
}
