//! Frame k costs reading frame k: counted on a reader that remembers which bytes were asked for.

mod common;

use std::sync::{Arc, Mutex};

use cine::{Loop, ReadAt};
use common::build::{Fragmenting, encapsulated_file, native_file};

/// Remembers every range of bytes that was read.
struct CountingReader {
    bytes: Vec<u8>,
    reads: Arc<Mutex<Vec<(u64, u64)>>>,
}

impl ReadAt for CountingReader {
    fn size_bytes(&self) -> std::io::Result<u64> {
        self.bytes.size_bytes()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.bytes.read_at(offset, buffer)?;
        self.reads.lock().expect("no reader panics").push((offset, count as u64));
        Ok(count)
    }
}

/// Opens the bytes and reads one frame; gives the bytes read at open and those read for the frame.
fn read_costs(file: Vec<u8>, index: u32) -> (u64, u64) {
    let reads = Arc::new(Mutex::new(Vec::new()));
    let reader = CountingReader { bytes: file, reads: Arc::clone(&reads) };
    let take = || std::mem::take(&mut *reads.lock().expect("no reader panics")).iter().map(|(_, count)| count).sum();
    let mut opened = Loop::from_bytes(reader).expect("the file is sound");
    let at_open = take();
    opened.frame(index).expect("the frame decodes");
    (at_open, take())
}

/// Headers are read through a window of 4 KiB, filled once each for the start, the file meta group, the first element
/// and the walk.
const HEADER_BYTES: u64 = 4 * 4096;
const FRAMES: u32 = 300;
const FRAME_BYTES: u64 = 64 * 48;

#[test]
fn a_native_frame_costs_its_own_bytes() {
    let (at_open, for_frame) = read_costs(native_file(48, 64, FRAMES), 250);
    assert!(at_open < HEADER_BYTES, "{at_open} bytes to open");
    assert_eq!(for_frame, FRAME_BYTES);
}

#[test]
fn a_frame_found_by_the_offset_table_costs_its_own_bytes_and_headers() {
    let (at_open, for_frame) = read_costs(encapsulated_file(48, 64, FRAMES, Fragmenting::WithTable), 250);
    // The table has 4 bytes a frame.
    assert!(at_open < HEADER_BYTES + 4 * u64::from(FRAMES), "{at_open} bytes to open");
    assert!(for_frame < FRAME_BYTES, "{for_frame} bytes for one RLE frame");
}

#[test]
fn without_a_table_opening_reads_item_headers_only() {
    let file = encapsulated_file(48, 64, FRAMES, Fragmenting::WithoutTable);
    let whole = file.len() as u64;
    let (at_open, for_frame) = read_costs(file, 250);
    assert!(at_open < HEADER_BYTES + 8 * u64::from(FRAMES + 2), "{at_open} of {whole} bytes to open");
    assert!(for_frame < FRAME_BYTES, "{for_frame} bytes for one RLE frame");
}
