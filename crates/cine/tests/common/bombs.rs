//! Small files that cost a decoder much time or memory, made from nothing.
#![allow(dead_code, reason = "every test uses another part of it")]

use std::io::Write;
use std::sync::atomic::{AtomicU32, Ordering};

use flate2::Compression;
use flate2::write::DeflateEncoder;
use jpeg_encoder::{ColorType, Encoder};

use super::odd::{self, EXPLICIT_LITTLE, Header, JPEG, encapsulated, native};

const JPEG_2000: &str = "1.2.840.10008.1.2.4.91";
const RLE: &str = "1.2.840.10008.1.2.5";
const DEFLATED: &str = "1.2.840.10008.1.2.1.99";
const DEFLATED_FRAME: &str = "1.2.840.10008.1.2.8.1";
const H_264: &str = "1.2.840.10008.1.2.4.102";

/// The side of the largest square that is read.
pub const LARGE: u16 = 4096;

/// The name of a bomb and the function that makes it.
pub type Bomb = (&'static str, fn() -> Vec<u8>);

/// Every bomb.
pub const ALL: [Bomb; 18] = [
    ("jpeg_4096x4096_30f", large_jpegs),
    ("jpeg_9000x9000_in_64x64", jpeg_in_small_header),
    ("jpeg_progressive_many_scans", progressive_with_many_scans),
    ("jpeg_sequential_many_scans", sequential_with_many_scans),
    ("j2k_many_code_blocks", || j2k(LARGE, [u32::from(LARGE); 2], 256, 1, 0)),
    ("j2k_many_tiles", || j2k(LARGE, [17, 17], 256, 5, 0)),
    ("j2k_many_layers", || j2k(64, [64, 64], u16::MAX, 5, 4)),
    ("rle_4096x4096_30f", large_rle),
    ("rle_expands_64x64_to_1_gb", rle_that_expands),
    ("deflated_frame_4096x4096_30f", large_deflated_frames),
    ("deflated_frame_expands", deflated_frame_that_expands),
    ("deflated_data_set_2_gb", deflated_data_set),
    ("h264_8192x8192_in_64x64", || h264_loop(64, 8192, 2)),
    ("h264_4096x4096_60000f", || h264_loop(LARGE, LARGE, 60_000)),
    ("h264_2147483647_frames", || h264_of_declared(64, 64, 3, 2_147_483_647)),
    ("native_120000_frames_of_a_pixel", || frames_of_one_pixel(120_000)),
    ("native_50_million_frames_of_a_pixel", || frames_of_one_pixel(50_000_000)),
    ("fragments_a_million", million_fragments),
];

fn gray(transfer_syntax: &'static str, side: u16, frames: usize) -> Header {
    Header { samples_per_pixel: 1, photometric: "MONOCHROME2", ..rgb(transfer_syntax, side, frames) }
}

fn rgb(transfer_syntax: &'static str, side: u16, frames: usize) -> Header {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    // Each file is an object of its own.
    let sop_instance_uid = format!("1.2.3.99.{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    Header { sop_instance_uid, transfer_syntax, rows: side, columns: side, frames, ..Header::default() }
}

fn gray_jpeg(side: u16, is_progressive: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, 50);
    encoder.set_progressive(is_progressive);
    let pixels: Vec<u8> = (0..usize::from(side) * usize::from(side)).map(|at| (at % 251) as u8).collect();
    encoder.encode(&pixels, side, side, ColorType::Luma).expect("the picture can be encoded");
    bytes
}

fn large_jpegs() -> Vec<u8> {
    let side = usize::from(LARGE);
    let mut bytes = Vec::new();
    let encoder = Encoder::new(&mut bytes, 50);
    encoder.encode(&vec![90; side * side * 3], LARGE, LARGE, ColorType::Rgb).expect("the picture can be encoded");
    Header { photometric: "YBR_FULL_422", ..rgb(JPEG, LARGE, 30) }.file(&encapsulated(&vec![odd::even(bytes, 0); 30]))
}

fn jpeg_in_small_header() -> Vec<u8> {
    gray(JPEG, 64, 3).file(&encapsulated(&vec![odd::even(gray_jpeg(9000, false), 0); 3]))
}

fn progressive_with_many_scans() -> Vec<u8> {
    gray(JPEG, LARGE, 8).file(&encapsulated(&vec![with_repeated_scan(&gray_jpeg(LARGE, true), 3000, 64); 8]))
}

fn sequential_with_many_scans() -> Vec<u8> {
    gray(JPEG, LARGE, 8).file(&encapsulated(&vec![with_repeated_scan(&gray_jpeg(LARGE, false), 3000, 64); 8]))
}

/// The JPEG with the header and the first bytes of its last scan again and again.
fn with_repeated_scan(jpeg: &[u8], times: usize, scan_bytes: usize) -> Vec<u8> {
    let scan = jpeg.windows(2).rposition(|pair| pair == [0xFF, 0xDA]).expect("it has a scan");
    let end = jpeg.len() - 2;
    let part = &jpeg[scan..end.min(scan + scan_bytes)];
    let mut bytes = jpeg[..end].to_vec();
    (0..times).for_each(|_| bytes.extend_from_slice(part));
    bytes.extend([0xFF, 0xD9]);
    odd::even(bytes, 0)
}

/// A loop of JPEG 2000 frames whose packets are missing; `block` is the exponent of a code block's side, minus 2.
fn j2k(side: u16, tile: [u32; 2], layers: u16, levels: u8, block: u8) -> Vec<u8> {
    let long = u32::from(side).to_be_bytes();
    let [tile_width, tile_height] = tile.map(u32::to_be_bytes);
    let layers = layers.to_be_bytes();
    let mut bytes = vec![0xFF, 0x4F, 0xFF, 0x51, 0, 41, 0, 0];
    let sizes = [long, long, [0; 4], [0; 4], tile_width, tile_height, [0; 4], [0; 4]];
    bytes.extend(sizes.concat());
    bytes.extend([0, 1, 7, 1, 1]);
    bytes.extend([0xFF, 0x52, 0, 12, 0, 0, layers[0], layers[1], 0, levels, block, block, 0, 1]);
    bytes.extend([0xFF, 0x5C, 0, 4 + 3 * levels, 0x40]);
    bytes.extend(vec![0x40; 1 + 3 * usize::from(levels)]);
    bytes.extend([0xFF, 0x90, 0, 10, 0, 0, 0, 0, 0, 0, 0, 1, 0xFF, 0x93]);
    bytes.extend(vec![0x80; 200]);
    bytes.extend([0xFF, 0xD9]);
    gray(JPEG_2000, side, 8).file(&encapsulated(&vec![odd::even(bytes, 0); 8]))
}

/// An RLE frame of one segment that repeats a run of 128 bytes.
fn rle_frame(runs: usize) -> Vec<u8> {
    let mut frame = vec![0; 64];
    frame[0] = 1;
    frame[4] = 64;
    frame.extend([129, 7].repeat(runs));
    frame
}

fn large_rle() -> Vec<u8> {
    let runs = usize::from(LARGE) * usize::from(LARGE) / 128;
    gray(RLE, LARGE, 30).file(&encapsulated(&vec![rle_frame(runs); 30]))
}

fn rle_that_expands() -> Vec<u8> {
    gray(RLE, 64, 1).file(&encapsulated(&[rle_frame((1 << 30) / 128)]))
}

fn deflated(zeros: usize) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    let chunk = vec![0; 1 << 20];
    for _ in 0..zeros / chunk.len() {
        encoder.write_all(&chunk).expect("memory can be written");
    }
    odd::even(encoder.finish().expect("memory can be written"), 0)
}

