//! Small files that announce huge things: each is refused by name, or read, in bounded memory and without an abort.

mod common;

use cine::Loop;
use common::odd::{COLUMNS, Header, ROWS, encapsulated, jpegs, native};
use test_support::shared_data;

const RLE: &str = "1.2.840.10008.1.2.5";

/// An RLE frame of `segments` announced segments, each with these PackBits bytes.
fn rle_frame(announced: u32, segment: &[u8]) -> Vec<u8> {
    let mut frame = announced.to_le_bytes().to_vec();
    for number in 0..15_u32 {
        let offset = if number < 3 { 64 + number * segment.len() as u32 } else { 0 };
        frame.extend(offset.to_le_bytes());
    }
    (0..3).for_each(|_| frame.extend_from_slice(segment));
    frame
}

fn kind_of_first_frame(file: Vec<u8>) -> String {
    let outcome = Loop::from_bytes(file).and_then(|mut source| source.frame(0));
    outcome.map_or_else(|error| error.kind().to_owned(), |_| "decodes".to_owned())
}

#[test]
fn rle_that_announces_or_expands_to_more_than_a_frame_is_refused() {
    let header = || Header { transfer_syntax: RLE, frames: 1, ..Header::default() };
    // A run of 128 equal bytes.
    let run = [129_u8, 7];
    let fitting = run.repeat(usize::from(ROWS) * usize::from(COLUMNS) / 128);
    assert_eq!(kind_of_first_frame(header().file(&encapsulated(&[rle_frame(3, &fitting)]))), "decodes");
    let too_long = run.repeat(1 << 16);
    for frame in [rle_frame(u32::MAX, &fitting), rle_frame(16, &fitting), rle_frame(3, &too_long), vec![3, 0, 0, 0]] {
        assert_eq!(kind_of_first_frame(header().file(&encapsulated(&[frame]))), "corrupt_frame");
    }
}

#[test]
fn the_number_of_frames_comes_from_the_bytes_where_the_header_says_millions() {
    let file = Header { frames: 300_000_000, ..Header::jpeg() }.file(&encapsulated(&jpegs(ROWS)));
    assert_eq!(Loop::from_bytes(file).expect("it opens").header().frames, 8);
    let pixels = vec![0; 1 << 20];
    let of_one_pixel = Header { rows: 1, columns: 1, frames: pixels.len() / 3, ..Header::default() };
    assert_eq!(kind_of_first_frame(of_one_pixel.file(&native(&pixels))), "too_large");
}

#[test]
fn a_frame_larger_than_any_screen_is_refused() {
    let header = Header { rows: 16_000, columns: 16_000, frames: 1, ..Header::jpeg() };
    assert_eq!(kind_of_first_frame(header.file(&encapsulated(&jpegs(ROWS)[..1]))), "too_large");
}

#[test]
fn shared_hostile_files_are_refused_by_name() {
    let Some(folder) = shared_data() else {
        return;
    };
    // Mutated JPEG-LS keeps CharLS busy without end, which only another process can be kept from.
    let entries = std::fs::read_dir(folder.join("hostile-2026-11")).expect("the folder is there");
    for entry in entries {
        let path = entry.expect("an entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !name.ends_with(".dcm") || name.starts_with("fuzz-jls") {
            continue;
        }
        let outcome = Loop::open(&path).and_then(|mut source| source.frame(0));
        let kind = outcome.map_or_else(|error| error.kind(), |_| "decodes");
        println!("{name}: {kind}");
        let is_video = name.starts_with("video");
        assert!(["corrupt_frame", "too_large"].contains(&kind) || (is_video && kind != "io"), "{name}: {kind}");
    }
}