fn large_deflated_frames() -> Vec<u8> {
    let frame = deflated(usize::from(LARGE) * usize::from(LARGE) * 3);
    rgb(DEFLATED_FRAME, LARGE, 30).file(&encapsulated(&vec![frame; 30]))
}

fn deflated_frame_that_expands() -> Vec<u8> {
    gray(DEFLATED_FRAME, 64, 2).file(&encapsulated(&vec![deflated(1 << 30); 2]))
}

/// A deflated data set whose pixel data is 2 GB of zeros.
fn deflated_data_set() -> Vec<u8> {
    let mut plain = gray(EXPLICIT_LITTLE, 1024, 2047).file(&[]);
    let syntax = plain.windows(EXPLICIT_LITTLE.len()).position(|text| text == EXPLICIT_LITTLE.as_bytes());
    let start = plain.windows(4).position(|bytes| bytes == [8, 0, 0x16, 0]).expect("group 0008 is there");
    let syntax = syntax.expect("the transfer syntax is there");
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    let data_set = plain.split_off(start);
    encoder.write_all(&data_set).expect("memory can be written");
    let length = 2047_u32 << 20;
    encoder.write_all(&[0xE0, 0x7F, 0x10, 0, b'O', b'B', 0, 0]).expect("memory can be written");
    encoder.write_all(&length.to_le_bytes()).expect("memory can be written");
    let chunk = vec![0; 1 << 20];
    for _ in 0..2047 {
        encoder.write_all(&chunk).expect("memory can be written");
    }
    // The text of the deflated syntax is three bytes longer, with its padding two.
    plain.splice(syntax - 2..start, [&22_u16.to_le_bytes()[..], DEFLATED.as_bytes()].concat());
    plain.extend(encoder.finish().expect("memory can be written"));
    plain
}

fn frames_of_one_pixel(frames: usize) -> Vec<u8> {
    gray(EXPLICIT_LITTLE, 1, frames).file(&native(&vec![7; frames]))
}

fn million_fragments() -> Vec<u8> {
    gray(JPEG, 64, 100_000).file(&encapsulated(&vec![Vec::new(); 1_000_000]))
}

fn h264_loop(side: u16, coded_side: u16, frames: usize) -> Vec<u8> {
    h264_of_declared(side, coded_side, frames, frames)
}

fn h264_of_declared(side: u16, coded_side: u16, frames: usize, declared: usize) -> Vec<u8> {
    let header = Header { photometric: "YBR_PARTIAL_420", ..rgb(H_264, side, declared) };
    header.file(&encapsulated(&[odd::even(h264_stream(coded_side, frames), 0)]))
}

/// An H.264 stream of gray pictures, all but the first of which repeat the one before (ITU-T H.264 section 7.3).
pub fn h264_stream(side: u16, frames: usize) -> Vec<u8> {
    let blocks_across = u32::from(side) / 16;
    let blocks = blocks_across * blocks_across;
    let mut stream = Vec::new();
    let mut sequence = Bits::default();
    // Baseline profile, level 6.2; picture order is decoding order; one reference picture.
    sequence.fixed(66, 8).fixed(0, 8).fixed(62, 8).golomb(0).golomb(0).golomb(2).golomb(1).fixed(0, 1);
    sequence.golomb(blocks_across - 1).golomb(blocks_across - 1).fixed(1, 1).fixed(1, 1).fixed(0, 1).fixed(0, 1);
    unit(&mut stream, 0x67, sequence);
    let mut picture = Bits::default();
    picture.golomb(0).golomb(0).fixed(0, 2).golomb(0).golomb(0).golomb(0).fixed(0, 3).golomb(0).golomb(0).golomb(0);
    picture.fixed(0, 3);
    unit(&mut stream, 0x68, picture);
    for frame in 0..frames {
        let mut slice = Bits::default();
        let is_first = frame == 0;
        slice.golomb(0).golomb(if is_first { 7 } else { 5 }).golomb(0).fixed(frame as u32 % 16, 4);
        if is_first {
            // Instantaneous refresh, no special marking, no change of quantization.
            slice.golomb(0).fixed(0, 2).golomb(0);
            for _ in 0..blocks {
                // Predicted by its mean, without residuals.
                slice.golomb(3).golomb(0).golomb(0).fixed(1, 1);
            }
        } else {
            slice.fixed(0, 2).fixed(0, 1).golomb(0).golomb(blocks);
        }
        unit(&mut stream, if is_first { 0x65 } else { 0x61 }, slice);
    }
    stream
}

/// Adds a unit with its start code.
fn unit(stream: &mut Vec<u8>, head: u8, mut bits: Bits) {
    bits.fixed(1, 1);
    stream.extend([0, 0, 0, 1, head]);
    let mut zeros = 0;
    for byte in bits.bytes {
        // Two zeros and a small byte would look like a start code.
        if zeros >= 2 && byte <= 3 {
            stream.push(3);
            zeros = 0;
        }
        stream.push(byte);
        zeros = if byte == 0 { zeros + 1 } else { 0 };
    }
}

/// Bits, the highest of a byte first.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    count: usize,
}

impl Bits {
    fn fixed(&mut self, value: u32, bits: u32) -> &mut Self {
        for bit in (0..bits).rev() {
            if self.count.is_multiple_of(8) {
                self.bytes.push(0);
            }
            let last = self.bytes.len() - 1;
            self.bytes[last] |= ((value >> bit & 1) as u8) << (7 - self.count % 8);
            self.count += 1;
        }
        self
    }

    /// An unsigned Exp-Golomb code.
    fn golomb(&mut self, value: u32) -> &mut Self {
        let length = (value + 1).ilog2();
        self.fixed(0, length).fixed(value + 1, length + 1)
    }
}
